//! Spawning: what starts, when, how many processes it takes, and that nothing is mixed up.

use std::collections::BTreeSet;
use std::thread;

use loky::prelude::*;
use loky::{ErrorKind, JoinHandle};
use loky_tests::tasks::{add, leave_word, meet, pid, sleep_for, square, take_thorn};
use loky_tests::thorn::{Fault, Moment, Thorn};
use loky_tests::{Case, Gate, cases, eventually, fails, finish, ms, pool_of, procfs, stays};
use serde::{Deserialize, Serialize};

pub(crate) const CASES: &[Case] = cases![
    submit_01_every_form_gives_the_result,
    submit_02_fields_may_have_any_name,
    submit_03_nothing_exists_before_the_first_call,
    submit_04_calls_in_a_row_need_one_worker,
    submit_05_three_calls_at_once_need_three_workers_at_most,
    submit_06_a_full_pool_queues_without_blocking,
    submit_07_two_workers_share_five_calls,
    submit_08_ten_threads_mix_everything,
    submit_09_two_hundred_thousand_calls: 180,
    submit_10_the_queue_never_limits_concurrency,
    submit_11_arguments_that_fail_take_no_room,
    submit_12_a_panic_after_spawn_harms_no_call,
    submit_15_nothing_travels_as_nothing,
    submit_18_tasks_of_every_shape,
    submit_22_two_pools_are_strangers,
    submit_what_waits_behind_a_busy_worker_goes_to_a_free_one,
];

