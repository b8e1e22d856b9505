//! The table of bad behavior: where it strikes × how → what the caller reads; a pool of two, which goes on after it.
//!
//! An argument is encoded in the program and decoded in the worker, a result the other way round.

use std::fmt::Debug;

use loky::prelude::*;
use loky::{Error, ErrorKind, Pool};
use loky_tests::tasks::{Death, die, give_thorn, panic_with, pid, square, take_thorn};
use loky_tests::thorn::{Fault, Moment, STING, Thorn};
use loky_tests::{Case, cases, fails, pool_of, procfs};
use nix::libc;

pub(crate) const CASES: &[Case] = cases![
    crash_01_panic_while_the_argument_is_encoded,
    crash_02_error_while_the_argument_is_encoded,
    crash_03_panic_while_the_argument_is_decoded,
    crash_04_exit_while_the_argument_is_decoded,
    crash_05_error_while_the_argument_is_decoded,
    crash_06_segfault_while_the_argument_is_decoded,
    crash_07_segfault_in_the_function,
    crash_08_panic_in_the_function,
    crash_09_exit_in_the_function,
    crash_10_error_from_the_function,
    crash_11_segfault_while_the_result_is_encoded,
    crash_12_panic_while_the_result_is_encoded,
    crash_13_exit_while_the_result_is_encoded,
    crash_14_error_while_the_result_is_encoded,
    crash_15_panic_while_the_result_is_decoded,
    crash_16_error_while_the_result_is_decoded,
    ser_01_bad_arguments_and_an_immediate_shutdown,
];

fn crash_01_panic_while_the_argument_is_encoded() {
    let error = survives(ErrorKind::Encode, |pool| argument(pool, Moment::Encode, Fault::Panic));
    assert!(!error.may_have_run() && error.to_string().contains(STING), "{error}");
}

fn crash_02_error_while_the_argument_is_encoded() {
    let error = survives(ErrorKind::Encode, |pool| argument(pool, Moment::Encode, Fault::Error));
    assert!(!error.may_have_run() && error.to_string().contains(STING), "{error}");
}

fn crash_03_panic_while_the_argument_is_decoded() {
    let error = survives(ErrorKind::Decode, |pool| argument(pool, Moment::Decode, Fault::Panic));
    assert!(!error.may_have_run() && error.to_string().contains(STING), "{error}");
}

fn crash_04_exit_while_the_argument_is_decoded() {
    let error = dies(|pool| argument(pool, Moment::Decode, Fault::Exit(0)));
    assert_eq!((error.exit_code(), error.signal()), (Some(0), None));
}

fn crash_05_error_while_the_argument_is_decoded() {
    let error = survives(ErrorKind::Decode, |pool| argument(pool, Moment::Decode, Fault::Error));
    assert!(!error.may_have_run() && error.to_string().contains(STING), "{error}");
}

fn crash_06_segfault_while_the_argument_is_decoded() {
    let error = dies(|pool| argument(pool, Moment::Decode, Fault::Segfault));
    assert_eq!((error.exit_code(), error.signal()), (None, Some(libc::SIGSEGV)));
}

fn crash_07_segfault_in_the_function() {
    let error = dies(|pool| die.bind(Death::NullWrite).on(pool).run());
    assert_eq!((error.exit_code(), error.signal()), (None, Some(libc::SIGSEGV)));
}

fn crash_08_panic_in_the_function() {
    let error = survives(ErrorKind::Panic, |pool| panic_with.bind("as told").on(pool).run());
    assert_eq!(error.panic_message(), Some("as told"));
}

fn crash_09_exit_in_the_function() {
    let error = dies(|pool| die.bind(Death::ExitNow(0)).on(pool).run());
    assert_eq!((error.exit_code(), error.signal()), (Some(0), None));
}

#[loky::task]
fn refuse() -> Result<u32, String> {
    Err("not today".to_owned())
}

