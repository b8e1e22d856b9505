//! A worker of a test has what a worker of a program has.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use loky::prelude::*;

#[loky::task]
fn own(x: u8) -> u8 {
    x * 2
}

#[test]
fn has_the_tasks_of_the_test() {
    assert_eq!(own.run(4).unwrap(), 8);
    assert_eq!((0..100).map(|x| (x, 1)).par_map(plain::add).unwrap_all()[99], 100);
}

/// How often each of two constructors was called.
static CALLS: [AtomicU32; 2] = [const { AtomicU32::new(0) }; 2];

extern "C" fn construct_first() {
    CALLS[0].fetch_add(1, Ordering::SeqCst);
}

extern "C" fn construct_last() {
    CALLS[1].fetch_add(1, Ordering::SeqCst);
}

#[used]
#[unsafe(link_section = ".init_array.200")]
static FIRST: extern "C" fn() = construct_first;

/// Some linkers put a priority beyond the highest one behind everything else, so behind the library's own.
#[used]
#[unsafe(link_section = ".init_array.99999")]
static LAST: extern "C" fn() = construct_last;

#[loky::task]
fn calls_of_constructors() -> Vec<u32> {
    CALLS.iter().map(|calls| calls.load(Ordering::SeqCst)).collect()
}

#[test]
fn every_constructor_was_called_once() {
    assert_eq!(calls_of_constructors(), [1, 1]);
    assert_eq!(calls_of_constructors.run().unwrap(), [1, 1]);
}

#[test]
fn copies_of_a_zygote_have_it_too() {
    let pool = loky::Pool::builder().workers(3).zygote(true).build().unwrap();
    pool.warm_up();
    for pid in pool.stats().pids {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap();
        assert!(environment.windows(12).any(|bytes| bytes == b"LOKY_ZYGOTE="), "{pid} is a copy");
    }
    assert_eq!(calls_of_constructors.bind().on(&pool).run().unwrap(), [1, 1]);
    assert_eq!(plain::add.bind(1, 2).on(&pool).run().unwrap(), 3);
    pool.shutdown();
}

#[loky::task]
fn writes_to_nobody() -> String {
    let mut child = Command::new("true").stdin(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    child.wait().unwrap();
    pipe.write_all(b"?").unwrap_err().kind().to_string()
}

#[test]
fn a_broken_pipe_is_an_error() {
    assert_eq!(writes_to_nobody.run().unwrap(), "broken pipe");
}

#[loky::task]
fn nests(depth: u32) -> u32 {
    if depth == 0 { 0 } else { nests.run(depth - 1).unwrap() + 1 }
}

#[test]
fn a_task_may_spawn_tasks() {
    assert_eq!(nests.run(2).unwrap(), 2);
}

#[loky::task]
fn arguments() -> Vec<String> {
    std::env::args().skip(1).collect()
}

#[test]
fn has_the_arguments_of_the_test() {
    assert_eq!(arguments.run().unwrap(), arguments());
}

#[loky::task]
fn streams() -> [PathBuf; 2] {
    [1, 2].map(|number| std::fs::read_link(format!("/proc/self/fd/{number}")).unwrap())
}

#[test]
fn does_not_hold_the_streams_of_the_test() {
    let ([output, error], ours) = (streams.run().unwrap(), streams());
    assert!(!ours.contains(&output) && !ours.contains(&error), "{output:?} and {error:?}, and here {ours:?}");
}

#[test]
fn begins_by_hand_as_well() {
    loky::init();
    assert!(!loky::is_worker());
}

#[test]
fn a_program_with_main_works_as_well() {
    let output = Command::new(env!("CARGO_BIN_EXE_program")).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    assert_eq!(said, "sum 42\nprogram on output\n");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "program on error\n");
}

#[loky::task]
fn recurses(depth: u64) -> u64 {
    if std::hint::black_box(depth) == 0 { 0 } else { recurses(depth + 1) + std::hint::black_box(depth) }
}

#[test]
fn a_stack_overflow_costs_one_call() {
    let error = recurses.run(1).unwrap_err();
    assert!(error.is_crash() && error.to_string().contains("SIGABRT"), "{error}");
    assert!(error.stderr_tail().unwrap().contains("has overflowed its stack"), "{error}");
}
