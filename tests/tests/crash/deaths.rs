//! Each way to die is an error of its own, with all its evidence.

use loky::prelude::*;
use loky::{Error, ErrorKind};
use loky_tests::sys::signal;
use loky_tests::tasks::{Death, die, meet, panic_with, pid, square};
use loky_tests::{Case, Gate, cases, fails, pool_of};
use nix::libc;
use nix::sys::signal::Signal;

pub(crate) const CASES: &[Case] = cases![
    exc_18_abort_is_a_signal,
    exc_18_exit_is_a_code,
    crash_18_a_silent_exit_is_a_code,
    crash_07_a_null_write_is_a_signal,
    exc_19_a_stack_overflow_shows_its_last_words,
    crash_17_a_signal_from_outside,
    crash_17_every_deadly_signal_is_named,
    exc_01_a_panic_tells_message_and_place,
    exc_04_panic_payloads_of_all_kinds,
    exc_05_a_panic_while_panicking_is_a_crash,
    exc_23_last_words_are_those_of_the_call,
    exc_17_a_clone_of_an_error_shows_the_same,
];

/// Lets a worker die and checks what every such error must show; the pool serves the next call.
#[track_caller]
fn error_of(death: Death) -> Error {
    let pool = pool_of(1);
    let worker = pid.bind().on(&pool).run().expect("a worker");
    let error = fails(die.bind(death).on(&pool).run(), ErrorKind::Crash);
    assert_eq!(error.pid(), Some(worker));
    assert_eq!(error.attempt(), Some(1));
    assert!(error.task().is_some_and(|task| task.ends_with("die")), "{:?}", error.task());
    assert!(error.is_crash() && !error.is_panic() && !error.is_timeout() && !error.is_cancelled());
    assert!(error.may_have_run());
    assert!(error.panic_message().is_none() && error.panic_location().is_none() && error.backtrace().is_none());
    assert!(error.to_string().contains(&format!("pid {worker}")), "{error}");
    assert_eq!(square.bind(4).on(&pool).run().expect("the pool serves the next call"), 16);
    error
}

fn exc_18_abort_is_a_signal() {
    let error = error_of(Death::Abort);
    assert_eq!((error.signal(), error.exit_code()), (Some(libc::SIGABRT), None));
    assert!(error.to_string().contains("SIGABRT"), "{error}");
}

fn exc_18_exit_is_a_code() {
    let error = error_of(Death::Exit(3));
    assert_eq!((error.signal(), error.exit_code()), (None, Some(3)));
    assert!(error.to_string().contains('3'), "{error}");
}

fn crash_18_a_silent_exit_is_a_code() {
    for code in [0, 42, 255] {
        let error = error_of(Death::ExitNow(code));
        assert_eq!((error.signal(), error.exit_code()), (None, Some(code)));
        assert!(error.to_string().contains(&code.to_string()), "{error}");
    }
}

fn crash_07_a_null_write_is_a_signal() {
    let error = error_of(Death::NullWrite);
    assert_eq!((error.signal(), error.exit_code()), (Some(libc::SIGSEGV), None));
    assert!(error.to_string().contains("SIGSEGV"), "{error}");
}

fn exc_19_a_stack_overflow_shows_its_last_words() {
    let error = error_of(Death::StackOverflow);
    assert!([Some(libc::SIGABRT), Some(libc::SIGSEGV)].contains(&error.signal()), "{error:?}");
    let tail = error.stderr_tail().expect("the runtime says something before it aborts");
    assert!(tail.contains("overflowed its stack"), "{tail}");
}

fn crash_17_a_signal_from_outside() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let handle = meet.bind(gate.clone(), 1).on(&pool).spawn();
    let next = square.bind(5).on(&pool).spawn();
    let worker: u32 = gate.await_arrivals(1)[0].parse().expect("a pid");
    signal(worker, Signal::SIGKILL);
    let error = fails(handle.join(), ErrorKind::Crash);
    assert_eq!((error.signal(), error.pid(), error.attempt()), (Some(libc::SIGKILL), Some(worker), Some(1)));
    assert!(error.task().is_some_and(|task| task.ends_with("meet")), "{:?}", error.task());
    assert!(error.to_string().contains("SIGKILL"), "{error}");
    assert_eq!(next.join().expect("the queue goes on"), 25);
}

