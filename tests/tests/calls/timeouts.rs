//! More of time limits: what ignores them, what a caller makes of them, and workers that leave at bad moments.

use std::thread;
use std::time::{Duration, Instant};

use loky::prelude::*;
use loky::{CallStatus, ErrorKind, Pool};
use loky_tests::tasks::{leave_word, meet, panic_with, pid, sleep_for, square};
use loky_tests::{Case, Gate, cases, eventually, fails, ms, pool_of, procfs, soon};
use serde::{Deserialize, Serialize, Serializer};

pub(crate) const CASES: &[Case] = cases![
    timeout_03_a_task_that_ignores_sigterm_is_killed,
    timeout_10_a_default_for_what_takes_too_long,
    timeout_11_each_item_of_a_map_has_its_limit,
    timeout_13_workers_that_leave_between_results,
    timeout_14_workers_that_leave_while_arguments_are_prepared,
    timeout_15_a_pool_that_is_dropped_while_arguments_are_prepared,
    timeout_18_to_leave_is_no_crash,
    timeout_19_after_all_have_left_as_many_start_as_are_needed,
    timeout_24_a_waiters_own_limit_touches_nothing,
];

/// Ignores every signal that can be ignored, and stays.
#[loky::task]
fn ignore_signals() -> u32 {
    loky_tests::sys::ignore_sigterm();
    std::process::id()
}

fn timeout_03_a_task_that_ignores_sigterm_is_killed() {
    let pool = pool_of(1);
    let worker = ignore_signals.bind().on(&pool).run().expect("from now on");
    let error = fails(sleep_for.bind(ms(30_000)).on(&pool).timeout(ms(200)).run(), ErrorKind::Timeout);
    assert_eq!(error.pid(), Some(worker));
    soon("its worker is dead", ms(1000), || !procfs::is_alive(worker));
    assert_eq!(square.bind(3).on(&pool).run().expect("the pool goes on"), 9);
}

fn timeout_10_a_default_for_what_takes_too_long() {
    let pool = pool_of(1);
    let or_zero =
        |result: Result<u32, loky::Error>| result.or_else(|why| if why.is_timeout() { Ok(0) } else { Err(why) });
    let slow = sleep_for.bind(ms(30_000)).on(&pool).timeout(ms(50));
    assert_eq!(or_zero(slow.run()).expect("the default"), 0);
    let quick = pid.bind().on(&pool).timeout(ms(30_000));
    assert_ne!(or_zero(quick.run()).expect("the value"), 0);
    let broken = panic_with.bind("no").on(&pool).timeout(ms(30_000));
    fails(or_zero(broken.run()), ErrorKind::Panic);
    let spans = [0, 30_000, 0].map(ms);
    let values = spans.into_iter().par_map(sleep_for).on(&pool).timeout(ms(1000)).map(or_zero);
    let values: Vec<u32> = values.collect::<Result<_, _>>().expect("no other error");
    assert!(values[0] > 0 && values[1] == 0 && values[2] > 0, "{values:?}");
}

fn timeout_11_each_item_of_a_map_has_its_limit() {
    let pool = pool_of(2);
    let quick = || (0..20_u64).map(|_| ms(1));
    let all: Result<Vec<_>, _> = quick().par_map(sleep_for).on(&pool).timeout(ms(30_000)).collect();
    assert_eq!(all.expect("quick ones pass").len(), 20);
    assert!(quick().par_map(sleep_for).on(&pool).timeout(ms(30_000)).unordered().all(|(_, result)| result.is_ok()));
    let slow = || (0..6_u64).map(|_| ms(30_000));
    for result in slow().par_map(sleep_for).on(&pool).timeout(ms(20)) {
        fails(result, ErrorKind::Timeout);
    }
    let mut seen = Vec::new();
    for (index, result) in slow().par_map(sleep_for).on(&pool).timeout(ms(20)).unordered() {
        fails(result, ErrorKind::Timeout);
        seen.push(index);
    }
    seen.sort_unstable();
    assert_eq!(seen, [0, 1, 2, 3, 4, 5]);
}

fn of_short_life(workers: usize, idle: Duration) -> Pool {
    Pool::builder().workers(workers).idle_timeout(Some(idle)).build().expect("a pool")
}

