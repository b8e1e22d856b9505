//! Every kind of error, provoked once, and what each of them must be able to tell.

mod texts;

use std::process::ExitCode;

use loky::prelude::*;
use loky::{Error, ErrorKind, Pool};
use loky_tests::tasks::{Death, die, give_thorn, meet, panic_with, pid, sleep_for, square, take_thorn};
use loky_tests::thorn::{Fault, Moment, Thorn};
use loky_tests::{Case, Gate, cases, fails, ms, pool_of};

loky::main! {
    fn main() -> ExitCode {
        loky_tests::run(&[CASES, texts::CASES], &[])
    }
}

const CASES: &[Case] = cases![
    error_kinds_and_what_they_promise,
    submit_13_a_function_that_is_no_task,
    error_of_a_launch_that_fails_again_and_again,
    error_backtrace_if_asked_for,
    error_text_is_one_line_whatever_is_in_it,
    error_text_is_one_that_can_be_read,
    exc_10_each_call_has_an_error_of_its_own,
    exc_22_limits_are_told_apart,
];

/// Kind, whether the task may have run, and which question answers yes.
fn assert_promises(error: &Error, may_have_run: bool) {
    let kind = error.kind();
    assert_eq!(error.may_have_run(), may_have_run, "{error:?}");
    assert_eq!(error.is_panic(), kind == ErrorKind::Panic);
    assert_eq!(error.is_crash(), kind == ErrorKind::Crash);
    assert_eq!(error.is_timeout(), matches!(kind, ErrorKind::Timeout | ErrorKind::QueueTimeout));
    assert_eq!(error.is_cancelled(), kind == ErrorKind::Cancelled);
    assert_eq!(error.signal().is_some() || error.exit_code().is_some(), kind == ErrorKind::Crash, "{error:?}");
    assert_eq!(error.panic_message().is_some(), kind == ErrorKind::Panic);
    assert!(error.host().is_none(), "it was this machine");
    assert!(error.task().is_some_and(|task| task.contains("::")), "a task has a path: {:?}", error.task());
    // It never ran on a worker, so there is none to name.
    assert!(may_have_run || error.attempt().is_none() || kind == ErrorKind::Decode, "{error:?}");
}

fn error_kinds_and_what_they_promise() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    assert_promises(&fails(panic_with.bind("x").on(&pool).run(), ErrorKind::Panic), true);
    assert_promises(&fails(die.bind(Death::Abort).on(&pool).run(), ErrorKind::Crash), true);
    assert_promises(&fails(sleep_for.bind(ms(30_000)).on(&pool).timeout(ms(20)).run(), ErrorKind::Timeout), true);
    let encode = take_thorn.bind(Thorn::new(Moment::Encode, Fault::Error)).on(&pool).run();
    assert_promises(&fails(encode, ErrorKind::Encode), false);
    let decode = take_thorn.bind(Thorn::new(Moment::Decode, Fault::Error)).on(&pool).run();
    assert_promises(&fails(decode, ErrorKind::Decode), false);
    assert_promises(&fails(give_thorn.bind(Moment::Encode, Fault::Error).on(&pool).run(), ErrorKind::Encode), true);
    assert_promises(&fails(give_thorn.bind(Moment::Decode, Fault::Error).on(&pool).run(), ErrorKind::Decode), true);
    let held = meet.bind(gate.clone(), 1).on(&pool).spawn();
    gate.await_arrivals(1);
    assert_promises(&fails(square.bind(1).on(&pool).queue_timeout(ms(20)).run(), ErrorKind::QueueTimeout), false);
    let queued = square.bind(1).on(&pool).spawn();
    queued.cancel();
    assert_promises(&fails(queued.join(), ErrorKind::Cancelled), false);
    held.cancel();
    assert_promises(&fails(held.join(), ErrorKind::Cancelled), true);
    pool.shutdown();
    assert_promises(&fails(square.bind(1).on(&pool).run(), ErrorKind::Shutdown), false);
}

pub(crate) fn no_task(x: u64) -> u64 {
    x
}

