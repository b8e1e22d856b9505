//! The numbers of a pool, beside what it has really done.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use loky::prelude::*;
use loky::{Pool, PoolStats};
use loky_tests::tasks::{Blob, add, echo, meet, pid, sleep_for, square};
use loky_tests::{Case, Gate, cases, eventually, ms, pool_of};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

pub(crate) const CASES: &[Case] = cases![
    stats_01_each_worker_tells_of_its_calls_and_its_life,
    stats_02_times_are_those_of_the_calls,
    stats_03_how_long_calls_wait_is_known_while_they_do_and_afterwards,
    stats_04_without_timings_there_are_none,
    stats_05_bytes_are_those_of_arguments_and_results,
    stats_06_memory_and_processor_time_are_those_of_the_process,
    stats_07_a_chunk_counts_as_a_call_and_its_items_are_counted,
    stats_08_they_can_be_read_by_people_and_by_programs,
    stats_09_tries_are_counted_one_by_one,
    stats_10_many_tasks_are_told_apart_up_to_a_bound,
    stats_11_a_pool_with_timings_is_another_one,
];

fn timed(workers: usize) -> Pool {
    Pool::builder().workers(workers).timings(true).build().expect("a pool")
}

fn stats_01_each_worker_tells_of_its_calls_and_its_life() {
    let began = Instant::now();
    let pool = pool_of(2);
    pool.warm_up();
    let ready_within = began.elapsed();
    let (one, other) = (Gate::new("one"), Gate::new("other"));
    let handles = [meet.bind(one.clone(), 1).on(&pool).spawn(), meet.bind(other.clone(), 2).on(&pool).spawn()];
    let pids = [one.await_arrivals(1), other.await_arrivals(1)].concat();
    other.open();
    let [first, second] = handles;
    second.join().expect("a call");
    for _ in 0..5 {
        let told = pid.bind().on(&pool).run().expect("a call");
        assert_eq!(told.to_string(), pids[1], "the other one is at the gate");
    }
    let stats = pool.stats();
    let calls =
        |pid: &str| stats.workers.iter().find(|worker| worker.pid.to_string() == pid).map(|worker| worker.calls);
    assert_eq!((calls(&pids[0]), calls(&pids[1])), (Some(0), Some(6)), "{stats}");
    assert_eq!(stats.workers.iter().map(|worker| worker.index).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(stats.pids, stats.workers.iter().map(|worker| worker.pid).collect::<Vec<_>>());
    for worker in &stats.workers {
        let start_up = worker.start_up.expect("it is ready");
        assert!(!start_up.is_zero() && start_up <= ready_within, "{start_up:?} of {ready_within:?}");
        assert!(start_up <= worker.age && worker.age <= began.elapsed(), "{worker:?}");
    }
    one.open();
    first.join().expect("a call");
    assert_eq!(pool.stats().workers.iter().map(|worker| worker.calls).sum::<u64>(), 7);
}

fn stats_02_times_are_those_of_the_calls() {
    let pool = timed(1);
    pool.warm_up();
    let began = Instant::now();
    for length in [20, 20, 60] {
        sleep_for.bind(ms(length)).on(&pool).run().expect("a call");
    }
    add.bind(1, 2).on(&pool).run().expect("a call");
    let (all, stats) = (began.elapsed(), pool.stats());
    let [sleeping, adding] = &stats.tasks[..] else { panic!("two tasks: {stats}") };
    assert!(sleeping.task.ends_with("sleep_for") && adding.task.ends_with("add"), "{stats}");
    let run = sleeping.run;
    assert_eq!((run.count, adding.run.count, sleeping.queue.count, sleeping.items), (3, 1, 3, 3));
    assert!(run.max >= ms(60) && run.max <= all && run.p99 <= run.max, "{run:?} of {all:?}");
    let near = |told: Duration, least: u64| told >= ms(least).mul_f64(0.96) && told <= all;
    assert!(near(run.p50, 20) && near(run.p90, 60) && run.p50 <= run.p90, "{run:?}");
    let worker = &stats.workers[0];
    let (busy, idle) = (worker.busy.expect("it is measured"), worker.idle.expect("likewise"));
    assert!(busy >= ms(100) && busy <= all, "{busy:?} of {all:?}");
    let life = worker.age - worker.start_up.expect("it is ready");
    assert!(life.abs_diff(busy + idle) < ms(1), "{busy:?} and {idle:?} are {life:?}");
}

fn stats_03_how_long_calls_wait_is_known_while_they_do_and_afterwards() {
    let pool = timed(1);
    let gate = Gate::new("gate");
    let first = meet.bind(gate.clone(), 1).on(&pool).spawn();
    gate.await_arrivals(1);
    assert_eq!((pool.stats().queued, pool.stats().oldest_queued), (0, None));
    let began = Instant::now();
    let waiting: Vec<_> = (0..20).map(|x| square.bind(x).on(&pool).spawn()).collect();
    eventually("they wait for a while", || began.elapsed() > ms(50));
    let urgent = add.bind(1, 1).on(&pool).priority(5).spawn();
    let stats = pool.stats();
    let oldest = stats.oldest_queued.expect("there is one");
    assert!(oldest >= ms(50) && oldest <= began.elapsed() && stats.queued == 21, "{stats}");
    gate.open();
    let waited = began.elapsed();
    loky::join_all(waiting).expect("calls");
    urgent.join().expect("a call");
    first.join().expect("a call");
    let stats = pool.stats();
    let squares = stats.tasks.iter().find(|task| task.task.ends_with("square")).expect("it has run");
    assert_eq!((squares.queue.count, stats.oldest_queued), (20, None));
    assert!(squares.queue.p50 >= waited.mul_f64(0.96) && squares.queue.max <= began.elapsed(), "{stats}");
}

fn stats_04_without_timings_there_are_none() {
    let pool = pool_of(1);
    let gate = Gate::new("gate");
    let handles = [meet.bind(gate.clone(), 1).on(&pool).spawn(), meet.bind(gate.clone(), 1).on(&pool).spawn()];
    gate.await_arrivals(1);
    let stats = pool.stats();
    assert!(stats.tasks.is_empty() && stats.oldest_queued.is_none() && stats.queued == 1, "{stats}");
    assert!(stats.workers.iter().all(|worker| worker.busy.is_none() && worker.idle.is_none()), "{stats}");
    gate.open();
    loky::join_all(handles).expect("calls");
}

fn stats_05_bytes_are_those_of_arguments_and_results() {
    const LEN: u64 = 1 << 20;
    let pool = pool_of(1);
    pool.warm_up();
    let before = pool.stats();
    let blob = echo.bind(Blob(vec![1; LEN as usize])).on(&pool).run().expect("a call");
    assert_eq!(blob.0.len() as u64, LEN);
    let assert_close = |stats: &PoolStats, calls: u64| {
        let [sent, received] = [stats.bytes_sent - before.bytes_sent, stats.bytes_received - before.bytes_received];
        let range = calls * LEN..calls * LEN + 1000;
        assert!(range.contains(&sent) && range.contains(&received), "{sent} sent, {received} received: {stats}");
    };
    assert_close(&pool.stats(), 1);
    echo.bind(Blob(vec![1; LEN as usize])).on(&pool).run().expect("a call");
    assert_close(&pool.stats(), 2);
    pool.shutdown();
    assert_close(&pool.stats(), 2);
    let (small, pool) = ((0..100_u64).collect::<Vec<_>>(), pool_of(1));
    let squares: Vec<u64> = small.into_iter().par_map(square).on(&pool).map(|item| item.expect("an item")).collect();
    let stats = pool.stats();
    assert!(squares.len() == 100 && (100..20_000).contains(&stats.bytes_received), "{stats}");
}

static HELD: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Has so many bytes of memory from now on.
#[loky::task]
fn hold(bytes: usize) {
    *HELD.lock().expect("one call at a time") = vec![7; bytes];
}

/// Uses so many milliseconds of the processor, however long that takes.
#[loky::task]
fn compute(length: i64) {
    let used = || {
        let usage = getrusage(UsageWho::RUSAGE_SELF).expect("the kernel knows");
        usage.user_time().num_milliseconds() + usage.system_time().num_milliseconds()
    };
    let end = used() + length;
    while used() < end {}
}

fn stats_06_memory_and_processor_time_are_those_of_the_process() {
    const LEN: u64 = 64 << 20;
    let pool = pool_of(1);
    let now = |pool: &Pool| pool.stats().workers[0].clone();
    pid.bind().on(&pool).run().expect("a call");
    let before = now(&pool);
    assert!(before.memory > 0 && before.memory <= before.memory_peak, "{before:?}");
    hold.bind(LEN as usize).on(&pool).run().expect("a call");
    let full = now(&pool);
    assert!(full.memory >= before.memory + LEN * 9 / 10 && full.memory < before.memory + 2 * LEN, "{full:?}");
    hold.bind(0).on(&pool).run().expect("a call");
    let after = now(&pool);
    assert!(after.memory < full.memory && after.memory_peak >= before.memory + LEN * 9 / 10, "{after:?}");
    compute.bind(300).on(&pool).run().expect("a call");
    let used = now(&pool).cpu_time - after.cpu_time;
    assert!(used >= ms(270) && used < ms(600), "{used:?}");
}

fn stats_07_a_chunk_counts_as_a_call_and_its_items_are_counted() {
    let pool = timed(2);
    let results: Vec<u64> = (0..1000).par_map(square).on(&pool).map(|item| item.expect("an item")).collect();
    assert_eq!(results.len(), 1000);
    let stats = pool.stats();
    let [squares] = &stats.tasks[..] else { panic!("one task: {stats}") };
    assert_eq!((squares.items, squares.run.count), (1000, stats.submitted), "{stats}");
    assert_eq!(stats.workers.iter().map(|worker| worker.calls).sum::<u64>(), stats.submitted);
}

fn stats_08_they_can_be_read_by_people_and_by_programs() {
    let pool = Pool::builder().workers(2).name("gallery").timings(true).build().expect("a pool");
    (0..10).for_each(|x| drop(square.bind(x).on(&pool).run()));
    let stats = pool.stats();
    let told = stats.to_string();
    println!("{told}");
    assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
    for part in ["gallery: 1 of 2 workers", "10 succeeded", "tasks::square", &stats.pids[0].to_string(), "start-up"] {
        assert!(told.contains(part), "{part} in\n{told}");
    }
    let json = serde_json::to_value(&stats).expect("they can be serialized");
    assert_eq!((&json["name"], &json["succeeded"]), (&"gallery".into(), &10.into()));
    assert_eq!(json["workers"][0]["calls"], 10);
    assert_eq!(json["tasks"][0]["run"]["count"], 10);
    assert_eq!(json["deaths_by_cause"]["crash"], 0);
}

fn stats_09_tries_are_counted_one_by_one() {
    let (pool, gate) = (timed(1), Gate::new("tries"));
    let attempt = loky_tests::tasks::survive_from.bind(3, gate.clone()).on(&pool).retries(5).run().expect("the third");
    let stats = pool.stats();
    assert_eq!((attempt, stats.tasks[0].run.count, stats.deaths_by_cause.crash), (3, 3, 2), "{stats}");
    assert_eq!((stats.submitted, stats.succeeded), (1, 1));
    let never = add.bind(1, 1).on(&pool).queue_timeout(Duration::ZERO);
    let blocked = sleep_for.bind(ms(30)).on(&pool).spawn();
    never.run().expect_err("it never runs");
    blocked.join().expect("a call");
    assert!(pool.stats().tasks.iter().all(|task| !task.task.ends_with("add")), "what never ran has no times");
}

/// An instance for each number.
#[loky::task]
fn numbered<const N: u32>() -> u32 {
    N
}

fn stats_10_many_tasks_are_told_apart_up_to_a_bound() {
    let pool = timed(1);
    let told =
        numbered::<1>.bind().on(&pool).run().expect("a call") + numbered::<2>.bind().on(&pool).run().expect("a call");
    let stats = pool.stats();
    assert_eq!((told, stats.tasks.iter().map(|task| task.run.count).sum::<u64>()), (3, 2), "{stats}");
}

fn stats_11_a_pool_with_timings_is_another_one() {
    let plain = loky::reusable(Pool::builder().workers(1)).expect("a pool");
    pid.run().expect("a call");
    let timed = loky::reusable(Pool::builder().workers(1).timings(true)).expect("a pool");
    pid.run().expect("a call");
    assert_eq!((plain.stats().tasks.len(), timed.stats().tasks.len()), (0, 1));
    drop(plain);
    loky_tests::finish();
}