fn crash_10_error_from_the_function() {
    let pool = pool_of(2);
    let worker = pid.bind().on(&pool).run().expect("a worker");
    assert_eq!(refuse.bind().on(&pool).run().expect("the call succeeds"), Err("not today".to_owned()));
    assert_eq!(pid.bind().on(&pool).run().expect("the worker lives"), worker);
}

fn crash_11_segfault_while_the_result_is_encoded() {
    let error = dies(|pool| give_thorn.bind(Moment::Encode, Fault::Segfault).on(pool).run());
    assert_eq!((error.exit_code(), error.signal()), (None, Some(libc::SIGSEGV)));
}

fn crash_12_panic_while_the_result_is_encoded() {
    let error = survives(ErrorKind::Encode, |pool| give_thorn.bind(Moment::Encode, Fault::Panic).on(pool).run());
    assert!(error.may_have_run() && error.to_string().contains(STING), "{error}");
}

fn crash_13_exit_while_the_result_is_encoded() {
    let error = dies(|pool| give_thorn.bind(Moment::Encode, Fault::Exit(0)).on(pool).run());
    assert_eq!((error.exit_code(), error.signal()), (Some(0), None));
}

fn crash_14_error_while_the_result_is_encoded() {
    let error = survives(ErrorKind::Encode, |pool| give_thorn.bind(Moment::Encode, Fault::Error).on(pool).run());
    assert!(error.may_have_run() && error.to_string().contains(STING), "{error}");
}

fn crash_15_panic_while_the_result_is_decoded() {
    let error = survives(ErrorKind::Decode, |pool| give_thorn.bind(Moment::Decode, Fault::Panic).on(pool).run());
    assert!(error.may_have_run() && error.to_string().contains(STING), "{error}");
}

fn crash_16_error_while_the_result_is_decoded() {
    let error = survives(ErrorKind::Decode, |pool| give_thorn.bind(Moment::Decode, Fault::Error).on(pool).run());
    assert!(error.may_have_run() && error.to_string().contains(STING), "{error}");
}

fn ser_01_bad_arguments_and_an_immediate_shutdown() {
    for fault in [Fault::Error, Fault::Panic] {
        for _ in 0..5 {
            let pool = pool_of(4);
            let handle = take_thorn.bind(Thorn::new(Moment::Encode, fault)).on(&pool).spawn();
            pool.shutdown();
            fails(handle.join(), ErrorKind::Encode);
        }
    }
}

fn argument(pool: &Pool, moment: Moment, fault: Fault) -> Result<u32, Error> {
    take_thorn.bind(Thorn::new(moment, fault)).on(pool).run()
}

/// The call fails, its worker lives, and the pool serves the next call.
#[track_caller]
fn survives<R: Debug>(kind: ErrorKind, call: impl FnOnce(&Pool) -> Result<R, Error>) -> Error {
    let pool = pool_of(2);
    let worker = pid.bind().on(&pool).run().expect("a worker");
    let error = fails(call(&pool), kind);
    assert_eq!(pid.bind().on(&pool).run().expect("the pool goes on"), worker, "the worker lives");
    assert_eq!(procfs::workers(), [worker], "and no other was needed");
    error
}

/// The call kills its worker, and the pool serves the next call with another one.
#[track_caller]
fn dies<R: Debug>(call: impl FnOnce(&Pool) -> Result<R, Error>) -> Error {
    let pool = pool_of(2);
    let worker = pid.bind().on(&pool).run().expect("a worker");
    let error = fails(call(&pool), ErrorKind::Crash);
    assert!(error.is_crash() && error.may_have_run());
    assert_eq!((error.pid(), error.attempt()), (Some(worker), Some(1)));
    assert_eq!(square.bind(3).on(&pool).run().expect("the pool goes on"), 9);
    assert_ne!(pid.bind().on(&pool).run().expect("the pool goes on"), worker);
    error
}