fn submit_01_every_form_gives_the_result() {
    assert_eq!(add(2, 8), 10, "still a plain function");
    assert_eq!(add.spawn(2, 8).join().expect("the dot form"), 10);
    assert_eq!(add::spawn(2, 8).join().expect("the path form"), 10);
    assert_eq!(add.run(2, 8).expect("spawn and join"), 10);
    assert_eq!(add::run(2, 8).expect("spawn and join"), 10);
    let call = add.bind(2, 8);
    assert_eq!(call.clone().run().expect("a call may be run"), 10);
    assert_eq!(call.spawn().join().expect("and its clone too"), 10);
    assert_eq!((1..4).map(square).sum::<u64>(), 14, "still a function item");
    finish();
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Awkward {
    task: u8,
    call: u8,
    args: u8,
    r#fn: u8,
    self_: u8,
}

#[loky::task]
fn flip(awkward: Awkward, args: u8, task: u8) -> Awkward {
    Awkward { task: awkward.call, call: awkward.task, args, r#fn: task, ..awkward }
}

fn submit_02_fields_may_have_any_name() {
    let given = Awkward { task: 1, call: 2, args: 3, r#fn: 4, self_: 5 };
    let flipped = flip.run(given, 6, 7).expect("names are no obstacle");
    assert_eq!(flipped, Awkward { task: 2, call: 1, args: 6, r#fn: 7, self_: 5 });
    finish();
}

fn submit_03_nothing_exists_before_the_first_call() {
    let before = (procfs::threads().len(), procfs::descriptors());
    let own = pool_of(4);
    let shared = loky::pool();
    let call = add.bind(1, 2).on(&own);
    assert_eq!((procfs::threads().len(), procfs::descriptors()), before);
    assert!(procfs::workers().is_empty());
    assert_eq!(call.run().expect("the first call"), 3);
    assert_eq!(procfs::workers().len(), 1, "the first call makes the first worker");
    drop((own, shared));
}

fn submit_04_calls_in_a_row_need_one_worker() {
    let pool = pool_of(5);
    let pids: BTreeSet<u32> = (0..3).map(|_| pid.bind().on(&pool).run().expect("a call")).collect();
    assert_eq!(pids.len(), 1);
    assert_eq!(procfs::workers(), pids.into_iter().collect::<Vec<_>>());
}

fn submit_05_three_calls_at_once_need_three_workers_at_most() {
    let pool = pool_of(4);
    let spawn = |x: u64| square.bind(x).on(&pool).spawn();
    let mut handles = Vec::new();
    for x in 0..3 {
        assert_eq!(spawn(x).join().expect("awaited at once"), x * x);
        handles.push(spawn(x));
    }
    assert!(procfs::workers().len() <= 3, "{:?}", procfs::workers());
    assert_eq!(loky::join_all(handles).expect("the others"), [0, 1, 4]);
}

fn submit_06_a_full_pool_queues_without_blocking() {
    let (pool, gate) = (pool_of(3), Gate::new("gate"));
    let handles: Vec<_> = (0..45).map(|x| meet.bind(gate.clone(), x).on(&pool).spawn()).collect();
    gate.await_arrivals(3);
    stays("three workers hold three calls", ms(100), || gate.arrivals().len() == 3 && procfs::workers().len() == 3);
    gate.open();
    assert_eq!(loky::join_all(handles).expect("all finish"), (0..45).collect::<Vec<_>>());
    assert_eq!(procfs::workers().len(), 3);
}

fn submit_07_two_workers_share_five_calls() {
    let pool = pool_of(2);
    let handles: Vec<_> = (0..5).map(|_| sleep_for.bind(ms(100)).on(&pool).spawn()).collect();
    let pids: BTreeSet<u32> = loky::join_all(handles).expect("all sleep well").into_iter().collect();
    assert_eq!(pids.len(), 2);
}

fn submit_08_ten_threads_mix_everything() {
    thread::scope(|scope| {
        for number in 0..10 {
            scope.spawn(move || {
                if number % 2 == 0 {
                    thread::sleep(ms(1));
                }
                mix(number * 1000);
            });
        }
    });
    finish();
}

/// Two maps around twenty single calls, every second of which is cancelled at once.
fn mix(first: u64) {
    let map = || (first..first + 40).par_map(square).unwrap_all();
    let expected: Vec<u64> = (first..first + 40).map(square).collect();
    assert_eq!(map(), expected);
    let handles: Vec<_> = (first..first + 20).map(|x| (x, square.spawn(x))).collect();
    for (_, handle) in handles.iter().filter(|(x, _)| x % 2 == 1) {
        handle.cancel();
    }
    for (x, handle) in handles {
        match handle.join() {
            Ok(result) => assert_eq!(result, x * x),
            Err(error) => assert!(x % 2 == 1 && error.is_cancelled(), "{x}: {error}"),
        }
    }
    assert_eq!(map(), expected);
}

fn submit_09_two_hundred_thousand_calls() {
    let pool = pool_of(2);
    let handles: Vec<_> = (0..200_000).map(|x| square.bind(x).on(&pool).spawn()).collect();
    for (x, handle) in (0..).zip(handles) {
        assert_eq!(handle.join().expect("each of them"), x * x);
    }
}

fn submit_10_the_queue_never_limits_concurrency() {
    let as_if_cpus = BTreeSet::from([1, 2, 4, loky::cpu_count()]);
    for count in as_if_cpus.into_iter().map(|cpus| 2 * cpus + 2) {
        let (pool, gate) = (pool_of(count), Gate::new(&format!("gate of {count}")));
        let handles: Vec<_> = (0..count).map(|_| meet.bind(gate.clone(), 0).on(&pool).spawn()).collect();
        gate.await_arrivals(count);
        gate.open();
        loky::join_all(handles).expect("all of them met");
    }
}

fn submit_11_arguments_that_fail_take_no_room() {
    let pool = loky::Pool::builder().workers(1).queue_limit(4).build().expect("a pool");
    let thorn = Thorn::new(Moment::Encode, Fault::Error);
    let bad: Vec<_> = (0..100).map(|_| take_thorn.bind(thorn).on(&pool).spawn()).collect();
    let good: Vec<_> = (0..100).map(|x| square.bind(x).on(&pool).spawn()).collect();
    for handle in bad {
        assert!(!fails(handle.join(), ErrorKind::Encode).may_have_run());
    }
    assert_eq!(loky::join_all(good).expect("the good ones"), (0..100).map(square).collect::<Vec<_>>());
}

fn submit_12_a_panic_after_spawn_harms_no_call() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let submitter = thread::spawn({
        let (pool, gate) = (pool.clone(), gate.clone());
        move || {
            let _handle = leave_word.bind(gate, "ran").on(&pool).spawn();
            panic!("the submitter is gone");
        }
    });
    assert!(submitter.join().is_err());
    eventually("the call ran", || gate.arrivals() == ["ran"]);
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone, Copy)]
struct Nothing;

#[loky::task]
fn nothing(_: (), nothing: Nothing) -> Nothing {
    nothing
}

#[loky::task]
fn no_arguments() {}

fn submit_15_nothing_travels_as_nothing() {
    assert_eq!(nothing.run((), Nothing).expect("zero bytes there and back"), Nothing);
    no_arguments.run().expect("nothing there, nothing back");
    finish();
}

#[loky::task]
fn longest(words: &[String], at_least: &str) -> Option<String> {
    words.iter().filter(|word| word.len() >= at_least.len()).max_by_key(|word| word.len()).cloned()
}

fn submit_18_tasks_of_every_shape() {
    #[loky::task]
    fn inner(x: u8) -> u8 {
        x + 1
    }
    let words = ["one", "three"].map(str::to_owned);
    assert_eq!(longest.run(&words, "four").expect("borrowed arguments").as_deref(), Some("three"));
    assert_eq!(inner.run(1).expect("a function in a function"), 2);
    finish();
}

fn submit_22_two_pools_are_strangers() {
    let (one, other, gate) = (pool_of(1), pool_of(1), Gate::new("gate"));
    let held = meet.bind(gate.clone(), 7).on(&one).spawn();
    gate.await_arrivals(1);
    assert_eq!(square.bind(3).on(&other).run().expect("the other pool is free"), 9);
    other.shutdown();
    gate.open();
    assert_eq!(held.join().expect("its pool was not shut down"), 7);
}

fn submit_what_waits_behind_a_busy_worker_goes_to_a_free_one() {
    for free in 0..2 {
        let pool = pool_of(2);
        let gates = [0, 1].map(|busy| Gate::new(&format!("worker {busy}, worker {free} becomes free")));
        let held = gates.each_ref().map(|gate| meet.bind(gate.clone(), 0).on(&pool).spawn());
        gates.iter().for_each(|gate| _ = gate.await_arrivals(1));
        let behind = [2, 3, 4].map(|x| square.bind(x).on(&pool).spawn());
        gates[free].open();
        let are_done = || behind.iter().all(JoinHandle::is_finished);
        eventually("what lay ready behind both is done by the one that is free", are_done);
        assert!(!held[1 - free].is_finished());
        gates[1 - free].open();
        assert_eq!(loky::join_all(behind).expect("they are done"), [4, 9, 16]);
        assert_eq!(loky::join_all(held).expect("both are let through"), [0, 0]);
    }
}
