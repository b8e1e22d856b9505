//! Only the call that was running is lost: neighbors, the queue and the pool go on.

use std::collections::BTreeSet;
use std::thread;

use loky::prelude::*;
use loky::{ErrorKind, Pool};
use loky_tests::sys::signal;
use loky_tests::tasks::{Blob, Death, arrive_and_die, bytes, die, echo, kill_process, meet, pid, square};
use loky_tests::{Case, Gate, Random, cases, eventually, fails, ms, pool_of, procfs, soon};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::de::DeserializeOwned;

pub(crate) const CASES: &[Case] = cases![
    crash_20_workers_kill_each_other,
    crash_22_a_neighbor_is_killed_during_shutdown,
    crash_23_a_crash_and_an_immediate_shutdown,
    crash_25_deaths_while_large_arguments_are_written,
    crash_26_killed_while_it_reads_a_large_argument,
    crash_26_killed_while_it_reads_a_long_row,
    crash_27_killed_while_it_writes_a_large_result,
    crash_27_killed_while_it_writes_a_long_row,
    crash_29_an_idle_worker_is_replaced_quietly,
    crash_37_one_of_a_hundred,
    crash_40_a_crash_after_the_pool_was_dropped,
    crash_46_all_workers_die_with_a_thousand_queued,
    crash_49_a_cancelled_call_in_the_queue_does_no_harm,
    crash_53_neighbors_of_the_dead_go_on,
    leak_10_a_hundred_crashes_leave_nothing: 120,
];

fn slay(pid: u32) {
    // It may have died by itself meanwhile.
    let _ = kill(Pid::from_raw(pid as i32), Signal::SIGKILL);
}

fn crash_20_workers_kill_each_other() {
    for count in [1, 2, 5] {
        let (pool, gate) = (pool_of(count), Gate::new(&format!("gate{count}")));
        let meetings: Vec<_> = (0..count).map(|_| meet.bind(gate.clone(), 0).on(&pool).spawn()).collect();
        let pids = gate.await_arrivals(count);
        gate.open();
        loky::join_all(meetings).expect("they met");
        let victims = pids.iter().rev().map(|pid| pid.parse().expect("a pid"));
        let kills: Vec<_> = victims.map(|victim| kill_process.bind(victim).on(&pool).spawn()).collect();
        for handle in kills {
            if let Err(error) = handle.join() {
                assert_eq!(error.signal(), Some(Signal::SIGKILL as i32), "{error}");
            }
        }
        assert_eq!(square.bind(3).on(&pool).run().expect("the pool goes on"), 9);
    }
}

fn crash_22_a_neighbor_is_killed_during_shutdown() {
    let (pool, gate) = (pool_of(2), Gate::new("gate"));
    let held = meet.bind(gate.clone(), 1).on(&pool).spawn();
    let victim = gate.await_arrivals(1)[0].parse().expect("a pid");
    let killer = kill_process.bind(victim).on(&pool).spawn();
    pool.shutdown();
    killer.join().expect("the killer lives");
    fails(held.join(), ErrorKind::Crash);
}

fn crash_23_a_crash_and_an_immediate_shutdown() {
    for _ in 0..10 {
        let pool = pool_of(2);
        let handle = die.bind(Death::Abort).on(&pool).spawn();
        pool.shutdown();
        fails(handle.join(), ErrorKind::Crash);
    }
}

#[loky::task]
fn die_with(_burden: Blob) {
    std::process::abort();
}

fn crash_25_deaths_while_large_arguments_are_written() {
    let pool = pool_of(2);
    let burden = Blob(vec![1; 5 << 20]);
    let handles: Vec<_> = (0..10).map(|_| die_with.bind(burden.clone()).on(&pool).spawn()).collect();
    for handle in handles {
        fails(handle.join(), ErrorKind::Crash);
    }
    assert_eq!(square.bind(3).on(&pool).run().expect("the pool goes on"), 9);
}

