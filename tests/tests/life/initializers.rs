//! What each worker runs before its first call.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use loky::prelude::*;
use loky::{ErrorKind, Pool};
use loky_tests::tasks::{Death, add, die, kill_process, leave_word, pid, square};
use loky_tests::thorn::{Fault, Moment, Thorn};
use loky_tests::{Case, Gate, cases, eventually, fails, finish, ms, procfs};

pub(crate) const CASES: &[Case] = cases![
    init_01_it_runs_before_the_first_call_of_each_worker,
    init_06_it_runs_again_in_replacements,
    init_07_several_run_in_order,
    init_08_what_one_switches_on_is_on_for_all_calls,
    init_11_without_one_nothing_runs,
    init_13_by_the_builder_and_by_the_reusable_pool,
    init_14_it_knows_who_it_is,
    init_15_copies_and_spares_have_it_too,
    init_16_a_closure_and_long_arguments,
    init_17_what_has_no_meaning_is_refused,
    init_18_an_argument_that_cannot_be_encoded_is_told_by_build,
];

/// What the initializer of this worker was told; 0 without one.
static TOLD: AtomicU64 = AtomicU64::new(0);

#[loky::task]
fn tell(gate: Gate, value: u64) {
    gate.arrive(&std::process::id().to_string());
    TOLD.store(value, Ordering::Relaxed);
}

#[loky::task]
fn try_to_tell(value: u64) -> Result<(), String> {
    TOLD.store(value, Ordering::Relaxed);
    Ok(())
}

/// What this worker was told, and which it is.
#[loky::task]
fn told() -> (u64, u32) {
    (TOLD.load(Ordering::Relaxed), std::process::id())
}

/// The same of so many workers, who wait for each other.
fn told_in_each(pool: &Pool, name: &str, workers: usize) -> BTreeSet<(u64, u32)> {
    let gate = Gate::new(name);
    let calls: Vec<_> = (0..workers).map(|_| meet_and_tell.bind(gate.clone()).on(pool).spawn()).collect();
    gate.await_arrivals(workers);
    gate.open();
    loky::join_all(calls).expect("calls").into_iter().collect()
}

#[loky::task]
fn meet_and_tell(gate: Gate) -> (u64, u32) {
    gate.arrive("here");
    gate.pass();
    told()
}

fn init_01_it_runs_before_the_first_call_of_each_worker() {
    let gate = Gate::new("initialized");
    let pool = Pool::builder().workers(2).initializer(tell.bind(gate.clone(), 7)).build().expect("a pool");
    assert_eq!(gate.arrivals(), Vec::<String>::new(), "to build a pool starts nothing");
    for look in ["first", "second"] {
        let told = told_in_each(&pool, look, 2);
        assert!(told.len() == 2 && told.iter().all(|&(value, _)| value == 7), "{told:?}");
        let pids: BTreeSet<_> = told.iter().map(|(_, pid)| pid.to_string()).collect();
        assert_eq!(gate.arrivals().into_iter().collect::<BTreeSet<_>>(), pids);
        assert_eq!(gate.arrivals().len(), 2, "once in each");
    }
}

fn init_06_it_runs_again_in_replacements() {
    let gate = Gate::new("initialized");
    let pool = Pool::builder().workers(1).initializer(tell.bind(gate.clone(), 3)).build().expect("a pool");
    let (_, first) = told.bind().on(&pool).run().expect("a call");
    fails(die.bind(Death::Abort).on(&pool).run(), ErrorKind::Crash);
    let (value, second) = told.bind().on(&pool).run().expect("a call");
    assert!(value == 3 && second != first);
    kill_process(second);
    eventually("its death is noticed", || pool.stats().live == 0);
    let (value, third) = told.bind().on(&pool).run().expect("a call");
    assert_eq!((value, gate.arrivals()), (3, [first, second, third].map(|pid| pid.to_string()).to_vec()));
}

fn init_07_several_run_in_order() {
    let (words, gate) = (Gate::new("words"), Gate::new("gate"));
    let pool = Pool::builder()
        .workers(1)
        .initializer(leave_word.bind(words.clone(), "first"))
        .initializer(try_to_tell.bind(1))
        .initializer(leave_word.bind(words.clone(), "second"))
        .initializer(tell.bind(gate, 2))
        .initializer(leave_word.bind(words.clone(), "third"))
        .build()
        .expect("a pool");
    assert_eq!(told.bind().on(&pool).run().expect("a call").0, 2, "the later one has the last word");
    assert_eq!(words.arrivals(), ["first", "second", "third"]);
}

fn init_08_what_one_switches_on_is_on_for_all_calls() {
    let switched = Pool::builder().workers(2).initializer(try_to_tell.bind(1)).build().expect("a pool");
    let all: Vec<_> = (0..200_u64).par_map(level_for).on(&switched).unwrap_all();
    assert_eq!(all, vec![1; 200]);
    let plain = Pool::builder().workers(2).build().expect("a pool");
    assert_eq!((0..20_u64).par_map(level_for).on(&plain).unwrap_all(), vec![0; 20], "a pool without it has none of it");
    assert_eq!(told().0, 0, "nor has the program");
}

#[loky::task]
fn level_for(_item: u64) -> u64 {
    TOLD.load(Ordering::Relaxed)
}

fn init_11_without_one_nothing_runs() {
    let pool = Pool::builder().workers(1).build().expect("a pool");
    assert_eq!(told.bind().on(&pool).run().expect("a call").0, 0);
    pool.shutdown();
}

