//! Deaths that look like something else: stopped workers, held and closed descriptors, forks and execs of a worker.

use std::process::Command;
use std::thread;

use loky::prelude::*;
use loky::{CallStatus, ErrorKind};
use loky_tests::sys::signal;
use loky_tests::tasks::{bytes, meet, pid, sleep_for, square};
use loky_tests::{Case, Gate, cases, eventually, fails, ms, pool_of, procfs, soon, sys};
use nix::sys::signal::Signal;
use std::os::unix::process::CommandExt;

pub(crate) const CASES: &[Case] = cases![
    crash_28_stopped_in_a_result_then_killed,
    crash_30_a_result_that_got_out_counts,
    crash_31_a_destructor_that_aborts_after_the_result,
    crash_41_a_grandchild_that_holds_everything_open,
    crash_42_the_worker_closes_everything,
    crash_43_the_worker_forks,
    crash_44_the_worker_becomes_another_program,
    signal_01_an_interrupt_is_ignored,
    signal_14_a_stopped_worker_continues,
    signal_14_a_stopped_worker_is_killed_by_its_limit,
];

fn crash_28_stopped_in_a_result_then_killed() {
    let pool = pool_of(1);
    for round in 0..5 {
        let worker = pid.bind().on(&pool).run().expect("a worker");
        let handle = bytes.bind(64 << 20).on(&pool).spawn();
        eventually("it runs", || handle.status() != CallStatus::Queued);
        thread::sleep(ms(5 * round));
        signal(worker, Signal::SIGSTOP);
        thread::sleep(ms(20));
        signal(worker, Signal::SIGKILL);
        match handle.join() {
            Ok(result) => assert_eq!(result.0.len(), 64 << 20),
            Err(error) => assert_eq!((error.kind(), error.signal()), (ErrorKind::Crash, Some(9)), "{error}"),
        }
    }
    assert_eq!(square.bind(3).on(&pool).run().expect("the pool goes on"), 9);
}

#[loky::task]
fn die_later(gate: Gate) -> u64 {
    thread::spawn(move || {
        gate.pass();
        std::process::abort();
    });
    11
}

fn crash_30_a_result_that_got_out_counts() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let worker = pid.bind().on(&pool).run().expect("a worker");
    let handle = die_later.bind(gate.clone()).on(&pool).spawn();
    assert!(handle.wait_timeout(ms(20_000)));
    gate.open();
    soon("the worker is dead and reaped", ms(5000), || procfs::process(worker).is_none());
    assert_eq!(handle.join().expect("the result was there before"), 11);
    assert_ne!(pid.bind().on(&pool).run().expect("the next one is not blamed"), worker);
}

struct AbortsInDrop(bool);

impl Drop for AbortsInDrop {
    fn drop(&mut self) {
        if self.0 && loky::is_worker() {
            std::process::abort();
        }
    }
}

impl serde::Serialize for AbortsInDrop {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(self.0)
    }
}

impl<'de> serde::Deserialize<'de> for AbortsInDrop {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::Deserialize::deserialize(deserializer).map(Self)
    }
}

#[loky::task]
fn take_bomb(bomb: &AbortsInDrop) -> bool {
    bomb.0
}

fn crash_31_a_destructor_that_aborts_after_the_result() {
    let pool = pool_of(1);
    for _ in 0..10 {
        let bomb = take_bomb.bind(&AbortsInDrop(true)).on(&pool).spawn();
        let next: Vec<_> = (0..5).map(|x| square.bind(x).on(&pool).spawn()).collect();
        match bomb.join() {
            Ok(value) => assert!(value),
            Err(error) => assert!(error.is_crash(), "{error}"),
        }
        let next = loky::join_all(next).expect("the next ones are not blamed");
        assert_eq!(next, [0, 1, 4, 9, 16]);
    }
}

#[loky::task]
fn leave_a_child_and_abort() {
    // Neither waited for nor killed: it inherits whatever the worker failed to keep from it.
    drop(Command::new("sleep").arg("5001").spawn().expect("sleep can be started"));
    std::process::abort();
}

