//! How long a worker lives: idle limits, a number of calls, and that leaving is not dying.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::Duration;

use loky::Pool;
use loky::prelude::*;
use loky_tests::tasks::{pid, sleep_for, square};
use loky_tests::{Case, Random, cases, eventually, falls_asleep, ms, pool_of, procfs, stays};

pub(crate) const CASES: &[Case] = cases![
    life_01_two_calls_per_worker,
    life_02_three_calls_per_worker,
    life_03_a_backlog_while_workers_reach_their_limit,
    life_08_a_limit_of_one_and_an_early_shutdown,
    life_an_idle_pool_sleeps,
    timeout_12_idle_workers_leave_and_come_back,
    timeout_16_idle_limits_and_resizes,
    timeout_17_a_call_at_the_moment_a_worker_leaves: 120,
    timeout_20_none_and_zero,
];

fn pids(pool: &Pool, count: usize) -> Vec<u32> {
    (0..count).map(|_| pid.bind().on(pool).run().expect("a call")).collect()
}

fn life_01_two_calls_per_worker() {
    let pool = Pool::builder().workers(1).max_calls_per_worker(2).build().expect("a pool");
    let pids = pids(&pool, 4);
    assert!(pids[0] == pids[1] && pids[1] != pids[2] && pids[2] == pids[3], "{pids:?}");
}

fn life_02_three_calls_per_worker() {
    let pool = Pool::builder().workers(1).max_calls_per_worker(3).build().expect("a pool");
    let pids = pids(&pool, 4);
    assert_eq!(pids[..3].iter().collect::<BTreeSet<_>>().len(), 1, "{pids:?}");
    assert_ne!(pids[3], pids[0]);
    eventually("the old one is gone without a trace", || procfs::children(std::process::id()).len() == 1);
}

fn life_03_a_backlog_while_workers_reach_their_limit() {
    for (workers, limit, calls) in [(1, 2, 6), (2, 2, 8), (3, 1, 30)] {
        let pool = Pool::builder().workers(workers).max_calls_per_worker(limit).build().expect("a pool");
        let handles: Vec<_> = (0..calls).map(|_| pid.bind().on(&pool).spawn()).collect();
        let pids = loky::join_all(handles).expect("all finish");
        for worker in &pids {
            assert!(pids.iter().filter(|pid| *pid == worker).count() <= limit as usize, "{pids:?}");
        }
    }
}

fn life_08_a_limit_of_one_and_an_early_shutdown() {
    let pool = Pool::builder().workers(2).max_calls_per_worker(1).build().expect("a pool");
    let handles: Vec<_> = (0..6).map(|x| square.bind(x).on(&pool).spawn()).collect();
    pool.shutdown();
    assert_eq!(loky::join_all(handles).expect("all complete"), [0, 1, 4, 9, 16, 25]);
}

fn life_an_idle_pool_sleeps() {
    let pool = pool_of(2);
    pool.warm_up();
    assert_eq!((0..1000).par_map(square).on(&pool).filter(Result::is_ok).count(), 1000);
    let me = std::process::id();
    let doing = || -> BTreeMap<u32, u64> {
        let mut ours = procfs::switches_of(me);
        // This one sleeps between its questions.
        ours.remove(&me);
        ours.into_iter().chain(procfs::workers().into_iter().flat_map(procfs::switches_of)).collect()
    };
    assert!(doing().len() > 2, "a thread here, and the workers");
    falls_asleep(doing);
}

fn timeout_12_idle_workers_leave_and_come_back() {
    let pool = Pool::builder().workers(4).idle_timeout(Some(ms(10))).build().expect("a pool");
    for _ in 0..5 {
        let handles: Vec<_> = (0..8).map(|x| square.bind(x).on(&pool).spawn()).collect();
        assert_eq!(loky::join_all(handles).expect("each round completes").len(), 8);
        eventually("every worker leaves and is reaped", || procfs::children(std::process::id()).is_empty());
    }
}

fn timeout_16_idle_limits_and_resizes() {
    let pool = Pool::builder().workers(2).idle_timeout(Some(ms(20))).build().expect("a pool");
    for size in [2, 8, 2, 8, 2] {
        pool.resize(size);
        thread::sleep(ms(30));
        assert_eq!(square.bind(5).on(&pool).run().expect("at any moment"), 25);
    }
}

fn timeout_17_a_call_at_the_moment_a_worker_leaves() {
    let mut random = Random::from_environment();
    let limit = ms(5);
    let pool = Pool::builder().workers(2).idle_timeout(Some(limit)).build().expect("a pool");
    for round in 0..400 {
        assert_eq!(square.bind(round).on(&pool).run().expect("exactly once, wherever it falls"), round * round);
        thread::sleep(limit - ms(1) + random.span(ms(2)));
    }
}

fn timeout_20_none_and_zero() {
    let patient = Pool::builder().workers(1).idle_timeout(None).build().expect("a pool");
    let worker = pid.bind().on(&patient).run().expect("a worker");
    stays("without a limit it stays", ms(300), || procfs::is_alive(worker));
    patient.shutdown();
    let hasty = Pool::builder().workers(1).idle_timeout(Some(Duration::ZERO)).build().expect("a pool");
    for _ in 0..20 {
        sleep_for.bind(ms(1)).on(&hasty).run().expect("it leaves only when idle");
    }
    eventually("it leaves at once", || procfs::children(std::process::id()).is_empty());
}
