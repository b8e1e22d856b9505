//! How long a worker stays, and who follows it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::thread;

use loky::prelude::*;
use loky::{ErrorKind, Pool};
use loky_tests::tasks::{Blob, bytes, leave_word, meet, pid, sleep_for, square};
use loky_tests::{Case, Gate, Program, cases, eventually, fails, finish, ms, procfs, program, programs, stays};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

pub(crate) const CASES: &[Case] = cases![
    life_04_a_limit_of_one_and_a_shutdown_that_nobody_waits_for,
    life_05_a_limit_of_one_and_an_owner_that_is_gone,
    life_06_no_replacement_in_a_forced_shutdown,
    life_07_no_replacement_can_be_started,
    life_09_no_thread_can_be_had,
    life_10_initializers_and_finalizers_of_short_lives,
    life_11_long_results_at_a_change_of_workers,
    life_12_a_life_is_counted_in_items,
    life_13_a_pool_that_is_kept_has_the_same_workers,
    life_14_the_next_one_does_not_wait_for_the_last_one_to_leave,
    life_15_the_reusable_pool_has_stable_workers,
    timeout_21_some_stay_although_they_are_idle,
];

pub(crate) const PROGRAMS: &[Program] = programs![has_no_threads];

/// Workers that live for one call each, the first of which is held at the gate.
fn short_lived(gate: &Gate) -> (Pool, Vec<loky::JoinHandle<u64>>) {
    let pool = Pool::builder().workers(1).max_calls_per_worker(1).build().expect("a pool");
    let calls = (0..3).map(|value| meet.bind(gate.clone(), value).on(&pool).spawn()).collect();
    gate.await_arrivals(1);
    (pool, calls)
}

fn life_04_a_limit_of_one_and_a_shutdown_that_nobody_waits_for() {
    let gate = Gate::new("gate");
    let (pool, calls) = short_lived(&gate);
    let ending = thread::spawn({
        let pool = pool.clone();
        move || pool.shutdown()
    });
    eventually("it is asked for", || square.bind(1).on(&pool).spawn().is_finished());
    gate.open();
    assert_eq!(loky::join_all(calls).expect("all of them"), [0, 1, 2]);
    ending.join().expect("no panic");
}

fn life_05_a_limit_of_one_and_an_owner_that_is_gone() {
    let gate = Gate::new("gate");
    let (pool, calls) = short_lived(&gate);
    drop(pool);
    gate.open();
    assert_eq!(loky::join_all(calls).expect("what was spawned is finished"), [0, 1, 2]);
    eventually("nothing is left", || procfs::children(std::process::id()).is_empty());
}

fn life_06_no_replacement_in_a_forced_shutdown() {
    let gate = Gate::new("gate");
    let (pool, calls) = short_lived(&gate);
    pool.shutdown_now();
    for (number, call) in calls.into_iter().enumerate() {
        let error = fails(call.join(), ErrorKind::Shutdown);
        assert!(error.may_have_run() == (number == 0) && error.to_string().contains("shut down"), "{error}");
    }
    assert_eq!((pool.stats().launches, gate.arrivals().len()), (1, 1));
}

fn life_07_no_replacement_can_be_started() {
    let gate = Gate::new("gate");
    let (_pool, mut calls) = short_lived(&gate);
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit can be read");
    setrlimit(Resource::RLIMIT_NOFILE, 64.min(hard), hard).expect("a soft limit can be set");
    let mut hoard = Vec::new();
    // One that can be had again must be left to the worker that opens the gate.
    gate.open();
    while let Ok(file) = fs::File::open("/dev/null") {
        hoard.push(file);
    }
    assert_eq!(calls.remove(0).join().expect("it had a worker"), 0);
    for call in calls {
        let error = fails(call.join(), ErrorKind::Launch);
        let text = error.to_string();
        assert!(text.contains("could be started") && text.contains("os error 24"), "{text}");
        assert!(!error.may_have_run());
    }
    drop(hoard);
    setrlimit(Resource::RLIMIT_NOFILE, soft, hard).expect("a soft limit can be set");
}

