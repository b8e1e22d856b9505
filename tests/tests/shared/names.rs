//! Nothing that the library makes has a name outside of its processes: so nothing needs somebody who cleans up, and
//! nobody complains at the end.

use std::thread;

use loky::Shared;
use loky::prelude::*;
use loky_tests::tasks::{Death, die, square};
use loky_tests::{Case, Program, cases, eventually, pool_of, procfs, program, programs};

use crate::tools::{here, in_workers, sum};

pub(crate) const CASES: &[Case] = cases![
    tracker_03_what_a_killed_process_had_is_gone,
    tracker_04_it_stays_as_long_as_somebody_holds_it,
    tracker_06_made_here_and_dropped_there_without_a_word,
    tracker_12_many_threads_end_many_calls_without_a_word,
    tracker_13_no_process_but_the_workers,
];

pub(crate) const PROGRAMS: &[Program] = programs![makes_and_drops, ends_many_calls];

#[loky::task]
fn hold_and_die(numbers: Shared<u64>) -> u64 {
    let own: Shared<u64> = Shared::from_vec(vec![1; 1000]);
    std::mem::forget((numbers, own));
    std::process::abort()
}

/// What has a name outside of all processes.
fn names() -> [Vec<String>; 2] {
    [procfs::names_in("/dev/shm".as_ref()), procfs::names_in(&std::env::temp_dir())]
}

fn tracker_03_what_a_killed_process_had_is_gone() {
    let (before, pool) = (names(), pool_of(1));
    let numbers: Shared<u64> = Shared::from_vec(vec![1; 1000]);
    for _ in 0..2 {
        hold_and_die.bind(numbers.clone()).on(&pool).run().expect_err("it dies");
    }
    assert_eq!(names(), before, "while the pool lives");
    drop(numbers);
    eventually("nothing is left", || here() == (0, 0) && in_workers() == 0);
    pool.shutdown();
    assert_eq!(names(), before);
}

fn tracker_04_it_stays_as_long_as_somebody_holds_it() {
    let pool = pool_of(1);
    let (one, other) = {
        let numbers: Shared<u64> = Shared::from_vec(vec![2; 500]);
        (numbers.clone(), numbers)
    };
    drop(one);
    assert_eq!(here(), (1, 1), "two holders and one of them gone: it stays");
    assert_eq!(sum.bind(other.clone()).on(&pool).run().expect("a call"), 1000);
    drop(other);
    eventually("the second one gone, and it goes", || here() == (0, 0) && in_workers() == 0);
    pool.shutdown();
}

fn makes_and_drops() {
    let pool = pool_of(2);
    for _ in 0..20 {
        let numbers: Shared<u64> = Shared::from_vec(vec![1; 1000]);
        let calls: Vec<_> = (0..4).map(|_| sum.bind(numbers.clone()).on(&pool).spawn()).collect();
        drop(numbers);
        assert_eq!(loky::join_all(calls).expect("calls"), [1000; 4]);
    }
}

fn ends_many_calls() {
    thread::scope(|scope| {
        for thread in 0..6_u64 {
            scope.spawn(move || {
                for round in 0..5 {
                    let pool = pool_of(1);
                    let squares: Result<Vec<u64>, _> = (0..20).par_map(square).on(&pool).collect();
                    assert_eq!(squares.expect("a map").len(), 20);
                    if (thread + round) % 2 == 0 { pool.shutdown() } else { drop(pool) }
                }
                die.bind(Death::ExitNow(0)).run().expect_err("the process-wide pool ends calls as well");
            });
        }
    });
}

fn is_silent(name: &str) {
    let output = program(name).output().expect("the program starts");
    assert!(output.status.success(), "{output:?}");
    assert!(output.stdout.is_empty() && output.stderr.is_empty(), "not a word: {output:?}");
}

fn tracker_06_made_here_and_dropped_there_without_a_word() {
    is_silent("makes_and_drops");
}

fn tracker_12_many_threads_end_many_calls_without_a_word() {
    is_silent("ends_many_calls");
}

fn tracker_13_no_process_but_the_workers() {
    let pool = pool_of(2);
    pool.warm_up();
    let numbers: Shared<u64> = Shared::from_vec(vec![1; 1000]);
    for _ in 0..4 {
        assert_eq!(sum.bind(numbers.clone()).on(&pool).run().expect("a call"), 1000);
    }
    let below: Vec<u32> = procfs::below(std::process::id()).into_iter().map(|process| process.pid).collect();
    let mut workers = pool.stats().pids;
    workers.sort_unstable();
    assert_eq!(below, workers);
    pool.shutdown();
}
