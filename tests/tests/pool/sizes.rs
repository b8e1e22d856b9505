//! How many workers there are: asked for, warmed up, resized.

use std::collections::BTreeSet;
use std::thread;

use loky::prelude::*;
use loky::{ErrorKind, Pool};
use loky_tests::tasks::{Death, die, meet, pid, square};
use loky_tests::{Case, Gate, Random, cases, eventually, fails, ms, pool_of, procfs, soon, stays};

pub(crate) const CASES: &[Case] = cases![
    submit_21_no_workers_is_an_error,
    proc_05_warm_up_starts_all_of_them,
    reuse_09_a_resize_keeps_what_is_there,
    reuse_19_shrinking_below_the_running_waits_for_nobody,
    reuse_20_growing_serves_the_queue_at_once,
    reuse_10_sizes_up_and_down: 120,
    reuse_21_resizing_from_many_threads: 120,
    reuse_06_a_resize_to_nothing_leaves_a_working_pool,
    prog_04_stats_add_up,
];

fn submit_21_no_workers_is_an_error() {
    let error = Pool::builder().workers(0).build().map(|_| ()).expect_err("no workers cannot work");
    assert!(error.to_string().contains("workers"), "{error}");
    let error = loky::reusable(Pool::builder().workers(0)).map(|_| ()).expect_err("nor can a reusable pool");
    assert!(!error.may_have_run());
}

fn proc_05_warm_up_starts_all_of_them() {
    let pool = pool_of(3);
    pool.warm_up();
    eventually("three workers", || procfs::workers().len() == 3);
    let before = procfs::workers();
    pool.warm_up();
    assert_eq!(square.bind(3).on(&pool).run().expect("it works"), 9);
    assert_eq!(procfs::workers(), before, "warm is warm");
    assert_eq!(pool.workers(), 3);
}

fn reuse_09_a_resize_keeps_what_is_there() {
    let pool = pool_of(2);
    pool.warm_up();
    eventually("two workers", || procfs::workers().len() == 2);
    let two = procfs::workers();
    pool.resize(1);
    soon("one leaves", ms(2000), || procfs::workers().len() == 1);
    let one = procfs::workers();
    assert!(two.contains(&one[0]), "{one:?} of {two:?}");
    pool.resize(1);
    assert_eq!(pid.bind().on(&pool).run().expect("it works"), one[0], "the same size changes nothing");
    pool.resize(2);
    pool.warm_up();
    eventually("two again", || procfs::workers().len() == 2);
    assert!(procfs::workers().contains(&one[0]));
    assert_eq!(pool.workers(), 2);
}

fn reuse_19_shrinking_below_the_running_waits_for_nobody() {
    let (pool, gate) = (pool_of(4), Gate::new("gate"));
    let held: Vec<_> = (0..4).map(|x| meet.bind(gate.clone(), x).on(&pool).spawn()).collect();
    gate.await_arrivals(4);
    let before = std::time::Instant::now();
    pool.resize(1);
    assert!(before.elapsed() < ms(4000), "at once: {:?}", before.elapsed());
    let queued = square.bind(5).on(&pool).spawn();
    stays("those that run are not disturbed", ms(100), || procfs::workers().len() == 4 && !queued.is_finished());
    gate.open();
    assert_eq!(loky::join_all(held).expect("none was lost"), [0, 1, 2, 3]);
    assert_eq!(queued.join().expect("the one that is left serves"), 25);
    soon("the surplus leaves", ms(2000), || procfs::workers().len() == 1);
}

fn reuse_20_growing_serves_the_queue_at_once() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let held: Vec<_> = (0..4).map(|x| meet.bind(gate.clone(), x).on(&pool).spawn()).collect();
    gate.await_arrivals(1);
    pool.resize(4);
    gate.await_arrivals(4);
    assert_eq!(procfs::workers().len(), 4);
    gate.open();
    assert_eq!(loky::join_all(held).expect("all at once"), [0, 1, 2, 3]);
}

fn reuse_10_sizes_up_and_down() {
    let pool = pool_of(3);
    for size in [12, 2, 1, 12, 6, 1, 8, 5] {
        pool.resize(size);
        let handles: Vec<_> = (0..6).map(|x| square.bind(x).on(&pool).spawn()).collect();
        assert_eq!(loky::join_all(handles).expect("at any size"), [0, 1, 4, 9, 16, 25]);
        soon("no more than asked for", ms(5000), || procfs::workers().len() <= size);
    }
    pool.shutdown();
}

fn reuse_21_resizing_from_many_threads() {
    let pool = pool_of(2);
    let random = Random::from_environment();
    thread::scope(|scope| {
        for number in 0..4_u64 {
            let (pool, mut random) = (pool.clone(), random.clone());
            scope.spawn(move || {
                for _ in 0..number {
                    random.bits();
                }
                for round in 0..25 {
                    pool.resize(1 + random.below(6) as usize);
                    let handles: Vec<_> = (0..8).map(|x| square.bind(x + round).on(&pool).spawn()).collect();
                    let expected: Vec<u64> = (0..8).map(|x| square(x + round)).collect();
                    assert_eq!(loky::join_all(handles).expect("at any size"), expected);
                }
            });
        }
    });
    pool.resize(2);
    soon("no more than asked for last", ms(5000), || procfs::workers().len() <= 2);
}

fn reuse_06_a_resize_to_nothing_leaves_a_working_pool() {
    let pool = pool_of(2);
    pool.resize(0);
    let handle = square.bind(3).on(&pool).spawn();
    assert!(handle.wait_timeout(ms(20_000)), "every handle resolves, also after a resize to nothing");
    assert_eq!(handle.join().expect("at least one worker serves"), 9);
}

fn prog_04_stats_add_up() {
    let (pool, gate) = (pool_of(2), Gate::new("gate"));
    for x in 0..10 {
        square.bind(x).on(&pool).run().expect("ten calls");
    }
    let held: Vec<_> = (0..5).map(|x| meet.bind(gate.clone(), x).on(&pool).spawn()).collect();
    gate.await_arrivals(2);
    eventually("two run and three wait", || {
        let stats = pool.stats();
        (stats.running, stats.queued, stats.live, stats.target) == (2, 3, 2, 2)
    });
    gate.open();
    loky::join_all(held).expect("all of them");
    eventually("fifteen are finished", || {
        let stats = pool.stats();
        (stats.running, stats.queued, stats.idle, stats.submitted, stats.succeeded) == (0, 0, 2, 15, 15)
    });
    assert_eq!(pool.stats().pids.iter().collect::<BTreeSet<_>>(), procfs::workers().iter().collect());
    fails(die.bind(Death::Abort).on(&pool).run(), ErrorKind::Crash);
    eventually("one has failed and one has died", || {
        let stats = pool.stats();
        (stats.succeeded, stats.failed, stats.deaths) == (15, 1, 1)
    });
    pool.shutdown();
    let stats = pool.stats();
    assert_eq!((stats.live, stats.pids.len(), stats.deaths), (0, 0, stats.launches));
}
