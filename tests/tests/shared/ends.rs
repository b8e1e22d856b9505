//! Who holds a shared array, and that it goes with its last holder: in time, after kills, and whatever else fails.

use std::sync::Mutex;
use std::thread;

use loky::prelude::*;
use loky::{ErrorKind, JoinHandle, Shared};
use loky_tests::{Case, Gate, Random, cases, eventually, fails, ms, pool_of, procfs};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::tools::{here, in_workers, mapped_by, pss_of, sum, sum_of_all};

pub(crate) const CASES: &[Case] = cases![
    memmap_10_a_worker_that_dies_costs_nobody_the_data,
    memmap_10_a_retry_finds_the_same_data,
    memmap_10_thousands_under_fire_leave_nothing: 120,
    memmap_12_a_task_keeps_what_its_parent_has_dropped,
    memmap_12_idle_workers_forget_what_nobody_holds,
    memmap_12_a_worker_keeps_what_it_was_to_forget,
    memmap_13_a_failure_leaves_nothing,
    memmap_17_more_than_fit_into_a_socket: 20,
    memmap_19_cancelled_calls_leave_nothing,
    shutdown_29_a_pool_that_is_ended_with_shared_arguments_leaves_nothing,
];

#[loky::task]
fn meet(gate: Gate, numbers: Shared<u64>) -> u64 {
    gate.arrive(&std::process::id().to_string());
    gate.pass();
    numbers.iter().sum()
}

#[loky::task]
fn die_once(gate: Gate, numbers: Shared<u64>) -> Shared<u64> {
    gate.arrive(&numbers.len().to_string());
    if gate.arrivals().len() < 3 {
        std::process::abort();
    }
    numbers
}

#[loky::task]
fn many(count: u64) -> Vec<Shared<u64>> {
    (0..count).map(|number| Shared::from_vec(vec![number; 10])).collect()
}

fn numbers(count: u64) -> Shared<u64> {
    Shared::from_vec((0..count).collect())
}

fn sum_to(end: u64) -> u64 {
    end * (end - 1) / 2
}

fn memmap_10_a_worker_that_dies_costs_nobody_the_data() {
    let (pool, gate, numbers) = (pool_of(2), Gate::new("gate"), numbers(1000));
    let calls: Vec<_> = (0..2).map(|_| meet.bind(gate.clone(), numbers.clone()).on(&pool).spawn()).collect();
    let victim: i32 = gate.await_arrivals(2)[0].parse().expect("a pid");
    kill(Pid::from_raw(victim), Signal::SIGKILL).expect("it lives");
    gate.open();
    let results: Vec<_> = calls.into_iter().map(JoinHandle::join).collect();
    assert_eq!(results.iter().filter(|result| result.as_ref().is_ok_and(|sum| *sum == sum_to(1000))).count(), 1);
    assert_eq!(numbers.iter().sum::<u64>(), sum_to(1000), "the data is intact");
    assert_eq!(sum.bind(numbers).on(&pool).run().expect("and travels on"), sum_to(1000));
    pool.shutdown();
    assert_eq!(here(), (0, 0));
}

fn memmap_10_a_retry_finds_the_same_data() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let call = die_once.bind(gate.clone(), numbers(1000)).on(&pool).retries(2);
    let back = call.run().expect("the third attempt");
    assert_eq!((back.iter().sum::<u64>(), gate.arrivals().len(), here()), (sum_to(1000), 3, (1, 1)));
    pool.shutdown();
}

fn memmap_10_thousands_under_fire_leave_nothing() {
    let (pool, mut random) = (pool_of(4), Random::from_environment());
    let rounds = if cfg!(debug_assertions) { 1000 } else { 10_000 };
    let before = pss_of(std::process::id());
    thread::scope(|scope| {
        let calls = scope.spawn(|| {
            let mut succeeded = 0;
            for round in 0..rounds / 10 {
                let sums = (0..10).map(|_| numbers(round + 1)).par_map(sum).on(&pool).retries(100);
                succeeded += sums.filter(|sum| sum.as_ref().is_ok_and(|sum| *sum == sum_to(round + 1))).count();
                let made = many.bind(3).on(&pool).retries(100).run().expect("with a hundred retries");
                assert_eq!(made.iter().map(|made| made[9]).sum::<u64>(), 3);
            }
            succeeded
        });
        while !calls.is_finished() {
            thread::sleep(ms(5));
            if let Some(victim) = random.choose(&procfs::workers()) {
                let _ = kill(Pid::from_raw(*victim as i32), Signal::SIGKILL);
            }
        }
        assert_eq!(calls.join().expect("no panic") as u64, rounds);
    });
    eventually("nothing is mapped or open", || here() == (0, 0) && in_workers() == 0);
    pool.shutdown();
    let after = pss_of(std::process::id());
    assert!(after < before + (16 << 20), "{before} bytes have become {after}");
}

fn memmap_12_a_task_keeps_what_its_parent_has_dropped() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let call = meet.bind(gate.clone(), numbers(100_000)).on(&pool).spawn();
    gate.await_arrivals(1);
    gate.open();
    assert_eq!(call.join().expect("it was there to the end"), sum_to(100_000));
    eventually("it is gone", || here() == (0, 0) && in_workers() == 0);
    pool.shutdown();
}