fn init_13_by_the_builder_and_by_the_reusable_pool() {
    let with = |value: u64| Pool::builder().workers(1).initializer(try_to_tell.bind(value));
    let own = with(4).build().expect("a pool");
    assert_eq!(told.bind().on(&own).run().expect("a call").0, 4);
    let shared = loky::reusable(with(5)).expect("a pool");
    let (value, pid) = told.run().expect("a call");
    assert_eq!(value, 5);
    loky::reusable(with(5)).expect("a pool");
    assert_eq!(told.run().expect("a call"), (5, pid), "the same task with the same bytes is the same pool");
    loky::reusable(with(6)).expect("a pool");
    let (value, other) = told.run().expect("a call");
    assert!(value == 6 && other != pid, "other bytes are another pool");
    loky::reusable(with(6).initializer(try_to_tell.bind(6))).expect("a pool");
    assert_ne!(told.run().expect("a call").1, other, "and so is one more");
    loky::reusable(Pool::builder().workers(1)).expect("a pool");
    assert_eq!(told.run().expect("a call").0, 0);
    drop(shared);
    finish();
}

fn init_14_it_knows_who_it_is() {
    let gate = Gate::new("gate");
    let pool = Pool::builder().workers(1).name("gallery").initializer(introduce.bind(gate.clone())).build();
    let worker = pid.bind().on(&pool.expect("a pool")).run().expect("a call");
    assert_eq!(gate.arrivals(), [format!("true 0 {worker} gallery initializers::introduce 1")]);
}

#[loky::task]
fn introduce(gate: Gate) {
    let who = loky::worker().expect("it runs in a worker");
    let task = who.task.split_once("::").map_or("", |(_, path)| path);
    let is_worker = loky::is_worker();
    gate.arrive(&format!("{is_worker} {} {} {} {task} {}", who.index, who.pid, who.pool, who.attempt));
}

fn init_15_copies_and_spares_have_it_too() {
    let gate = Gate::new("initialized");
    let builder = Pool::builder().workers(2).spares(1).zygote(true).initializer(tell.bind(gate.clone(), 8));
    let pool = builder.build().expect("a pool");
    pool.warm_up();
    let (mut initialized, mut workers) = (gate.arrivals(), pool.stats().pids);
    initialized.sort_unstable_by_key(|pid| pid.parse::<u32>().expect("a pid"));
    workers.sort_unstable();
    assert_eq!(initialized, workers.iter().map(u32::to_string).collect::<Vec<_>>());
    assert_eq!(told_in_each(&pool, "look", 2).into_iter().map(|(value, _)| value).collect::<Vec<_>>(), [8, 8]);
}

fn init_16_a_closure_and_long_arguments() {
    let numbers: Vec<f64> = (0..100_000).map(f64::from).collect();
    let offset = 5;
    let store = loky::closure!(|sum: u64| TOLD.store(sum + offset, Ordering::Relaxed));
    let builder = Pool::builder().workers(1).initializer(sum_up.bind(&numbers)).initializer(store.bind(1));
    let pool = builder.build().expect("a pool");
    assert_eq!(told.bind().on(&pool).run().expect("a call").0, 6);
    let pool = Pool::builder().workers(1).initializer(sum_up.bind(&numbers)).build().expect("a pool");
    assert_eq!(told.bind().on(&pool).run().expect("a call").0, 4_999_950_000);
}

#[loky::task]
fn sum_up(numbers: &[f64]) -> Result<(), f64> {
    TOLD.store(numbers.iter().sum::<f64>() as u64, Ordering::Relaxed);
    Ok(())
}

fn init_17_what_has_no_meaning_is_refused() {
    let call = || try_to_tell.bind(1);
    let other = Pool::builder().workers(1).build().expect("a pool");
    let refused = [
        (call().on(&other), "on"),
        (call().retries(1), "retries"),
        (call().priority(1), "priority"),
        (call().queue_timeout(ms(1)), "queue_timeout"),
        (call().deadline(ms(1)), "deadline"),
    ];
    for (call, option) in refused {
        for builder in [Pool::builder().initializer(call.clone()), Pool::builder().finalizer(call.clone(), drop)] {
            let error = fails(builder.clone().build().map(drop), ErrorKind::Config);
            let text = error.to_string();
            assert!(text.contains(&format!("`.{option}(")) && text.contains("try_to_tell"), "{text}");
            fails(loky::reusable(builder).map(drop), ErrorKind::Config);
        }
    }
    Pool::builder().initializer(call().timeout(ms(1))).build().expect("a limit has a meaning");
}

#[loky::task]
fn take(_thorn: Thorn) {}

fn init_18_an_argument_that_cannot_be_encoded_is_told_by_build() {
    let thorn = Thorn { moment: Moment::Encode, fault: Fault::Error };
    let builder = Pool::builder().initializer(take.bind(thorn)).initializer(try_to_tell.bind(1).retries(1));
    let error = fails(builder.build().map(drop), ErrorKind::Encode);
    assert!(
        error.task().is_some_and(|task| task.ends_with("take")),
        "the first fault is the one that is told: {error}"
    );
    let builder = Pool::builder().finalizer(take.bind(thorn), drop);
    fails(builder.build().map(drop), ErrorKind::Encode);
    assert_eq!((add(1, 2), square(2), procfs::workers()), (3, 4, vec![]));
}
