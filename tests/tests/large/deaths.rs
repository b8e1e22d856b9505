//! A worker that dies while something large is on its way, in either direction: that call ends, and nothing is left.

use std::thread;

use loky::ErrorKind;
use loky::prelude::*;
use loky_tests::sys::signal;
use loky_tests::tasks::{pid, square};
use loky_tests::{Case, Gate, Random, cases, fails, ms, pool_of, procfs};
use nix::sys::signal::Signal;

pub(crate) const CASES: &[Case] = cases![
    crash_25_killed_while_a_large_argument_is_written,
    crash_27_killed_while_a_large_result_is_written_and_tried_again,
    cancel_12_given_up_while_a_large_argument_is_written,
];

#[loky::task]
fn length(row: &[u64]) -> usize {
    row.len()
}

#[loky::task]
fn turned(gate: Gate, row: Vec<u64>) -> Vec<u64> {
    gate.arrive("turned");
    row.into_iter().rev().collect()
}

/// Bytes that are resident here.
fn resident() -> usize {
    let used = std::fs::read_to_string("/proc/self/statm").expect("proc is there");
    used.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).expect("a number of pages") * 4096
}

fn crash_25_killed_while_a_large_argument_is_written() {
    let (pool, mut random) = (pool_of(1), Random::from_environment());
    let before = resident();
    for round in 0..15 {
        let worker = pid.bind().on(&pool).run().expect("a worker");
        let row = vec![round; 8 << 20];
        let doomed = length.bind(&row).on(&pool).spawn();
        let given = loky::closure!(|row: Vec<u64>| row.len()).bind(row).on(&pool).spawn();
        thread::sleep(random.span(ms(20)));
        signal(worker, Signal::SIGKILL);
        for handle in [doomed, given] {
            match handle.join() {
                Ok(len) => assert_eq!(len, 8 << 20),
                Err(error) => assert!(error.is_crash() && error.pid() == Some(worker), "{error}"),
            }
        }
        assert_eq!(square.bind(round).on(&pool).run().expect("the next one"), round * round);
    }
    let after = resident();
    assert!(after < before + (64 << 20), "{before} bytes before, and {after} after");
    assert_eq!(procfs::workers().len(), 1);
}

fn crash_27_killed_while_a_large_result_is_written_and_tried_again() {
    let (pool, mut random) = (pool_of(1), Random::from_environment());
    for round in 0..10 {
        let gate = Gate::new(&format!("gate {round}"));
        let worker = pid.bind().on(&pool).run().expect("a worker");
        let row: Vec<u64> = (0..4 << 20).collect();
        let handle = turned.bind(gate.clone(), row.clone()).on(&pool).retries(1).spawn();
        gate.await_arrivals(1);
        thread::sleep(random.span(ms(20)));
        signal(worker, Signal::SIGKILL);
        let back = handle.join().expect("the second attempt has the same row");
        assert!(back.iter().rev().eq(&row), "round {round}");
    }
}

fn cancel_12_given_up_while_a_large_argument_is_written() {
    let (pool, mut random) = (pool_of(1), Random::from_environment());
    for round in 0..10 {
        let doomed = loky::closure!(|row: Vec<u64>| row.len()).bind(vec![round; 8 << 20]).on(&pool).spawn();
        thread::sleep(random.span(ms(10)));
        if doomed.cancel() {
            fails(doomed.join(), ErrorKind::Cancelled);
        }
        assert_eq!(square.bind(round).on(&pool).run().expect("the next one"), round * round);
    }
}