fn memmap_12_idle_workers_forget_what_nobody_holds() {
    let pool = pool_of(2);
    let all: Vec<_> = (0..20).map(|_| numbers(1000)).collect();
    for _ in 0..3 {
        let sums = all.iter().par_map(loky::closure!(|all: Shared<u64>| all.iter().sum::<u64>())).on(&pool);
        assert!(sums.chunk_size(1).unwrap_all().into_iter().all(|sum| sum == sum_to(1000)));
    }
    assert!(in_workers() >= 40, "20 of them, mapped and open");
    drop(all);
    eventually("workers that have nothing to do have forgotten them", || here() == (0, 0) && in_workers() == 0);
    pool.shutdown();
}

static KEPT: Mutex<Option<Shared<u64>>> = Mutex::new(None);

#[loky::task]
fn keep(numbers: Shared<u64>) {
    *KEPT.lock().expect("one thread") = Some(numbers);
}

#[loky::task]
fn kept() -> Shared<u64> {
    KEPT.lock().expect("one thread").clone().expect("it was kept")
}

fn memmap_12_a_worker_keeps_what_it_was_to_forget() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let original = numbers(1000);
    keep.bind(original.clone()).on(&pool).run().expect("it is kept there");
    assert!(std::ptr::eq(&kept.bind().on(&pool).run().expect("it comes back")[..], &original[..]));
    // One that is on its way back while the last holder here is dropped: the worker reads of that only afterwards.
    let (running, coming) = (meet.bind(gate.clone(), numbers(1)).on(&pool).spawn(), kept.bind().on(&pool).spawn());
    gate.await_arrivals(1);
    drop(original);
    gate.open();
    running.join().expect("it ran");
    assert_eq!(coming.join().expect("it comes back").iter().sum::<u64>(), sum_to(1000));
    eventually("here it is gone", || here() == (0, 0));
    eventually("the other one is gone there, too", || mapped_by(procfs::workers()[0]) == 1);
    for _ in 0..3 {
        let back = kept.bind().on(&pool).run().expect("it comes back as a new one");
        assert_eq!(back.iter().sum::<u64>(), sum_to(1000));
    }
    eventually("here it is gone", || here() == (0, 0));
    pool.shutdown();
}

#[loky::task]
fn fail(how: u8, numbers: Shared<u64>) -> Result<Shared<u64>, String> {
    let made = Shared::from_vec(vec![7_u64; 1000]);
    match how {
        0 => panic!("{} {}", numbers.len(), made.len()),
        1 => Err(format!("{}", made.len())),
        _ => std::process::exit(3),
    }
}

fn memmap_13_a_failure_leaves_nothing() {
    let pool = pool_of(1);
    for how in 0..3 {
        let result = fail.bind(how, numbers(1000)).on(&pool).run();
        assert!(result.is_err() || result.is_ok_and(|result| result.is_err()));
    }
    eventually("nothing is left", || here() == (0, 0) && in_workers() == 0);
    pool.shutdown();
}

fn memmap_17_more_than_fit_into_a_socket() {
    let pool = pool_of(1);
    let all: Vec<_> = (0..400).map(numbers).map(|part| Shared::from_slice(&part)).collect();
    let expected = (0..400).filter(|&count| count > 0).map(sum_to).sum::<u64>();
    for _ in 0..3 {
        assert_eq!(sum_of_all.bind(all.clone()).on(&pool).run().expect("all of them travel"), expected);
    }
    let made = many.bind(400).on(&pool).run().expect("and come");
    assert!(made.iter().zip(0..).all(|(made, number)| *made == vec![number; 10]));
    drop((all, made));
    eventually("nothing is left", || here() == (0, 0) && in_workers() == 0);
    pool.shutdown();
}

fn memmap_19_cancelled_calls_leave_nothing() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let calls: Vec<_> = (0..10).map(|_| meet.bind(gate.clone(), numbers(1000)).on(&pool).spawn()).collect();
    gate.await_arrivals(1);
    assert!(calls.iter().rev().all(JoinHandle::cancel));
    calls.into_iter().for_each(|call| drop(fails(call.join(), ErrorKind::Cancelled)));
    eventually("nothing is left", || here() == (0, 0) && in_workers() == 0);
    pool.shutdown();
}

fn shutdown_29_a_pool_that_is_ended_with_shared_arguments_leaves_nothing() {
    let (pool, gate, numbers) = (pool_of(2), Gate::new("gate"), numbers(1000));
    let calls: Vec<_> = (0..10).map(|_| meet.bind(gate.clone(), numbers.clone()).on(&pool).spawn()).collect();
    gate.await_arrivals(2);
    pool.shutdown_now();
    assert!(calls.into_iter().all(|call| call.join().is_err()));
    let other = pool_of(1);
    assert_eq!(sum.bind(numbers.clone()).on(&other).run().expect("another pool has it"), sum_to(1000));
    other.shutdown();
    assert_eq!(here(), (1, 1));
    drop(numbers);
    assert_eq!(here(), (0, 0));
}
