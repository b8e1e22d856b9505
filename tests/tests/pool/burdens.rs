//! Ends of a pool while large data is on its way.

use std::thread;

use loky::prelude::*;
use loky::{ErrorKind, JoinHandle, Pool};
use loky_tests::tasks::{Blob, bytes, echo, pid};
use loky_tests::{Case, Random, cases, fails, ms, pool_of, procfs, sys};
use nix::sys::signal::Signal;

pub(crate) const CASES: &[Case] = cases![
    shutdown_21_forced_while_a_large_argument_travels,
    shutdown_21_forced_while_a_large_argument_is_stuck,
    shutdown_22_cancelled_and_ended_with_large_results_under_way,
];

const LARGE: usize = 110_000_000;

/// Each of the two forced ends.
const ENDS: [fn(&Pool); 2] = [Pool::shutdown_now, |pool| assert!(!pool.shutdown_timeout(ms(1)))];

fn assert_ended(held: JoinHandle<Blob>) {
    assert!(held.is_finished());
    if let Err(error) = held.join() {
        assert_eq!(error.kind(), ErrorKind::Shutdown, "{error}");
    }
    assert_eq!(procfs::children(std::process::id()), []);
}

fn shutdown_21_forced_while_a_large_argument_travels() {
    let mut random = Random::from_environment();
    for _ in 0..3 {
        let pool = pool_of(1);
        pool.warm_up();
        let held = echo.bind(Blob(vec![1; LARGE])).on(&pool).spawn();
        thread::sleep(random.span(ms(60)));
        pool.shutdown_now();
        assert_ended(held);
    }
}

fn shutdown_21_forced_while_a_large_argument_is_stuck() {
    for end in ENDS {
        let pool = pool_of(1);
        let worker = pid.bind().on(&pool).run().expect("a worker");
        sys::signal(worker, Signal::SIGSTOP);
        let held = echo.bind(Blob(vec![1; LARGE])).on(&pool).spawn();
        thread::sleep(ms(50));
        end(&pool);
        assert_ended(held);
    }
}

fn shutdown_22_cancelled_and_ended_with_large_results_under_way() {
    let pool = pool_of(2);
    let mut handles: Vec<_> = (0..10).map(|_| bytes.bind(100_000_000).on(&pool).spawn()).collect();
    assert_eq!(handles.remove(0).join().expect("the first is done").0.len(), 100_000_000);
    let cancelled: Vec<bool> = handles.iter().map(JoinHandle::cancel).collect();
    pool.shutdown_now();
    for (handle, is_cancelled) in handles.into_iter().zip(cancelled) {
        match handle.join() {
            Ok(result) => assert!(!is_cancelled && result.0.len() == 100_000_000),
            Err(error) => drop(fails(Err::<(), _>(error), ErrorKind::Cancelled)),
        }
    }
    assert_eq!(procfs::children(std::process::id()), []);
}
