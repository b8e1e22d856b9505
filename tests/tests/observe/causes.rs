//! Why workers have ended: each way once, and each counted under its own reason and no other.

use std::thread;

use loky::prelude::*;
use loky::{DeathCauses, ErrorKind, Pool};
use loky_tests::tasks::{Blob, Death, arrive_and_die, die, echo, pid, sleep_for, spin};
use loky_tests::{Case, Gate, cases, eventually, fails, ms, pool_of, sys};
use nix::sys::signal::Signal;

pub(crate) const CASES: &[Case] = cases![
    causes_01_crashes,
    causes_02_limits_and_cancels,
    causes_03_memory,
    causes_04_workers_that_are_not_needed,
    causes_05_workers_that_have_served_enough,
    causes_06_the_end_of_a_pool,
    causes_07_workers_that_never_serve,
];

/// All deaths of the pool, when there are so many.
#[track_caller]
fn deaths(pool: &Pool, count: u64) -> DeathCauses {
    eventually("the deaths are counted", || pool.stats().deaths == count);
    let stats = pool.stats();
    let causes = stats.deaths_by_cause;
    let DeathCauses { crash, timeout, cancelled, memory_limit, worn, idle, resized, shutdown, start, .. } = causes;
    let all = crash + timeout + cancelled + memory_limit + worn + idle + resized + shutdown + start;
    assert_eq!(all, count, "{stats}");
    causes
}

fn causes_01_crashes() {
    let pool = pool_of(1);
    fails(die.bind(Death::NullWrite).on(&pool).run(), ErrorKind::Crash);
    assert_eq!(deaths(&pool, 1).crash, 1);
    fails(die.bind(Death::Exit(0)).on(&pool).run(), ErrorKind::Crash);
    assert_eq!(deaths(&pool, 2).crash, 2, "nobody has asked it to leave");
    let idle = pid.bind().on(&pool).run().expect("a call");
    sys::signal(idle, Signal::SIGKILL);
    assert_eq!(deaths(&pool, 3).crash, 3);
}

fn causes_02_limits_and_cancels() {
    let pool = pool_of(1);
    fails(sleep_for.bind(ms(60_000)).on(&pool).timeout(ms(20)).run(), ErrorKind::Timeout);
    assert_eq!(deaths(&pool, 1).timeout, 1);
    eventually("one begins before its deadline", || {
        fails(sleep_for.bind(ms(60_000)).on(&pool).deadline(ms(100)).run(), ErrorKind::Timeout);
        pool.stats().deaths == 2
    });
    assert_eq!(deaths(&pool, 2).timeout, 2);
    let gate = Gate::new("gate");
    let handle = spin.bind(gate.clone()).on(&pool).spawn();
    gate.await_arrivals(1);
    assert!(handle.cancel());
    fails(handle.join(), ErrorKind::Cancelled);
    assert_eq!(deaths(&pool, 3).cancelled, 1);
}

fn causes_03_memory() {
    let pool = Pool::builder().workers(1).memory_limit(64 << 20).build().expect("a pool");
    fails(hoard.bind(256 << 20).on(&pool).run(), ErrorKind::MemoryLimit);
    assert_eq!(deaths(&pool, 1).memory_limit, 1);
}

/// Has so much memory for a while.
#[loky::task]
fn hoard(bytes: usize) -> usize {
    let held = vec![7_u8; bytes];
    thread::sleep(ms(30_000));
    held.len()
}

fn causes_04_workers_that_are_not_needed() {
    let pool = Pool::builder().workers(2).idle_timeout(Some(ms(30))).build().expect("a pool");
    pool.warm_up();
    assert_eq!(deaths(&pool, 2).idle, 2);
    let pool = pool_of(3);
    pool.warm_up();
    pool.resize(1);
    assert_eq!(deaths(&pool, 2).resized, 2);
}

fn causes_05_workers_that_have_served_enough() {
    let pool = Pool::builder().workers(1).max_calls_per_worker(2).build().expect("a pool");
    for _ in 0..4 {
        pid.bind().on(&pool).run().expect("a call");
    }
    assert_eq!(deaths(&pool, 2).worn, 2);
    let pool = Pool::builder().workers(1).memory_growth_limit(Some(20_000_000)).build().expect("a pool");
    pid.bind().on(&pool).run().expect("the one that it is compared with");
    leak.bind(60_000_000).on(&pool).run().expect("a call");
    eventually("it is replaced", || {
        pid.bind().on(&pool).run().expect("a call");
        pool.stats().deaths > 0
    });
    assert_eq!(deaths(&pool, 1).worn, 1);
}

/// Loses so much memory.
#[loky::task]
fn leak(bytes: usize) {
    vec![7_u8; bytes].leak();
}

fn causes_06_the_end_of_a_pool() {
    let pool = pool_of(2);
    pool.warm_up();
    pool.shutdown();
    assert_eq!(deaths(&pool, 2).shutdown, 2);
    let (pool, gate) = (pool_of(2), Gate::new("gate"));
    pool.warm_up();
    let handle = spin.bind(gate.clone()).on(&pool).spawn();
    gate.await_arrivals(1);
    pool.shutdown_now();
    fails(handle.join(), ErrorKind::Shutdown);
    assert_eq!(deaths(&pool, 2).shutdown, 2);
    let (pool, gate) = (pool_of(1), Gate::new("crash"));
    let handle = arrive_and_die.bind(gate, Death::Abort).on(&pool).spawn();
    pool.shutdown();
    fails(handle.join(), ErrorKind::Crash);
    assert_eq!(deaths(&pool, 1).crash, 1, "it was not the shutdown");
}

/// Refuses to prepare a worker.
#[loky::task]
fn refuse() -> Result<(), String> {
    Err("no license".to_string())
}

fn causes_07_workers_that_never_serve() {
    let pool = Pool::builder().workers(1).initializer(refuse.bind()).build().expect("a pool");
    fails(echo.bind(Blob(Vec::new())).on(&pool).run(), ErrorKind::Initializer);
    let all = pool.stats().launches;
    assert_eq!(deaths(&pool, all).start, all);
    let stats = pool.stats();
    assert!(all > 0 && stats.workers.is_empty(), "{stats}");
}
