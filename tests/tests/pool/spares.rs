//! Workers that are kept ready beyond those that are busy.

use loky::prelude::*;
use loky::{ErrorKind, Pool};
use loky_tests::tasks::{Death, add, arrive_and_die, die, meet, pid};
use loky_tests::{Case, Gate, cases, eventually, fails, ms, procfs, stays};

pub(crate) const CASES: &[Case] = cases![
    spare_01_a_call_after_a_death_finds_a_ready_worker,
    spare_02_they_run_nothing_while_the_others_are_busy,
    spare_03_they_leave_when_idle_and_come_back,
    spare_04_they_stay_through_a_resize,
    spare_05_a_shutdown_leaves_none,
    spare_06_none_without_a_call,
    spare_07_copies_of_a_zygote,
];

fn with_spares(workers: usize, spares: usize) -> Pool {
    Pool::builder().workers(workers).spares(spares).build().expect("a pool")
}

fn are_ready(pool: &Pool, idle: usize) {
    eventually("the spares are ready", || pool.stats().idle == idle && pool.stats().live >= idle);
}

fn spare_01_a_call_after_a_death_finds_a_ready_worker() {
    let pool = with_spares(1, 1);
    pool.warm_up();
    for _ in 0..5 {
        are_ready(&pool, 2);
        let ready = pool.stats().pids;
        let error = fails(die.bind(Death::Abort).on(&pool).run(), ErrorKind::Crash);
        let next = pid.bind().on(&pool).run().expect("a call");
        assert!(ready.contains(&next) && error.pid() != Some(next), "{next} was there before the death: {ready:?}");
    }
}

fn spare_02_they_run_nothing_while_the_others_are_busy() {
    let (pool, gate) = (with_spares(2, 2), Gate::new("gate"));
    let held: Vec<_> = (0..3).map(|number| meet.bind(gate.clone(), number).on(&pool).spawn()).collect();
    gate.await_arrivals(2);
    are_ready(&pool, 2);
    stays("two are busy and two are not", ms(200), || gate.arrivals().len() == 2 && procfs::workers().len() == 4);
    assert_eq!((pool.workers(), pool.stats().live, pool.stats().queued), (2, 4, 1));
    gate.open();
    assert_eq!(loky::join_all(held).expect("calls"), [0, 1, 2]);
}

fn spare_03_they_leave_when_idle_and_come_back() {
    let builder = Pool::builder().workers(1).spares(2).idle_timeout(Some(ms(150)));
    let pool = builder.build().expect("a pool");
    for round in 0..2 {
        assert_eq!(add.bind(round, 1).on(&pool).run().expect("a call"), round + 1);
        eventually("all have left", || procfs::children(std::process::id()).is_empty());
        stays("and nobody is started in their place", ms(300), || procfs::workers().is_empty());
    }
}

fn spare_04_they_stay_through_a_resize() {
    let pool = with_spares(1, 1);
    pool.warm_up();
    pool.resize(3);
    pool.warm_up();
    assert_eq!((pool.workers(), procfs::workers().len()), (3, 4));
    pool.resize(1);
    eventually("one and a spare are left", || procfs::workers().len() == 2);
}

fn spare_05_a_shutdown_leaves_none() {
    for is_forced in [false, true] {
        let (pool, gate) = (with_spares(1, 2), Gate::new(if is_forced { "forced" } else { "graceful" }));
        let dying = arrive_and_die.bind(gate.clone(), Death::Abort).on(&pool).spawn();
        gate.await_arrivals(1);
        if is_forced {
            pool.shutdown_now();
        } else {
            pool.shutdown();
        }
        dying.join().expect_err("it dies, or is killed");
        assert_eq!(procfs::children(std::process::id()), []);
    }
}

fn spare_06_none_without_a_call() {
    let pool = with_spares(2, 3);
    stays("to build a pool starts nothing", ms(100), || procfs::workers().is_empty());
    assert_eq!(add.bind(1, 2).on(&pool).run().expect("a call"), 3);
    eventually("the first call starts the spares, too", || pool.stats().idle >= 3);
    stays("one worker for the call, and three", ms(100), || procfs::workers().len() == 4);
}

fn spare_07_copies_of_a_zygote() {
    let pool = Pool::builder().workers(1).spares(1).zygote(true).build().expect("a pool");
    pool.warm_up();
    for _ in 0..20 {
        let ready = pool.stats().pids;
        fails(die.bind(Death::Abort).on(&pool).run(), ErrorKind::Crash);
        assert!(ready.contains(&pid.bind().on(&pool).run().expect("a call")), "{ready:?}");
        are_ready(&pool, 2);
    }
    pool.shutdown();
    assert_eq!(procfs::children(std::process::id()), []);
}