fn crash_41_a_grandchild_that_holds_everything_open() {
    let pool = pool_of(1);
    let before = std::time::Instant::now();
    fails(leave_a_child_and_abort.bind().on(&pool).run(), ErrorKind::Crash);
    assert!(before.elapsed() < ms(4000), "the death was seen though the grandchild lives: {:?}", before.elapsed());
    assert_eq!(square.bind(3).on(&pool).run().expect("the pool goes on"), 9);
    let children = procfs::all().into_iter().filter(|process| process.command_line().starts_with("sleep\x005001"));
    // It had no parent left that could have ended it: that is the case's business.
    children.for_each(|child| signal(child.pid, Signal::SIGKILL));
}

#[loky::task]
fn close_everything() {
    let open: Vec<i32> = procfs::descriptors().into_keys().filter(|number| *number > 2).collect();
    open.into_iter().for_each(sys::close);
    thread::sleep(ms(300));
}

fn crash_42_the_worker_closes_everything() {
    let pool = pool_of(1);
    let worker = pid.bind().on(&pool).run().expect("a worker");
    match close_everything.bind().on(&pool).run() {
        // The answer needs no descriptor; what comes after it does.
        Ok(()) => {}
        Err(error) => assert_eq!((error.kind(), error.pid()), (ErrorKind::Crash, Some(worker)), "{error}"),
    }
    soon("it is dead and reaped", ms(1000), || procfs::process(worker).is_none());
    assert_eq!(square.bind(3).on(&pool).run().expect("the pool goes on"), 9);
}

#[loky::task]
fn answer_twice() -> bool {
    // The child returns from the task as well, and would send a second answer over the same link.
    sys::fork_here()
}

fn crash_43_the_worker_forks() {
    let pool = pool_of(1);
    for round in 0..5 {
        let is_parent = answer_twice.bind().on(&pool).run().expect("an answer");
        assert!(is_parent, "the worker's own answer, and not that of its fork");
        assert_eq!(square.bind(round).on(&pool).run().expect("the stream is not mixed up"), round * round);
    }
}

#[loky::task]
fn become_another() {
    let error = Command::new("sleep").arg("5002").exec();
    panic!("{error}");
}

fn crash_44_the_worker_becomes_another_program() {
    let pool = pool_of(1);
    let worker = pid.bind().on(&pool).run().expect("a worker");
    let error = fails(become_another.bind().on(&pool).run(), ErrorKind::Crash);
    assert_eq!(error.pid(), Some(worker));
    soon("the other program is gone too", ms(1000), || procfs::process(worker).is_none());
    assert_eq!(square.bind(3).on(&pool).run().expect("the pool goes on"), 9);
}

fn signal_01_an_interrupt_is_ignored() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let worker = pid.bind().on(&pool).run().expect("a worker");
    signal(worker, Signal::SIGINT);
    let busy = meet.bind(gate.clone(), 8).on(&pool).spawn();
    gate.await_arrivals(1);
    signal(worker, Signal::SIGINT);
    gate.open();
    assert_eq!(busy.join().expect("Ctrl-C is the program's business"), 8);
    assert_eq!(pid.bind().on(&pool).run().expect("the same worker"), worker);
}

fn signal_14_a_stopped_worker_continues() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let held = meet.bind(gate.clone(), 8).on(&pool).spawn();
    let worker = gate.await_arrivals(1)[0].parse().expect("a pid");
    signal(worker, Signal::SIGSTOP);
    gate.open();
    assert!(!held.wait_timeout(ms(100)), "it is stopped");
    signal(worker, Signal::SIGCONT);
    assert_eq!(held.join().expect("it was only stopped"), 8);
}

fn signal_14_a_stopped_worker_is_killed_by_its_limit() {
    let pool = pool_of(1);
    let worker = pid.bind().on(&pool).run().expect("a worker");
    let slow = sleep_for.bind(ms(30_000)).on(&pool).timeout(ms(300)).spawn();
    eventually("it runs", || slow.status() == CallStatus::Running);
    signal(worker, Signal::SIGSTOP);
    fails(slow.join(), ErrorKind::Timeout);
    let held = sleep_for.bind(ms(30_000)).on(&pool).spawn();
    eventually("it runs", || held.status() == CallStatus::Running);
    signal(procfs::workers()[0], Signal::SIGSTOP);
    let before = std::time::Instant::now();
    pool.shutdown_now();
    assert!(before.elapsed() < ms(4000), "{:?}", before.elapsed());
    fails(held.join(), ErrorKind::Shutdown);
}