fn submit_13_a_function_that_is_no_task() {
    assert_eq!(no_task(1), 1);
    let (pool, gate) = (pool_of(2), Gate::new("gate"));
    let held = meet.bind(gate.clone(), 7).on(&pool).spawn();
    gate.await_arrivals(1);
    let worker = pid.bind().on(&pool).run().expect("the other worker");
    let error = fails(no_task.bind(1).on(&pool).run(), ErrorKind::UnknownTask);
    assert!(!error.may_have_run());
    assert!(error.to_string().contains("loky::task") && error.to_string().contains("no_task"), "{error}");
    let items = (0..3).par_map(no_task).on(&pool);
    assert_eq!(items.map(|result| fails(result, ErrorKind::UnknownTask)).collect::<Vec<_>>().len(), 3);
    assert_eq!(pid.bind().on(&pool).run().expect("nobody has noticed"), worker);
    gate.open();
    assert_eq!(held.join().expect("nor here"), 7);
}

fn error_of_a_launch_that_fails_again_and_again() {
    let nowhere = loky_tests::scratch().join("nowhere");
    let pool = Pool::builder().workers(2).current_dir(nowhere).build().expect("a pool");
    let handles: Vec<_> = (0..5).map(|x| square.bind(x).on(&pool).retries(3).spawn()).collect();
    for handle in handles {
        let error = fails(handle.join(), ErrorKind::Launch);
        assert!(!error.may_have_run() && error.to_string().contains("No such file"), "{error}");
    }
    fails(square.bind(1).on(&pool).run(), ErrorKind::Launch);
    pool.shutdown();
}

fn error_backtrace_if_asked_for() {
    let with = Pool::builder().workers(1).env("RUST_BACKTRACE", "1").build().expect("a pool");
    let error = fails(panic_with.bind("traced").on(&with).run(), ErrorKind::Panic);
    assert!(error.backtrace().is_some_and(|trace| trace.contains("panic_with")), "{:?}", error.backtrace());
    let without = Pool::builder().workers(1).env("RUST_BACKTRACE", "0").build().expect("a pool");
    assert!(fails(panic_with.bind("not").on(&without).run(), ErrorKind::Panic).backtrace().is_none());
}

fn error_text_is_one_line_whatever_is_in_it() {
    let pool = pool_of(1);
    for message in ["two\nlines", "\u{1b}[31mred\r", "", "{}", "\0"] {
        let error = fails(panic_with.bind(message).on(&pool).run(), ErrorKind::Panic);
        assert!(!error.to_string().contains(char::is_control), "{error:?}");
        assert_eq!(error.panic_message(), Some(message), "the evidence is as it was");
    }
}

/// As where it shows a value that is large.
fn error_text_is_one_that_can_be_read() {
    let pool = pool_of(1);
    let long = "ä".repeat(1 << 20);
    let error = fails(panic_with.bind(&long).on(&pool).run(), ErrorKind::Panic);
    assert!(error.panic_message().is_some_and(|message| message == long), "all of it can be had");
    let text = error.to_string();
    assert!(text.len() < 2_500 && text.contains("ää… (20") && text.contains(" bytes more)"), "{text}");
}

fn exc_10_each_call_has_an_error_of_its_own() {
    let pool = pool_of(3);
    let handles: Vec<_> = (0..30).map(|x| panic_with.bind(&format!("number {x}")).on(&pool).spawn()).collect();
    for (x, handle) in handles.into_iter().enumerate() {
        assert_eq!(fails(handle.join(), ErrorKind::Panic).panic_message(), Some(format!("number {x}").as_str()));
    }
}

#[loky::task]
fn give_up() -> Result<u32, String> {
    Err("timed out".to_owned())
}

fn exc_22_limits_are_told_apart() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    assert_eq!(give_up.bind().on(&pool).run().expect("the task's own"), Err("timed out".to_owned()));
    fails(meet.bind(gate.clone(), 1).on(&pool).timeout(ms(50)).run(), ErrorKind::Timeout);
    let held = meet.bind(gate.clone(), 2).on(&pool).spawn();
    gate.await_arrivals(2);
    assert!(!held.wait_timeout(ms(20)), "the waiter's own limit touches nothing");
    fails(square.bind(1).on(&pool).queue_timeout(ms(50)).run(), ErrorKind::QueueTimeout);
    gate.open();
    assert_eq!(held.join().expect("untouched"), 2);
}
