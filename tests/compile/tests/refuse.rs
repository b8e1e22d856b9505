//! What cannot be a task, and what the compiler says about it: each program in `ui/refuse` must fail, in these words.
//!
//! No process is started, so this is an ordinary test. After a change of wording, `TRYBUILD=overwrite` writes the new
//! words, to be read before they are kept. Words of the compiler itself are those of the current stable release.

#[test]
fn what_cannot_be_a_task_is_refused_at_its_own_tokens() {
    trybuild::TestCases::new().compile_fail("ui/refuse/*/*.rs");
}
