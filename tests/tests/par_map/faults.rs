//! Items that fail: one error each, and the neighbors keep their results, also in the same chunk.

use std::panic::{AssertUnwindSafe, catch_unwind};

use loky::ErrorKind;
use loky::prelude::*;
use loky_tests::tasks::{sleep_for, square, take_thorn};
use loky_tests::thorn::{Fault, Moment, Thorn};
use loky_tests::{Case, Gate, cases, fails, finish, ms, pool_of};

pub(crate) const CASES: &[Case] = cases![
    map_03_an_error_is_one_item,
    map_10_each_item_has_its_own_limit,
    map_29_a_panic_in_a_chunk,
    map_30_a_death_in_a_chunk,
    map_30_a_death_deep_in_a_long_chunk,
    map_30_two_deaths_in_a_chunk,
    map_37_retries_are_per_item,
    map_38_arguments_that_cannot_be_sent,
    map_39_all_items_fail,
    map_40_unwrap_all_panics_with_the_text,
    exc_12_an_input_that_panics,
];

#[loky::task]
fn fragile(x: u64) -> u64 {
    match x % 10 {
        3 => panic!("item {x} is bad"),
        7 => std::process::abort(),
        _ => x * x,
    }
}

#[loky::task]
fn picky(bad: u64, x: u64) -> u64 {
    assert_ne!(x, bad, "item {x} is bad");
    x * x
}

#[loky::task]
fn deadly(bad: u64, x: u64) -> u64 {
    if x == bad { std::process::abort() } else { x * x }
}

fn map_03_an_error_is_one_item() {
    let pool = pool_of(2);
    let results: Vec<_> = (0..4).map(|x| (2, x)).par_map(picky).on(&pool).collect();
    assert_eq!(results.len(), 4);
    for (x, result) in (0..).zip(results) {
        match x {
            2 => assert_eq!(fails(result, ErrorKind::Panic).panic_message().map(|m| m.contains("item 2")), Some(true)),
            _ => assert_eq!(result.expect("a neighbor"), x * x),
        }
    }
    let first: Result<Vec<u64>, loky::Error> = (0..4).map(|x| (2, x)).par_map(picky).on(&pool).collect();
    fails(first, ErrorKind::Panic);
}

fn map_10_each_item_has_its_own_limit() {
    let pool = pool_of(2);
    let spans = [ms(0), ms(30_000), ms(1), ms(30_000), ms(0)];
    for size in [1, 5] {
        let results = spans.par_map(sleep_for).on(&pool).timeout(ms(1000)).chunk_size(size);
        for (span, result) in spans.iter().zip(results) {
            match *span > ms(1000) {
                true => drop(fails(result, ErrorKind::Timeout)),
                false => drop(result.expect("a neighbor, also in the same chunk")),
            }
        }
    }
    let slow = [ms(150); 8];
    let all = slow.par_map(sleep_for).on(&pool).timeout(ms(1000)).chunk_size(8);
    assert_eq!(all.unwrap_all().len(), 8, "the limit is the item's and not the chunk's");
}

fn map_29_a_panic_in_a_chunk() {
    let pool = pool_of(1);
    let results: Vec<_> = (0..10).map(|x| (5, x)).par_map(picky).on(&pool).chunk_size(10).collect();
    for (x, result) in (0..).zip(results) {
        match x {
            5 => assert!(fails(result, ErrorKind::Panic).panic_location().is_some()),
            _ => assert_eq!(result.expect("the other nine"), x * x),
        }
    }
}

fn map_30_a_death_in_a_chunk() {
    let pool = pool_of(2);
    for bad in [0, 5, 9] {
        let results: Vec<_> = (0..10).map(|x| (bad, x)).par_map(deadly).on(&pool).chunk_size(10).collect();
        assert_eq!(results.len(), 10);
        for (x, result) in (0..).zip(results) {
            match x == bad {
                true => assert!(fails(result, ErrorKind::Crash).signal().is_some()),
                false => assert_eq!(result.unwrap_or_else(|error| panic!("{x} beside {bad}: {error}")), x * x),
            }
        }
    }
}

/// The results before it fill several records of the link, and the last one is not closed when the worker dies.
fn map_30_a_death_deep_in_a_long_chunk() {
    let pool = pool_of(1);
    let items = (0..20_000).map(|x| (12_345, x));
    let map = items.par_map(deadly).on(&pool).window(20_000).chunk_size(20_000);
    for (x, result) in (0..).zip(map) {
        match x == 12_345 {
            true => assert!(fails(result, ErrorKind::Crash).signal().is_some()),
            false => assert_eq!(result.unwrap_or_else(|error| panic!("{x}: {error}")), x * x),
        }
    }
    assert_eq!(pool.stats().deaths, 1);
}

