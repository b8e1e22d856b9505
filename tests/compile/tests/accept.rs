//! What may look odd and is a task, or a closure, all the same: each program in `ui/accept` must compile and run.
//!
//! Beside them, in `ui/refuse_at_build`, are mistakes that `cargo check` does not see: what is built at all is built.
//! The programs are whole ones, with a `main` of their own, since oddities are often those of a whole crate; what can
//! be told in a function is in `tests/tasks`. None leaves a warning.

#[test]
fn what_is_odd_is_accepted_and_runs() {
    let cases = trybuild::TestCases::new();
    cases.pass("ui/accept/*.rs");
    cases.compile_fail("ui/refuse_at_build/*.rs");
}
