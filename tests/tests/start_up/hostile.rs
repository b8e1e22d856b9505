//! Other code in the program that does as it likes with signals, children and threads.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use loky::prelude::*;
use loky::{ErrorKind, Pool};
use loky_tests::tasks::{Blob, Death, add, die, echo, pid, square};
use loky_tests::{Case, cases, fails, ms, pool_of, procfs, soon, sys};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::wait::waitpid;

pub(crate) const CASES: &[Case] = cases![
    signal_11_exit_statuses_are_stolen,
    signal_12_sigchld_is_ignored,
    signal_13_masks_are_not_inherited,
    signal_15_interrupted_every_millisecond,
    fd_12_many_pools_start_at_once,
    config_11_in_a_thread_of_the_program,
];

/// Calls, lets workers die, and calls again; exit statuses may be unknown, everything else is as ever.
fn works(pool: &Pool) {
    for round in 0..10 {
        assert_eq!(square.bind(round).on(pool).run().expect("a call"), round * round);
        let error = fails(die.bind(Death::ExitNow(4)).on(pool).run(), ErrorKind::Crash);
        assert!([None, Some(4)].contains(&error.exit_code()) && error.signal().is_none(), "{error}");
    }
    assert_eq!((0..100).par_map(square).on(pool).unwrap_all().len(), 100);
}

fn signal_11_exit_statuses_are_stolen() {
    let (pool, is_over) = (pool_of(2), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                // It fails while there is no child; then there is nothing to steal.
                let _ = waitpid(None, None);
            }
        });
        works(&pool);
        is_over.store(true, Ordering::SeqCst);
        pool.shutdown();
    });
    assert_eq!(procfs::children(std::process::id()), []);
}

fn signal_12_sigchld_is_ignored() {
    sys::ignore_sigchld();
    let pool = pool_of(2);
    works(&pool);
    pool.shutdown();
    assert_eq!(procfs::children(std::process::id()), []);
}

#[loky::task]
fn blocked_signals() -> String {
    let status = std::fs::read_to_string("/proc/thread-self/status").expect("/proc is mounted");
    let line = status.lines().find(|line| line.starts_with("SigBlk:")).expect("the kernel tells the mask");
    line.trim_start_matches("SigBlk:").trim().to_owned()
}

fn signal_13_masks_are_not_inherited() {
    let mut blocked = SigSet::empty();
    [Signal::SIGTERM, Signal::SIGUSR1, Signal::SIGCHLD].into_iter().for_each(|signal| blocked.add(signal));
    blocked.thread_block().expect("a thread may block signals");
    let pool = pool_of(1);
    let seen = blocked_signals.bind().on(&pool).run().expect("a call");
    assert_eq!(u64::from_str_radix(&seen, 16).expect("a mask"), 0, "a worker begins with none blocked");
}

fn signal_15_interrupted_every_millisecond() {
    sys::interrupt_every(1000);
    let pool = pool_of(2);
    let large = Blob(vec![3; 8 << 20]);
    for _ in 0..5 {
        assert!(echo.bind(large.clone()).on(&pool).run().expect("no interrupted call is an error") == large);
        assert_eq!((0..500).par_map(square).on(&pool).unwrap_all().len(), 500);
        fails(die.bind(Death::Abort).on(&pool).run(), ErrorKind::Crash);
    }
    pool.shutdown();
    sys::interrupt_every(0);
}

fn fd_12_many_pools_start_at_once() {
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let pool = pool_of(2);
                pool.warm_up();
                let worker = pid.bind().on(&pool).run().expect("a worker");
                // Dropped while the others start: an end of its link that leaked into one of them would keep it alive.
                drop(pool);
                soon("it is gone", ms(5000), || procfs::process(worker).is_none());
            });
        }
    });
}

fn config_11_in_a_thread_of_the_program() {
    let in_a_thread = thread::spawn(|| {
        let pool = pool_of(1);
        (add.bind(1, 2).on(&pool).run().expect("a call"), pool)
    });
    let (sum, pool) = in_a_thread.join().expect("no panic");
    assert_eq!(sum, 3);
    assert_eq!(add.bind(3, 4).on(&pool).run().expect("the pool outlives its thread"), 7);
}