/// May not have one thread more than it has.
fn has_no_threads() {
    let pool = Pool::builder().workers(1).build().expect("a pool");
    assert_eq!(square.bind(2).on(&pool).run().expect("before"), 4);
    setrlimit(Resource::RLIMIT_NPROC, 0, 0).expect("a limit can be lowered");
    assert!(thread::Builder::new().spawn(|| {}).is_err(), "this program may have threads: it proves nothing");
    let late = Pool::builder().workers(1).build().expect("nothing is started yet");
    for _ in 0..2 {
        let error = fails(square.bind(3).on(&late).run(), ErrorKind::Launch);
        assert!(!error.may_have_run() && error.to_string().contains("could not be started"), "{error}");
    }
    late.shutdown();
    let (sender, receiver) = std::sync::mpsc::channel();
    square.bind(5).on(&pool).spawn().on_done(move |result| sender.send(result).expect("it is awaited"));
    assert_eq!(receiver.recv().expect("told on another thread").expect("a result"), 25);
    pool.shutdown();
}

fn life_09_no_thread_can_be_had() {
    let mut program = program("has_no_threads");
    if fs::metadata("/proc/self").expect("it is there").uid() == 0 {
        // Such a limit does not hold for root.
        program.uid(65534);
    }
    let status = program.status().expect("it can be started");
    assert!(status.success(), "{status}");
}

fn life_10_initializers_and_finalizers_of_short_lives() {
    for (name, lifespan, counts) in [("long", None, 2..=2), ("short", Some(1), 10..=12)] {
        let (begun, ended) = (Gate::new(&format!("{name} begun")), Gate::new(&format!("{name} ended")));
        let builder = Pool::builder().workers(2).initializer(leave_word.bind(begun.clone(), "begun"));
        let builder = builder.finalizer(leave_word.bind(ended.clone(), "ended"), |end| end.expect("it is well"));
        let builder = lifespan.into_iter().fold(builder, |builder, calls| builder.max_calls_per_worker(calls));
        let pool = builder.build().expect("a pool");
        if lifespan.is_none() {
            pool.warm_up();
        }
        assert_eq!((0..10_u64).par_map(square).on(&pool).unwrap_all().len(), 10);
        pool.shutdown();
        let (begun, ended) = (begun.arrivals().len(), ended.arrivals().len());
        assert!(counts.contains(&begun) && (*counts.start()..=begun).contains(&ended), "{begun} {ended}");
    }
}

fn life_11_long_results_at_a_change_of_workers() {
    let pool = Pool::builder().workers(2).max_calls_per_worker(2).build().expect("a pool");
    let all: Vec<Blob> = [1_usize << 20; 40].par_map(bytes).on(&pool).unwrap_all();
    assert!(all.len() == 40 && all.iter().all(|blob| blob.0.len() == 1 << 20));
    assert!(pool.stats().launches >= 20, "{:?}", pool.stats());
}

#[loky::task]
fn pid_for(_item: u64) -> u32 {
    std::process::id()
}

fn items_per_worker(pool: &Pool, chunk: Option<usize>, items: u64) -> Vec<usize> {
    let all = (0..items).par_map(pid_for).on(pool);
    let all = if let Some(chunk) = chunk { all.chunk_size(chunk).unwrap_all() } else { all.unwrap_all() };
    let counts = all.into_iter().fold(BTreeMap::new(), |mut counts, pid| {
        *counts.entry(pid).or_insert(0) += 1;
        counts
    });
    counts.into_values().collect()
}

fn life_12_a_life_is_counted_in_items() {
    let pool = |lifespan| Pool::builder().workers(1).max_calls_per_worker(lifespan).build().expect("a pool");
    assert_eq!(items_per_worker(&pool(4), Some(2), 16), [4; 4]);
    assert_eq!(items_per_worker(&pool(5), Some(2), 12), [6; 2], "the chunk in which the limit lies is not cut");
    assert_eq!(items_per_worker(&pool(4), Some(8), 32), [8; 4]);
    let chosen = items_per_worker(&pool(50), None, 1000);
    assert!(chosen.iter().all(|&items| items < 100), "no chunk is chosen that is longer than a life: {chosen:?}");
    assert!(chosen.len() > 10, "{chosen:?}");
}