fn map_30_two_deaths_in_a_chunk() {
    let pool = pool_of(3);
    for size in [1, 7, 25, 100] {
        let results: Vec<_> = (0..100).par_map(fragile).on(&pool).chunk_size(size).collect();
        assert_eq!(results.len(), 100);
        for (x, result) in (0..).zip(results) {
            match x % 10 {
                3 => drop(fails(result, ErrorKind::Panic)),
                7 => drop(fails(result, ErrorKind::Crash)),
                _ => assert_eq!(result.unwrap_or_else(|error| panic!("{x} in chunks of {size}: {error}")), x * x),
            }
        }
    }
}

#[loky::task]
fn third_time(x: u64, gate: Gate) -> u32 {
    gate.arrive(&x.to_string());
    let attempt = loky::worker().expect("a task runs in a worker").attempt;
    if x == 4 && attempt < 3 {
        std::process::abort();
    }
    attempt
}

fn map_37_retries_are_per_item() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let items = (0..8).map(|x| (x, gate.clone()));
    let attempts = items.par_map(third_time).on(&pool).retries(2).chunk_size(8).unwrap_all();
    assert_eq!(attempts[4], 3);
    assert!((0..8).filter(|x| *x != 4).all(|x| attempts[x] == 1), "only the item that ran is blamed: {attempts:?}");
    let fourth = gate.arrivals().iter().filter(|item| *item == "4").count();
    assert_eq!(fourth, 3);
}

fn map_38_arguments_that_cannot_be_sent() {
    let pool = pool_of(2);
    let harmless = Thorn::new(Moment::Decode, Fault::Exit(1));
    for moment in [Moment::Encode, Moment::Decode] {
        for fault in [Fault::Error, Fault::Panic] {
            let kind = if moment == Moment::Encode { ErrorKind::Encode } else { ErrorKind::Decode };
            let items = [None, Some(Thorn::new(moment, fault)), None, None];
            let results: Vec<_> = items.par_map(take_maybe).on(&pool).chunk_size(4).collect();
            assert_eq!(results.len(), 4);
            for (item, result) in items.iter().zip(results) {
                match item {
                    Some(_) => drop(fails(result, kind)),
                    None => result.unwrap_or_else(|error| panic!("beside {moment:?} {fault:?}: {error}")),
                }
            }
        }
    }
    let results: Vec<_> = [harmless].par_map(take_thorn).on(&pool).collect();
    assert_eq!(results.len(), 1);
    fails(results.into_iter().next().expect("one"), ErrorKind::Crash);
}

#[loky::task]
fn take_maybe(_thorn: Option<Thorn>) {}

fn map_39_all_items_fail() {
    let pool = pool_of(2);
    let results = (0..20).map(|x| (x, x)).par_map(deadly).on(&pool);
    assert_eq!(results.map(|result| fails(result, ErrorKind::Crash)).collect::<Vec<_>>().len(), 20);
    assert_eq!(square.bind(3).on(&pool).run().expect("the pool goes on"), 9);
}

fn map_40_unwrap_all_panics_with_the_text() {
    let caught = catch_unwind(|| (0..4).map(|x| (2, x)).par_map(picky).unwrap_all());
    let payload = caught.expect_err("it must panic");
    let text = payload.downcast_ref::<String>().expect("with a text");
    assert!(text.contains("item 2 is bad") && text.contains("picky"), "{text}");
    assert_eq!((0..3).par_map(square).unwrap_all(), [0, 1, 4], "the pool goes on");
    finish();
}

fn exc_12_an_input_that_panics() {
    let pool = pool_of(2);
    for (bad, size) in [(0, 1), (3, 1), (7, 2), (7, 4), (19, 40)] {
        let input = (0..20_u64).inspect(move |x| assert_ne!(*x, bad, "the input is bad"));
        let mut map = input.par_map(square).on(&pool).chunk_size(size);
        let caught =
            catch_unwind(AssertUnwindSafe(|| map.by_ref().map(|result| result.expect("good")).collect::<Vec<_>>()));
        assert!(caught.is_err(), "the caller gets the input's own panic");
        drop(map);
        assert_eq!((0..5).par_map(square).on(&pool).unwrap_all(), [0, 1, 4, 9, 16], "and the pool goes on");
    }
}