fn crash_17_every_deadly_signal_is_named() {
    for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGILL, Signal::SIGFPE, Signal::SIGUSR1, Signal::SIGKILL] {
        let error = error_of(Death::Signal(signal as i32));
        assert_eq!((error.signal(), error.exit_code()), (Some(signal as i32), None));
        assert!(error.to_string().contains(signal.as_str()), "{error}");
    }
}

#[loky::task]
fn panic_where_it_says() {
    panic!("{}:{}", file!(), line!());
}

fn exc_01_a_panic_tells_message_and_place() {
    let pool = pool_of(1);
    let worker = pid.bind().on(&pool).run().expect("a worker");
    let error = fails(panic_where_it_says.bind().on(&pool).run(), ErrorKind::Panic);
    let message = error.panic_message().expect("a panic has a message").to_owned();
    let (place, column) = error.panic_location().expect("and a place").rsplit_once(':').expect("file:line:column");
    assert_eq!(place, message);
    column.parse::<u32>().expect("a column");
    assert!(error.is_panic() && error.may_have_run() && !error.is_crash());
    assert_eq!((error.pid(), error.attempt(), error.signal(), error.exit_code()), (Some(worker), Some(1), None, None));
    assert!(error.task().is_some_and(|task| task.ends_with("panic_where_it_says")), "{:?}", error.task());
    assert!(error.to_string().contains(&message), "{error}");
    assert_eq!(pid.bind().on(&pool).run().expect("the worker lives"), worker);
}

#[loky::task]
fn panic_with_a_number() {
    std::panic::panic_any(7_u64);
}

fn exc_04_panic_payloads_of_all_kinds() {
    let pool = pool_of(1);
    let said = |message: &str| {
        let error = fails(panic_with.bind(message).on(&pool).run(), ErrorKind::Panic);
        error.panic_message().map(str::to_owned)
    };
    assert_eq!(said("text").as_deref(), Some("text"));
    assert_eq!(said("").as_deref(), Some(""), "an error without words is one too");
    assert_eq!(said("two\nlines").as_deref(), Some("two\nlines"));
    let long = "x".repeat(100_000);
    assert!(said(&long).is_some_and(|said| said.starts_with("xxx")));
    let odd = fails(panic_with_a_number.bind().on(&pool).run(), ErrorKind::Panic);
    assert!(odd.panic_message().is_some() && odd.panic_location().is_some_and(|place| place.contains("deaths.rs")));
}

struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic!("a second panic");
    }
}

#[loky::task]
fn panic_twice() {
    let _second = PanicsInDrop;
    panic!("a first panic");
}

fn exc_05_a_panic_while_panicking_is_a_crash() {
    let pool = pool_of(1);
    let error = fails(panic_twice.bind().on(&pool).run(), ErrorKind::Crash);
    assert_eq!(error.signal(), Some(libc::SIGABRT));
    assert!(error.stderr_tail().is_some_and(|tail| tail.contains("a second panic")), "{:?}", error.stderr_tail());
    assert_eq!(square.bind(4).on(&pool).run().expect("the pool goes on"), 16);
}

#[loky::task]
fn say(words: &str) {
    eprintln!("{words}");
}

#[loky::task]
fn say_and_abort(words: &str) {
    eprintln!("{words}");
    std::process::abort();
}

fn exc_23_last_words_are_those_of_the_call() {
    let pool = pool_of(1);
    say.bind("of an earlier call").on(&pool).run().expect("it only speaks");
    let tail = |words: &str| {
        let error = fails(say_and_abort.bind(words).on(&pool).run(), ErrorKind::Crash);
        error.stderr_tail().unwrap_or_default().to_owned()
    };
    assert!(tail("of this call").contains("of this call"));
    let long = format!("{}the end", "x".repeat(100_000));
    let last = tail(&long);
    assert!(last.trim_end().ends_with("the end") && last.len() <= 4096, "{} bytes", last.len());
    assert!(!tail("of a new worker").contains("the end"), "a new worker has a tail of its own");
}

fn exc_17_a_clone_of_an_error_shows_the_same() {
    let error = error_of(Death::ExitNow(7));
    let copies: Vec<String> = (0..3).map(|_| format!("{error} {:?}", error.clone())).collect();
    assert!(copies.iter().all(|copy| *copy == copies[0]), "looking changes nothing: {copies:?}");
    fn assert_bounds<T: std::error::Error + Send + Sync + 'static>(_: &T) {}
    assert_bounds(&error);
}
