//! Signals to workers and to the zygote.

use std::time::{Duration, Instant};

use loky::prelude::*;
use loky::{CallStatus, ErrorKind, Pool};
use loky_tests::sys::signal;
use loky_tests::tasks::{add, meet, pid, sleep_for, square};
use loky_tests::{Case, Gate, Program, cases, eventually, fails, ms, pool_of, procfs, stays};
use nix::sys::signal::Signal::{SIGCONT, SIGINT, SIGKILL, SIGSTOP, SIGTERM};

pub(crate) const CASES: &[Case] = cases![
    signal_02_a_busy_worker_ignores_an_interrupt,
    signal_06_a_worker_dies_of_sigterm,
    signal_08_a_zygote_ignores_both,
    signal_08_copies_do_not,
    signal_09_a_zygote_that_is_killed_is_replaced,
    signal_14_stopped_and_continued_at_any_time,
    signal_14_a_stopped_worker_does_not_hold_up_a_forced_shutdown,
    signal_30_workers_that_are_hit_while_they_start,
];

pub(crate) const PROGRAMS: &[Program] = &[];

fn signal_02_a_busy_worker_ignores_an_interrupt() {
    for zygote in [false, true] {
        let pool = Pool::builder().workers(1).zygote(zygote).build().expect("a pool");
        pool.warm_up();
        let gate = Gate::new(if zygote { "copied" } else { "started" });
        let busy = meet.bind(gate.clone(), 8).on(&pool).spawn();
        let worker: u32 = gate.await_arrivals(1)[0].parse().expect("a pid");
        for _ in 0..20 {
            signal(worker, SIGINT);
        }
        gate.open();
        assert_eq!(busy.join().expect("it is the program's business"), 8);
        assert_eq!(pid.bind().on(&pool).run().expect("the same worker"), worker);
    }
}

fn signal_06_a_worker_dies_of_sigterm() {
    let pool = pool_of(1);
    let gate = Gate::new("gate");
    let busy = meet.bind(gate.clone(), 8).on(&pool).spawn();
    let worker: u32 = gate.await_arrivals(1)[0].parse().expect("a pid");
    signal(worker, SIGTERM);
    let error = fails(busy.join(), ErrorKind::Crash);
    assert_eq!((error.signal(), error.pid()), (Some(SIGTERM as i32), Some(worker)));
    assert!(error.to_string().contains("was killed by SIGTERM"), "{error}");
    assert_eq!(square.bind(3).on(&pool).run().expect("the pool goes on"), 9);
}

fn with_zygote() -> Pool {
    let pool = Pool::builder().workers(2).zygote(true).build().expect("a pool");
    pool.warm_up();
    assert_eq!(square.bind(3).on(&pool).run().expect("a call"), 9);
    eventually("there is a zygote", || zygote().is_some());
    pool
}

fn zygote() -> Option<u32> {
    let children = procfs::children(std::process::id()).into_iter();
    children.filter(|child| child.command_line().contains("[loky: zygote of ")).map(|child| child.pid).next()
}

fn signal_08_a_zygote_ignores_both() {
    let pool = with_zygote();
    let before = zygote().expect("it is there");
    eventually("it is ready", || crate::course::is_caught(before, SIGTERM));
    for _ in 0..20 {
        signal(before, SIGINT);
        signal(before, SIGTERM);
    }
    stays("it lives", ms(200), || zygote() == Some(before));
    pool.resize(4);
    pool.warm_up();
    assert_eq!(pool.stats().live, 4, "and makes workers");
    assert_eq!(zygote(), Some(before));
}

fn signal_08_copies_do_not() {
    let pool = with_zygote();
    let worker = pid.bind().on(&pool).run().expect("a worker");
    assert!(!crate::course::is_caught(worker, SIGTERM));
    signal(worker, SIGTERM);
    eventually("it dies of it, as any worker", || procfs::process(worker).is_none());
}

fn signal_09_a_zygote_that_is_killed_is_replaced() {
    let pool = with_zygote();
    let before = zygote().expect("it is there");
    signal(before, SIGKILL);
    eventually("it is reaped", || procfs::process(before).is_none());
    assert_eq!(add.bind(1, 2).on(&pool).run().expect("its copies live on"), 3);
    eventually("a call starts another one", || zygote().is_some_and(|zygote| zygote != before));
}

fn signal_14_stopped_and_continued_at_any_time() {
    let pool = pool_of(2);
    pool.warm_up();
    let workers = procfs::workers();
    let calls: Vec<_> = (0..40).map(|number| square.bind(number).on(&pool).spawn()).collect();
    let slow: Vec<_> = (0..4).map(|_| sleep_for.bind(ms(50)).on(&pool).spawn()).collect();
    for round in 0..20 {
        let worker = workers[round % 2];
        signal(worker, SIGSTOP);
        std::thread::sleep(ms(3));
        signal(worker, SIGCONT);
    }
    assert!(loky::join_all(calls).expect("no call is lost").into_iter().eq((0..40).map(|number| number * number)));
    loky::join_all(slow).expect("no call is lost");
    assert_eq!(procfs::workers(), workers, "and nobody has died");
}

fn signal_14_a_stopped_worker_does_not_hold_up_a_forced_shutdown() {
    let took = || {
        let pool = pool_of(1);
        let worker = pid.bind().on(&pool).run().expect("a worker");
        let held = sleep_for.bind(ms(30_000)).on(&pool).spawn();
        eventually("it runs", || held.status() == CallStatus::Running);
        signal(worker, SIGSTOP);
        eventually("it is stopped", || procfs::process(worker).is_some_and(|process| process.state == 'T'));
        let before = Instant::now();
        pool.shutdown_now();
        let took = before.elapsed();
        fails(held.join(), ErrorKind::Shutdown);
        took
    };
    // What a busy machine adds is nobody's fault.
    let best = (0..10).map(|_| took()).min().expect("ten times");
    assert!(best <= Duration::from_millis(100), "{best:?}");
}

fn signal_30_workers_that_are_hit_while_they_start() {
    let count = loky_tests::scratch().join("count");
    let builder = Pool::builder().workers(1).env("LOKY_TESTS_INTERRUPTED_AT_START", &count);
    let pool = builder.build().expect("a pool");
    assert_eq!(square.bind(3).on(&pool).run().expect("that says nothing about the program"), 9);
    let starts = std::fs::metadata(count).expect("they count").len();
    assert_eq!(starts, loky_tests::sys::INTERRUPTED_AT_START + 1);
}
