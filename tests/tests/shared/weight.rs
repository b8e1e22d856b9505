//! What a shared array weighs: once, however many processes hold it.

use std::collections::BTreeSet;

use loky::Shared;
use loky::prelude::*;
use loky_tests::{Case, Gate, cases, pool_of, procfs};

use crate::tools::{mapped_by, pss_of};

pub(crate) const CASES: &[Case] = cases![
    memmap_01_eight_workers_and_one_array_weigh_as_much_as_the_array: 180,
    ser_13_what_all_items_share_is_sent_once,
];

#[loky::task]
fn sum_and_stay(gate: Gate, numbers: Shared<u64>) -> u64 {
    let sum = numbers.iter().sum();
    gate.arrive(&std::process::id().to_string());
    gate.pass();
    sum
}

/// 512 MiB, or as many as `LOKY_TESTS_SHARED_MIB` says; fewer where nothing is optimized, and to add up takes long.
fn memmap_01_eight_workers_and_one_array_weigh_as_much_as_the_array() {
    let given = std::env::var("LOKY_TESTS_SHARED_MIB").ok();
    let mib = given
        .map_or(if cfg!(debug_assertions) { 64 } else { 512 }, |mib| mib.parse::<usize>().expect("a number of MiB"));
    let (pool, gate) = (pool_of(8), Gate::new("gate"));
    (0..16_u64).par_map(loky_tests::tasks::square).on(&pool).unwrap_all();
    pool.warm_up();
    let all = || procfs::workers().into_iter().chain([std::process::id()]).map(pss_of).sum::<u64>();
    let (before, len) = (all(), mib << 17);
    let numbers = Shared::build(len, |numbers: &mut [u64]| numbers.fill(3)).expect("there is memory");
    let calls: Vec<_> = (0..8).map(|_| sum_and_stay.bind(gate.clone(), numbers.clone()).on(&pool).spawn()).collect();
    gate.await_arrivals(8);
    assert_eq!(numbers.iter().sum::<u64>(), 3 * len as u64);
    let (grown, array) = (all() - before, (len * 8) as u64);
    gate.open();
    assert!(calls.into_iter().all(|call| call.join().expect("it has summed") == 3 * len as u64));
    println!("{grown} bytes more for an array of {array}");
    // What else the processes have touched meanwhile is theirs, and does not grow with the array.
    assert!(grown < array + array / 40 + (4 << 20), "{grown} bytes more for an array of {array}");
    pool.shutdown();
}

/// Where it lies in the worker.
#[loky::task]
fn address(numbers: Shared<u64>, item: u64) -> (u32, usize) {
    assert_eq!(numbers[item as usize], item);
    (std::process::id(), numbers.as_ptr() as usize)
}

/// A MiB for each of 500 items, if it were sent with each.
fn ser_13_what_all_items_share_is_sent_once() {
    let pool = pool_of(2);
    let numbers = Shared::from_vec((0..1 << 17).collect::<Vec<u64>>());
    for size in [1, 50] {
        let items = (0..500).map(|item| (numbers.clone(), item));
        let places: BTreeSet<_> = items.par_map(address).on(&pool).chunk_size(size).unwrap_all().into_iter().collect();
        let workers: BTreeSet<u32> = places.iter().map(|(worker, _)| *worker).collect();
        assert_eq!(places.len(), workers.len(), "one place in each worker, whichever item it is");
        assert!(procfs::workers().into_iter().all(|worker| mapped_by(worker) <= 1));
    }
    pool.shutdown();
}