/// Kills the only worker at some moment of a call with a large argument or result, many times; gives how often that
/// was the end of the call. A worker that had not begun it is no loss to it.
fn kill_in_transfer<R: DeserializeOwned>(
    rounds: u64,
    spawn: impl Fn(&Pool) -> loky::JoinHandle<R>,
    is_whole: impl Fn(R) -> bool,
) -> usize {
    let mut random = Random::from_environment();
    let (pool, other) = (pool_of(1), pool_of(1));
    let mut crashed = 0;
    for round in 0..rounds {
        let victim = pid.bind().on(&pool).run().expect("a worker");
        let (handle, bystander) = (spawn(&pool), square.bind(round).on(&other).spawn());
        thread::sleep(random.span(ms(60)));
        slay(victim);
        match handle.join() {
            Ok(result) => assert!(is_whole(result), "round {round}"),
            Err(error) => {
                assert_eq!((error.kind(), error.signal()), (ErrorKind::Crash, Some(9)), "round {round}: {error}");
                crashed += 1;
            }
        }
        assert_eq!(bystander.join().expect("untouched"), round * round);
        assert_ne!(pid.bind().on(&pool).run().expect("a new worker"), victim);
    }
    crashed
}

const LARGE: usize = 32 << 20;

fn crash_26_killed_while_it_reads_a_large_argument() {
    let large = Blob(vec![1; LARGE]);
    kill_in_transfer(15, |pool| echo.bind(large.clone()).on(pool).spawn(), |back| back.0.len() == LARGE);
}

#[loky::task]
fn counted(from: u64, count: usize) -> Vec<u64> {
    (from..).take(count).collect()
}

#[loky::task]
fn turned(mut row: Vec<u64>) -> Vec<u64> {
    row.reverse();
    row
}

/// Whether every number is there, in its place.
fn is_whole(row: &[u64], from: u64) -> bool {
    row.len() == LARGE / 8 && row.iter().copied().eq((from..).take(LARGE / 8))
}

fn crash_26_killed_while_it_reads_a_long_row() {
    let row: Vec<u64> = (7..).take(LARGE / 8).collect();
    let is_back = |mut back: Vec<u64>| {
        back.reverse();
        is_whole(&back, 7)
    };
    kill_in_transfer(15, |pool| turned.bind(row.clone()).on(pool).spawn(), is_back);
}

fn crash_27_killed_while_it_writes_a_long_row() {
    let spawn = |pool: &Pool| counted.bind(3, LARGE / 8).on(pool).spawn();
    let crashed = kill_in_transfer(40, spawn, |row: Vec<u64>| is_whole(&row, 3));
    assert!(crashed > 0, "some were hit");
}

fn crash_27_killed_while_it_writes_a_large_result() {
    let spawn = |pool: &Pool| bytes.bind(LARGE).on(pool).spawn();
    let crashed = kill_in_transfer(40, spawn, |result: Blob| result.0.len() == LARGE);
    assert!(crashed > 0, "some were hit");
}

fn crash_29_an_idle_worker_is_replaced_quietly() {
    let pool = pool_of(1);
    for deadly in [Signal::SIGKILL, Signal::SIGTERM, Signal::SIGABRT] {
        let victim = pid.bind().on(&pool).run().expect("a worker");
        signal(victim, deadly);
        soon("it is dead and reaped", ms(1000), || procfs::process(victim).is_none());
        assert_ne!(pid.bind().on(&pool).run().expect("replaced, and nobody was blamed"), victim);
    }
    let victim = pid.bind().on(&pool).run().expect("a worker");
    slay(victim);
    let at_once = square.bind(4).on(&pool).spawn();
    match at_once.join() {
        Ok(value) => assert_eq!(value, 16),
        Err(error) => assert!(error.is_crash() && error.pid() == Some(victim), "only if it had begun: {error}"),
    }
}

fn crash_37_one_of_a_hundred() {
    let pool = pool_of(3);
    let handles: Vec<_> = (0..100)
        .map(|x| if x == 37 { die.bind(Death::Abort).on(&pool).spawn() } else { pid.bind().on(&pool).spawn() })
        .collect();
    let failed: Vec<_> =
        handles.into_iter().map(loky::JoinHandle::join).enumerate().filter(|(_, r)| r.is_err()).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].0, 37);
}

