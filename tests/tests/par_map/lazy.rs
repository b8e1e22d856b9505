//! Input is pulled only when a result is asked for, and never further ahead than the window.

use std::cell::Cell;
use std::rc::Rc;
use std::thread;

use loky::prelude::*;
use loky::{ErrorKind, Pool};
use loky_tests::tasks::{bytes, meet, sleep_for, square};
use loky_tests::{Case, Gate, cases, eventually, fails, finish, ms, pool_of, procfs, soon, stays};

pub(crate) const CASES: &[Case] = cases![
    map_13_an_infinite_input,
    map_14_never_further_than_the_window,
    map_14_nothing_is_pulled_before_the_first_next,
    map_19_dropping_it_cancels_the_rest,
    map_19_dropping_it_untouched,
    map_42_the_input_stays_where_it_is,
    gen_06_a_slow_consumer_bounds_the_memory,
    map_35_iterating_on_after_the_end,
    shutdown_28_a_forced_shutdown_ends_a_map,
    map_12_a_shutdown_by_another_thread_ends_it,
];

/// Counts from zero for ever, and how far it was asked.
fn counter(pulled: &Rc<Cell<u64>>) -> impl Iterator<Item = u64> + use<> {
    let pulled = Rc::clone(pulled);
    (0..).inspect(move |x| pulled.set(x + 1))
}

fn map_13_an_infinite_input() {
    let (pool, pulled) = (pool_of(2), Rc::new(Cell::new(0)));
    let map = counter(&pulled).par_map(square).on(&pool).window(2);
    let first: Vec<u64> = map.take(3).map(|result| result.expect("no item fails")).collect();
    assert_eq!(first, [0, 1, 4]);
    assert!(pulled.get() <= 5, "three results and a window of two: {}", pulled.get());
}

fn map_14_never_further_than_the_window() {
    let pool = pool_of(2);
    for window in [1, 2, 5, 64] {
        let pulled = Rc::new(Cell::new(0));
        let mut map = counter(&pulled).par_map(square).on(&pool).window(window);
        for taken in 1..200 {
            assert_eq!(map.next().expect("endless").expect("no item fails"), square(taken - 1));
            let ahead = pulled.get() - taken;
            assert!(ahead <= window as u64, "window {window}: {ahead} ahead after {taken}");
        }
        let quiet = pulled.get();
        stays("nobody pulls unless asked", ms(20), || pulled.get() == quiet);
    }
}

fn map_14_nothing_is_pulled_before_the_first_next() {
    let (pool, pulled) = (pool_of(2), Rc::new(Cell::new(0)));
    let map = counter(&pulled).par_map(square).on(&pool).chunk_size(3).window(100).timeout(ms(30_000)).retries(1);
    assert_eq!(pulled.get(), 0);
    let mut unordered = map.unordered();
    assert_eq!((pulled.get(), procfs::workers().len()), (0, 0));
    unordered.next().expect("endless").1.expect("no item fails");
    assert!(pulled.get() <= 101);
}

#[loky::task]
fn first_passes(gate: Gate, x: u64) -> u64 {
    if x == 0 { 0 } else { meet(gate, x) }
}

fn map_19_dropping_it_cancels_the_rest() {
    let (pool, gate) = (pool_of(2), Gate::new("gate"));
    let mut map = (0..1000).map(|x| (gate.clone(), x)).par_map(first_passes).on(&pool).chunk_size(1);
    assert_eq!(map.next().expect("the first").expect("no item fails"), 0);
    gate.await_arrivals(2);
    drop(map);
    assert_eq!(square.bind(3).on(&pool).run().expect("the pool is free, though the gate is shut"), 9);
    stays("none of the rest begins", ms(50), || gate.arrivals().len() == 2);
    eventually("nothing is left of it", || pool.stats().queued + pool.stats().running == 0);
}

fn map_19_dropping_it_untouched() {
    let pool = pool_of(2);
    drop((0..).par_map(square).on(&pool));
    drop((0..).par_map(square).on(&pool).unordered());
    assert_eq!(procfs::workers(), Vec::<u32>::new());
}

fn map_42_the_input_stays_where_it_is() {
    // Neither `Send` nor `'static`: it borrows a local, and counts in an `Rc`.
    let words = [String::from("1"), String::from("22")];
    let seen = Rc::new(Cell::new(0));
    let lengths = words.iter().map(|word| {
        seen.set(seen.get() + 1);
        word.len() as u64
    });
    assert_eq!(lengths.par_map(square).unwrap_all(), [1, 4]);
    assert_eq!(seen.get(), 2);
    finish();
}

fn gen_06_a_slow_consumer_bounds_the_memory() {
    let (pool, pulled) = (pool_of(2), Rc::new(Cell::new(0)));
    let sizes = counter(&pulled).map(|_| 4_usize << 20);
    let mut map = sizes.par_map(bytes).on(&pool).window(4).chunk_size(1);
    map.next().expect("endless").expect("no item fails");
    eventually("the window is full", || pool.stats().running + pool.stats().queued == 0);
    let resident = resident_bytes();
    for _ in 0..50 {
        assert_eq!(map.next().expect("endless").expect("no item fails").0.len(), 4 << 20);
    }
    let grown = resident_bytes().saturating_sub(resident);
    assert!(grown < 100 << 20, "200 MB went through, {grown} bytes stayed");
}

fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("/proc is mounted");
    statm.split(' ').nth(1).expect("the second field").parse::<u64>().expect("a number") * 4096
}

fn map_35_iterating_on_after_the_end() {
    let pool = pool_of(2);
    let mut map = (0..3).par_map(square).on(&pool);
    assert_eq!(map.by_ref().count(), 3);
    assert!(map.next().is_none() && map.next().is_none());
}

/// Whoever iterates waits for an item that will never be done.
fn map_12_a_shutdown_by_another_thread_ends_it() {
    let (pool, gate) = (pool_of(2), Gate::new("gate"));
    let items = (0..10).map(|item| (gate.clone(), item));
    let mut map = items.par_map(meet).on(&pool).chunk_size(1).window(4);
    thread::scope(|scope| {
        scope.spawn(|| {
            gate.await_arrivals(2);
            Pool::shutdown_now(&pool);
        });
        fails(map.next().expect("the first"), ErrorKind::Shutdown);
    });
    let rest: Vec<_> = map.map(|result| fails(result, ErrorKind::Shutdown)).collect();
    assert_eq!(rest.len(), 9, "one result for each item");
}

fn shutdown_28_a_forced_shutdown_ends_a_map() {
    let pool = pool_of(2);
    let mut map = (0..1000).map(|_| ms(10)).par_map(sleep_for).on(&pool).chunk_size(1).window(10);
    map.next().expect("the first").expect("no item fails");
    Pool::shutdown_now(&pool);
    let rest: Vec<_> = map.collect();
    assert_eq!(rest.len(), 999, "one result for each item");
    let failed = rest.into_iter().filter_map(Result::err);
    assert!(failed.map(|error| fails(Err::<(), _>(error), ErrorKind::Shutdown)).collect::<Vec<_>>().len() >= 980);
    soon("no worker is left", ms(1000), || procfs::children(std::process::id()).is_empty());
}