fn timeout_13_workers_that_leave_between_results() {
    let pool = of_short_life(4, ms(1));
    for round in 0..5 {
        let handles: Vec<_> = (0..8).map(|_| sleep_for.bind(ms(1)).on(&pool).spawn()).collect();
        for handle in handles {
            // Whoever takes the results takes its time: meanwhile workers leave.
            thread::sleep(ms(1));
            handle.join().unwrap_or_else(|why| panic!("round {round}: {why}"));
        }
    }
    assert_eq!(pool.stats().failed, 0);
}

/// Takes so long to be encoded.
#[derive(Clone, Copy)]
struct Slow(Duration);

impl Serialize for Slow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        thread::sleep(self.0);
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Slow {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Duration::deserialize(deserializer).map(Self)
    }
}

#[loky::task]
fn span_of(slow: Slow) -> Duration {
    slow.0
}

fn timeout_14_workers_that_leave_while_arguments_are_prepared() {
    for (idle, preparing) in [(10, 20), (10, 100), (100, 100), (1, 100)] {
        let pool = of_short_life(2, ms(idle));
        let handles: Vec<_> = (0..5).map(|_| span_of.bind(Slow(ms(preparing))).on(&pool).spawn()).collect();
        let spans = loky::join_all(handles).expect("those who have left are replaced");
        assert_eq!(spans, [ms(preparing); 5], "idle {idle} ms");
    }
}

fn timeout_15_a_pool_that_is_dropped_while_arguments_are_prepared() {
    let pool = of_short_life(2, ms(1));
    square.bind(1).on(&pool).run().expect("it is in use");
    let mine = pool.clone();
    let preparing = thread::spawn(move || span_of.bind(Slow(ms(1000))).on(&mine).spawn());
    drop(pool);
    let handle = preparing.join().expect("no panic");
    assert_eq!(handle.join().expect("who has a clone can spawn"), ms(1000));
    let pool = of_short_life(2, ms(1));
    let mine = pool.clone();
    let preparing = thread::spawn(move || span_of.bind(Slow(ms(500))).on(&mine).spawn());
    thread::sleep(ms(50));
    pool.shutdown();
    fails(preparing.join().expect("no panic").join(), ErrorKind::Shutdown);
}

fn timeout_18_to_leave_is_no_crash() {
    let (pool, words) = (of_short_life(2, ms(20)), Gate::new("words"));
    for round in 1..=3_u64 {
        let worker = leave_at_exit.bind(words.clone()).on(&pool).run().expect("a call");
        eventually("it leaves, and is reaped", || procfs::process(worker).is_none());
        assert_eq!(words.arrivals().len(), round as usize, "it ended as a program ends, and was not killed");
        let stats = pool.stats();
        assert_eq!((stats.failed, stats.deaths, stats.live), (0, round, 0), "{stats}");
    }
    assert_eq!(square.bind(3).on(&pool).run().expect("the pool is well"), 9);
}

/// Has this process leave a word when it ends in order.
#[loky::task]
fn leave_at_exit(words: Gate) -> u32 {
    loky_tests::sys::at_exit(move || leave_word(words, "left"));
    std::process::id()
}

fn timeout_19_after_all_have_left_as_many_start_as_are_needed() {
    let pool = of_short_life(4, ms(20));
    for (round, needed) in [3, 1, 4].into_iter().enumerate() {
        let gate = Gate::new(&format!("gate {round}"));
        let handles: Vec<_> = (0..needed).map(|x| meet.bind(gate.clone(), x).on(&pool).spawn()).collect();
        gate.await_arrivals(needed as usize);
        // They met, so as many are there; one more may have been started for what lay ready behind another call.
        assert!(procfs::workers().len() <= needed as usize + usize::from(needed > 1));
        gate.open();
        loky::join_all(handles).expect("all run");
        eventually("all have left", || procfs::children(std::process::id()).is_empty());
    }
}

fn timeout_24_a_waiters_own_limit_touches_nothing() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let running = meet.bind(gate.clone(), 7).on(&pool).spawn();
    let worker = gate.await_arrivals(1);
    let before = Instant::now();
    assert!(!running.wait_timeout(ms(50)) && !running.wait_timeout(Duration::ZERO));
    assert!(before.elapsed() >= ms(50));
    assert_eq!(running.status(), CallStatus::Running);
    gate.open();
    assert_eq!(running.join().expect("it ran on"), 7);
    assert_eq!(pid.bind().on(&pool).run().expect("in the same worker").to_string(), worker[0]);
}
