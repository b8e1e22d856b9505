//! The options of the attribute, as a call feels them.

use std::thread::sleep;
use std::time::{Duration, Instant};

use loky::ErrorKind;
use loky::prelude::*;
use loky_tests::{Case, cases, fails, finish, ms};

/// The cases of this file.
pub(crate) const CASES: &[Case] = cases![
    task_30_a_name_of_its_own,
    task_31_a_timeout_of_its_own,
    task_32_retries_of_its_own,
    task_33_another_path_to_the_crate,
];

/// Panics under another name.
#[loky::task(name = "the one that panics")]
fn panics() {
    panic!("seen")
}

/// Panics under its own.
#[loky::task]
fn panics_too() {
    panic!("seen")
}

/// The name is what errors call it.
fn task_30_a_name_of_its_own() {
    assert_eq!(fails(panics.run(), ErrorKind::Panic).task(), Some("the one that panics"));
    assert_eq!(fails(panics_too.run(), ErrorKind::Panic).task(), Some("tasks::options::panics_too"));
    finish();
}

/// Sleeps for longer than it may, or not.
#[loky::task(timeout = "300ms")]
fn sleeps(milliseconds: u64) {
    sleep(ms(milliseconds));
}

/// The task's limit holds unless the call has one.
fn task_31_a_timeout_of_its_own() {
    let started = Instant::now();
    fails(sleeps.run(20_000), ErrorKind::Timeout);
    assert!(started.elapsed() < Duration::from_secs(10));
    sleeps.bind(600).timeout(Duration::from_secs(20)).run().expect("the call's limit comes first");
    finish();
}

/// Dies until it has been tried often enough.
#[loky::task(retries = 2)]
fn survives(attempt: u32) -> u32 {
    let now = loky::worker().expect("a task runs in a worker").attempt;
    if now < attempt {
        std::process::abort();
    }
    now
}

/// The task's retries hold unless the call has some.
fn task_32_retries_of_its_own() {
    assert_eq!(survives.run(3).expect("the third attempt"), 3);
    assert_eq!(fails(survives.run(4), ErrorKind::Crash).attempt(), Some(3));
    assert_eq!(fails(survives.bind(2).retries(0).run(), ErrorKind::Crash).attempt(), Some(1));
    finish();
}

/// As in a crate that re-exports ours.
mod facade {
    pub(crate) use loky as processes;
}

/// Finds the library elsewhere.
#[loky::task(crate = crate::options::facade::processes)]
fn elsewhere(text: &str) -> usize {
    text.len()
}

/// Generated code names the library by this path alone.
fn task_33_another_path_to_the_crate() {
    assert_eq!(elsewhere.run("abc").expect("in dot form"), 3);
    assert_eq!(elsewhere::run("abc").expect("in path form"), 3);
    finish();
}