#[loky::task]
fn pid_after(_item: u64) -> u32 {
    thread::sleep(ms(2));
    std::process::id()
}

fn life_13_a_pool_that_is_kept_has_the_same_workers() {
    let pool = Pool::builder().workers(2).build().expect("a pool");
    pool.warm_up();
    let all: BTreeSet<_> = pool.stats().pids.into_iter().collect();
    let of = |pids: Vec<u32>| pids.into_iter().collect::<BTreeSet<_>>();
    assert_eq!(of((0..20_u64).par_map(pid_after).on(&pool).unwrap_all()), all);
    let other_options = (0..20_u64).par_map(pid_for).on(&pool).timeout(ms(20_000)).chunk_size(3).unwrap_all();
    assert!(of(other_options).is_subset(&all), "another task and other options need no other workers");
    let limited = sleep_for.bind(ms(1)).on(&pool).timeout(ms(20_000)).retries(1).priority(3);
    assert!(all.contains(&limited.run().expect("a call")));
    assert_eq!(of(pool.stats().pids), all);
    pool.shutdown();
    let next = Pool::builder().workers(2).build().expect("a pool");
    assert!(of((0..20_u64).par_map(pid_after).on(&next).unwrap_all()).is_disjoint(&all), "a new pool has new ones");
}

fn life_14_the_next_one_does_not_wait_for_the_last_one_to_leave() {
    let (gate, told) = (Gate::new("gate"), |_: Result<u64, loky::Error>| {});
    let finalizer = meet.bind(gate.clone(), 1).timeout(ms(50_000));
    let builder = Pool::builder().workers(1).max_calls_per_worker(1).finalizer(finalizer, told);
    let pool = builder.build().expect("a pool");
    let calls: Vec<_> = (0..4).map(|_| pid.bind().on(&pool).spawn()).collect();
    let pids: BTreeSet<_> = loky::join_all(calls).expect("they are served meanwhile").into_iter().collect();
    assert_eq!(pids.len(), 4);
    let leaving: BTreeSet<_> = gate.await_arrivals(4).iter().map(|pid| pid.parse().expect("a pid")).collect();
    assert_eq!(leaving, pids, "all of them are still leaving");
    gate.open();
    pool.shutdown();
}

fn life_15_the_reusable_pool_has_stable_workers() {
    loky::reusable(Pool::builder().workers(2)).expect("a pool").warm_up();
    let all: BTreeSet<_> = loky::pool().stats().pids.into_iter().collect();
    for round in 0..10 {
        loky::reusable(Pool::builder().workers(2)).expect("the same");
        let pids: BTreeSet<_> = (0..10_u64).par_map(pid_after).unwrap_all().into_iter().collect();
        assert!(pids.is_subset(&all), "round {round}: {pids:?} are not {all:?}");
    }
    finish();
}

fn timeout_21_some_stay_although_they_are_idle() {
    let builder = Pool::builder().workers(3).idle_timeout(Some(ms(20)));
    let pool = builder.clone().min_workers(1).build().expect("a pool");
    pool.warm_up();
    eventually("the others leave", || procfs::workers().len() == 1);
    stays("and one stays", ms(300), || procfs::workers().len() == 1);
    let left = pool.stats().pids;
    assert_eq!([pid.bind().on(&pool).run().expect("a call")][..], left[..], "it serves the next call");
    loky_tests::tasks::kill_process(left[0]);
    eventually("it is gone", || procfs::workers().is_empty());
    stays("it is not replaced before there is work", ms(100), || procfs::workers().is_empty());
    pid.bind().on(&pool).run().expect("a call");
    stays("and stays", ms(200), || procfs::workers().len() == 1);
    pool.shutdown();
    let error = fails(builder.min_workers(4).build().map(drop), ErrorKind::Config);
    assert!(error.to_string().contains("min_workers(4)"), "{error}");
}