fn crash_40_a_crash_after_the_pool_was_dropped() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let held = meet.bind(gate.clone(), 1).on(&pool).spawn();
    let crash = die.bind(Death::NullWrite).on(&pool).spawn();
    let next = square.bind(3).on(&pool).spawn();
    drop(pool);
    gate.open();
    assert_eq!(held.join().expect("finishes"), 1);
    fails(crash.join(), ErrorKind::Crash);
    assert_eq!(next.join().expect("runs on a new worker"), 9);
    soon("all workers are gone", ms(5000), || procfs::workers().is_empty());
}

fn crash_46_all_workers_die_with_a_thousand_queued() {
    let (pool, gate) = (pool_of(4), Gate::new("gate"));
    let running: Vec<_> = (0..4).map(|x| meet.bind(gate.clone(), x).on(&pool).spawn()).collect();
    let queued: Vec<_> = (0..1000).map(|x| square.bind(x).on(&pool).spawn()).collect();
    for worker in gate.await_arrivals(4) {
        slay(worker.parse().expect("a pid"));
    }
    for handle in running {
        assert_eq!(fails(handle.join(), ErrorKind::Crash).signal(), Some(9));
    }
    assert_eq!(loky::join_all(queued).expect("none of the queued is lost"), (0..1000).map(square).collect::<Vec<_>>());
}

fn crash_49_a_cancelled_call_in_the_queue_does_no_harm() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let held = meet.bind(gate.clone(), 1).on(&pool).spawn();
    let worker = gate.await_arrivals(1)[0].parse().expect("a pid");
    let queued: Vec<_> = (0..10).map(|x| square.bind(x).on(&pool).spawn()).collect();
    queued.iter().step_by(2).for_each(|handle| assert!(handle.cancel()));
    slay(worker);
    fails(held.join(), ErrorKind::Crash);
    for (x, handle) in (0..).zip(queued) {
        match x % 2 {
            0 => drop(fails(handle.join(), ErrorKind::Cancelled)),
            _ => assert_eq!(handle.join().expect("runs on the new worker"), x * x),
        }
    }
    pool.shutdown();
}

fn crash_53_neighbors_of_the_dead_go_on() {
    let (pool, gate, graves) = (pool_of(3), Gate::new("gate"), Gate::new("graves"));
    let held: Vec<_> = (0..2).map(|x| meet.bind(gate.clone(), x).on(&pool).spawn()).collect();
    let neighbors: BTreeSet<String> = gate.await_arrivals(2).into_iter().collect();
    for round in 0..10 {
        fails(arrive_and_die.bind(graves.clone(), Death::Abort).on(&pool).run(), ErrorKind::Crash);
        assert_eq!(graves.arrivals().len(), round + 1, "a call that died is not run again");
    }
    let alive: BTreeSet<String> = procfs::workers().iter().map(u32::to_string).collect();
    assert!(alive.is_superset(&neighbors), "{neighbors:?} of {alive:?}");
    gate.open();
    assert_eq!(loky::join_all(held).expect("untouched"), [0, 1]);
}

fn leak_10_a_hundred_crashes_leave_nothing() {
    let pool = pool_of(2);
    let crash = || drop(fails(die.bind(Death::ExitNow(1)).on(&pool).run(), ErrorKind::Crash));
    crash();
    square.bind(1).on(&pool).run().expect("a new worker");
    let before = (procfs::descriptors().len(), procfs::threads().len());
    (0..100).for_each(|_| crash());
    square.bind(1).on(&pool).run().expect("a new worker");
    eventually("no descriptor, thread or zombie more than before", || {
        let now = (procfs::descriptors().len(), procfs::threads().len());
        now.0 <= before.0 && now.1 <= before.1 && procfs::children(std::process::id()).len() <= 2
    });
}
