//! A worker killed at each boundary between its own code and the kernel: before and after every system call that it
//! makes for a call, for a large one, and for its leave.
//!
//! The case traces its worker as a debugger does. It takes no exit status, which is the library's to take.

use std::thread;

use loky::prelude::*;
use loky::{ErrorKind, Pool};
use loky_tests::tasks::{Blob, pid, square};
use loky_tests::{Case, Gate, Traced, cases, pool_of, procfs};

pub(crate) const CASES: &[Case] = cases![
    race_06_killed_at_each_boundary_of_a_call: 180,
    race_06_killed_at_each_boundary_of_a_large_call: 180,
    race_06_killed_at_each_boundary_of_its_leave: 120,
];

/// Arrives, so that it is known how often it has run, and gives back what it was given.
#[loky::task]
fn arrive_and_echo(gate: Gate, burden: Blob) -> Blob {
    gate.arrive("ran");
    burden
}

/// Kills the worker at the first boundary of a call, at the second, and so on, until the call is over before.
fn at_each_boundary_of_a_call(len: usize) {
    let pool = pool_of(1);
    let (mut lost, mut count) = (0, 0);
    loop {
        let worker = pid.bind().on(&pool).run().expect("a worker");
        let Some(traced) = Traced::seize(worker) else { return println!("not tried: nobody may trace") };
        let gate = Gate::new(&format!("boundary {count}"));
        let handle = arrive_and_echo.bind(gate.clone(), Blob(vec![5; len])).on(&pool).spawn();
        let is_killed = traced.kill_at(count, &|| handle.is_finished());
        if !is_killed {
            traced.let_go();
        }
        match handle.join() {
            Ok(blob) => assert!(blob.0 == vec![5; len] && gate.arrivals().len() == 1, "boundary {count}"),
            Err(error) => {
                assert_eq!((error.kind(), error.signal()), (ErrorKind::Crash, Some(9)), "boundary {count}: {error}");
                assert_eq!(error.pid(), Some(worker));
                assert!(gate.arrivals().len() <= 1, "what has begun is not run again");
                lost += 1;
            }
        }
        assert_eq!(square.bind(3).on(&pool).run().expect("the pool goes on"), 9);
        if !is_killed {
            break;
        }
        count += 1;
    }
    println!("{count} boundaries, at {lost} of which the call was lost");
    assert!(count >= 6 && lost > 0, "a call that opens a file and writes to it has some");
}

fn race_06_killed_at_each_boundary_of_a_call() {
    at_each_boundary_of_a_call(10);
}

fn race_06_killed_at_each_boundary_of_a_large_call() {
    at_each_boundary_of_a_call(3 << 20);
}

fn race_06_killed_at_each_boundary_of_its_leave() {
    let mut count = 0;
    loop {
        let pool = pool_of(1);
        let worker = pid.bind().on(&pool).run().expect("a worker");
        let Some(traced) = Traced::seize(worker) else { return println!("not tried: nobody may trace") };
        let is_killed = ends_though_killed(&pool, &traced, count);
        assert!(procfs::process(worker).is_none(), "boundary {count}: it is reaped");
        if !is_killed {
            break;
        }
        count += 1;
    }
    println!("{count} boundaries");
    assert!(count > 0);
}

fn ends_though_killed(pool: &Pool, traced: &Traced, count: usize) -> bool {
    thread::scope(|scope| {
        let ending = scope.spawn(|| pool.shutdown());
        let is_killed = traced.kill_at(count, &|| ending.is_finished());
        traced.let_end();
        ending.join().expect("no panic");
        is_killed
    })
}
