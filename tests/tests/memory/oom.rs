//! Memory that is not there: allocations that fail, and the kernel's out-of-memory killer.

use std::hint::black_box;
use std::path::Path;
use std::thread;

use loky::prelude::*;
use loky::{Error, ErrorKind, Pool};
use loky_tests::cgroup::{MemoryCgroup, enter};
use loky_tests::tasks::{meet, pid, sleep_for, square};
use loky_tests::{Case, Gate, Program, cases, fails, ms, pool_of, program, programs, sys};
use nix::sys::signal::Signal;

pub(crate) const CASES: &[Case] = cases![
    exc_20_an_allocation_that_fails,
    exc_20_a_worker_taken_by_the_kernel_for_want_of_memory,
    exc_20_a_program_that_is_short_of_memory_as_a_whole,
    exc_20_a_call_that_is_taken_so_is_tried_again,
    exc_20_whoever_else_kills_a_worker_is_not_the_kernel,
];

pub(crate) const PROGRAMS: &[Program] = programs![starved];

const MIB: usize = 1 << 20;

/// What the cgroups have.
const LIMIT: u64 = 64 << 20;

/// Fills memory slowly enough to be looked at meanwhile.
#[loky::task]
fn fill(mib: usize) -> usize {
    let fill = |_| {
        thread::sleep(ms(2));
        black_box(vec![1_u8; MIB])
    };
    (0..mib).map(fill).collect::<Vec<_>>().len()
}

#[loky::task]
fn allocate(len: usize) -> usize {
    black_box(vec![0_u8; black_box(len)]).len()
}

fn exc_20_an_allocation_that_fails() {
    let pool = pool_of(1);
    let error = fails(allocate.bind(1 << 46).on(&pool).run(), ErrorKind::Crash);
    assert_eq!(error.signal(), Some(Signal::SIGABRT as i32), "{error}");
    assert!(error.stderr_tail().is_some_and(|tail| tail.contains("memory allocation of")), "{error:?}");
    assert_eq!(square.bind(3).on(&pool).run().expect("the pool goes on"), 9);
}

#[track_caller]
fn was_taken(error: &Error) {
    let text = error.to_string();
    assert_eq!(error.signal(), Some(Signal::SIGKILL as i32), "{text}");
    assert!(text.contains("was killed by SIGKILL, by the kernel's out-of-memory killer (`oom_kill` in /"), "{text}");
    assert!(text.contains("fewer workers, or a `memory_limit`") && error.may_have_run(), "{text}");
}

fn exc_20_a_worker_taken_by_the_kernel_for_want_of_memory() {
    let Some(cgroup) = MemoryCgroup::new("worker", LIMIT) else { return };
    let pool = Pool::builder().workers(1).memory_limit(1 << 40).build().expect("a pool");
    for _ in 0..2 {
        cgroup.take_in(pid.bind().on(&pool).run().expect("a worker"));
        let error = fails(fill.bind(200).on(&pool).run(), ErrorKind::Crash);
        was_taken(&error);
        assert!(error.to_string().contains("of private memory when it was last looked at"), "{error}");
        assert_eq!(square.bind(3).on(&pool).run().expect("the pool goes on"), 9);
    }
    pool.shutdown();
}

/// A program in a cgroup of its own, with a worker that wants more than there is.
fn starved() {
    let cgroup = std::env::var("CGROUP").expect("whoever starts this names one");
    enter(Path::new(&cgroup), std::process::id());
    let pool = pool_of(2);
    let neighbor = sleep_for.bind(ms(300)).on(&pool).spawn();
    let error = fails(fill.bind(200).on(&pool).run(), ErrorKind::Crash);
    was_taken(&error);
    assert!(error.to_string().contains(&cgroup), "its own cgroup is the witness: {error}");
    assert!(!error.to_string().contains("looked at"), "nobody has looked: {error}");
    neighbor.join().expect("it is small");
    pool.shutdown();
}

fn exc_20_a_program_that_is_short_of_memory_as_a_whole() {
    let Some(cgroup) = MemoryCgroup::new("program", 2 * LIMIT) else { return };
    let status = program("starved").env("CGROUP", cgroup.path()).status().expect("the program can be started");
    assert!(status.success(), "{status}");
}

fn exc_20_a_call_that_is_taken_so_is_tried_again() {
    let Some(cgroup) = MemoryCgroup::new("retries", LIMIT) else { return };
    let pool = pool_of(1);
    cgroup.take_in(pid.bind().on(&pool).run().expect("a worker"));
    let filled = fill.bind(200).on(&pool).retries(1).run();
    assert_eq!(filled.expect("the next worker is outside"), 200);
    pool.shutdown();
}

/// Other cases may have workers of theirs taken at this very moment, and a machine has one count of all.
fn is_told_apart(round: usize) -> bool {
    let (pool, gate) = (pool_of(1), Gate::new(&format!("gate {round}")));
    let call = meet.bind(gate.clone(), 1).on(&pool).spawn();
    sys::signal(gate.await_arrivals(1)[0].parse().expect("a pid"), Signal::SIGKILL);
    let error = fails(call.join(), ErrorKind::Crash);
    !error.to_string().contains("out-of-memory killer")
}

fn exc_20_whoever_else_kills_a_worker_is_not_the_kernel() {
    let is_so = |round| {
        thread::sleep(ms(100));
        is_told_apart(round)
    };
    assert!((0..20).any(is_so));
}
