//! Whole programs whose trace and report the cases read, and how to run them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use loky::Pool;
use loky::prelude::*;
use loky_tests::tasks::{Death, add, die, pid, sleep_for, spin, square, survive_from};
use loky_tests::{Gate, Program, ms, program, programs, scratch};
use serde_json::Value;

pub(crate) const PROGRAMS: &[Program] =
    programs![mixed, without_shutdown, two_pools, nested, aborts, plain, many, ends_by_exit];

/// What `mixed` spawns, by the outcome of the call.
pub(crate) const SUCCEEDED: u64 = 12 + 1 + 5;
pub(crate) const CALLS: u64 = SUCCEEDED + 4;

/// What a task says before it dies. A page must not take it for its own.
pub(crate) const LAST_WORDS: &str = "the last words </script><img src=x onerror=alert(1)> & \"more\"";

/// Dies after having said something.
#[loky::task]
fn die_with_words() {
    eprintln!("{LAST_WORDS}");
    die(Death::Abort);
}

/// Panics with what could be markup.
#[loky::task]
fn refuse(what: &str) {
    panic!("<b>{what}</b>");
}

/// Calls that end in all kinds of ways, in a pool of two that is shut down.
fn mixed() {
    let pool = Pool::builder().workers(2).name("mixed <pool>").build().expect("a pool");
    let squares: Vec<_> = (0..12).map(|x| square.bind(x).on(&pool).spawn()).collect();
    loky::join_all(squares).expect("calls");
    survive_from.bind(2, Gate::of_the_case("tries")).on(&pool).retries(3).run().expect("the second try");
    for _ in 0..5 {
        sleep_for.bind(ms(20)).on(&pool).run().expect("a call");
    }
    refuse.bind("it").on(&pool).run().expect_err("it panics");
    die_with_words.bind().on(&pool).run().expect_err("it dies");
    sleep_for.bind(ms(60_000)).on(&pool).timeout(ms(30)).run().expect_err("it takes too long");
    let gate = Gate::of_the_case("tries");
    let gone = spin.bind(gate.clone()).on(&pool).spawn();
    gate.await_arrivals(3);
    gone.cancel();
    gone.join().expect_err("it was cancelled");
    pool.shutdown();
}

/// Uses the pool of the program, and says nothing when it ends.
fn without_shutdown() {
    for x in 0..10 {
        square.bind(x).run().expect("a call");
    }
}

/// The same, and does not return from `main` either.
fn ends_by_exit() {
    without_shutdown();
    std::process::exit(0)
}

fn two_pools() {
    for name in ["first", "second"] {
        let pool = Pool::builder().workers(2).name(name).build().expect("a pool");
        for x in 0..4 {
            add.bind(x, 1).on(&pool).run().expect("a call");
        }
        pool.shutdown();
    }
}

/// Has a pool of its own.
#[loky::task]
fn outer(calls: u64) -> u32 {
    let pool = Pool::builder().workers(1).name("inner").build().expect("a pool");
    for x in 0..calls {
        square.bind(x).on(&pool).run().expect("a call");
    }
    pool.shutdown();
    std::process::id()
}

fn nested() {
    let pool = Pool::builder().workers(1).name("outer").build().expect("a pool");
    println!("{}", outer.bind(3).on(&pool).run().expect("a call"));
    pool.shutdown();
}

/// Waits until the case has seen what there is, and ends badly.
fn aborts() {
    let gate = Gate::of_the_case("gate");
    for x in 0..10 {
        square.bind(x).run().expect("a call");
    }
    gate.arrive("done");
    gate.pass();
    std::process::abort()
}

fn plain() {
    let pool = Pool::builder().workers(1).build().expect("a pool");
    println!("{}", pid.bind().on(&pool).run().expect("a call") > 0);
    pool.shutdown();
}

/// More calls than a page shows one by one.
fn many() {
    let pool = Pool::builder().workers(2).name("many").build().expect("a pool");
    for _ in 0..8 {
        let handles: Vec<_> = (0..1000).map(|x| square.bind(x).on(&pool).spawn()).collect();
        loky::join_all(handles).expect("calls");
    }
    pool.shutdown();
}

/// A program of this binary whose variable names a file of the case.
pub(crate) fn showing(name: &str, variable: &str, path: &Path) -> Command {
    let mut command = program(name);
    command.env_remove("LOKY_TRACE").env_remove("LOKY_REPORT").env(variable, path);
    command
}

/// Runs it to its end. Returns the file.
pub(crate) fn shown(name: &str, variable: &str, file: &str) -> PathBuf {
    let path = scratch().join(file);
    let output = run(&mut showing(name, variable, &path));
    assert!(output.status.success(), "{output:?}");
    path
}

pub(crate) fn run(command: &mut Command) -> Output {
    command.output().expect("a program of this binary")
}

/// All events of a trace.
pub(crate) fn events(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("there is a trace");
    let events: Vec<Value> = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}: {text}"));
    for event in &events {
        let is_whole = event["ph"].is_string() && event["pid"].is_u64() && event["name"].is_string();
        assert!(is_whole && (event["ph"] == "M" || event["ts"].is_f64()), "{event}");
    }
    events
}
