//! What can be mapped, by what, in which order and in which chunks.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use loky::prelude::*;
use loky_tests::tasks::{add, meet, pid, square};
use loky_tests::{Case, Gate, cases, finish, pool_of, procfs};

pub(crate) const CASES: &[Case] = cases![
    map_01_equals_the_sequential_map,
    map_02_any_chunk_size_gives_the_same,
    map_07_nothing_needs_no_process,
    map_08_one_item,
    map_15_any_window_gives_the_same,
    map_18_unordered_gives_each_item_once,
    map_18_a_slow_first_item_holds_nobody_back,
    map_18_unordered_from_the_middle_on,
    map_21_tuples_are_spread,
    map_43_references_and_borrows,
    map_23_every_setting_gives_the_same: 180,
    map_26_one_after_another_on_the_same_pool,
    map_27_two_at_the_same_time,
    map_31_from_many_threads,
    map_34_uses_all_workers,
];

fn squares(count: u64) -> Vec<u64> {
    (0..count).map(square).collect()
}

fn map_01_equals_the_sequential_map() {
    let results: Result<Vec<u64>, loky::Error> = (0..1000).par_map(square).collect();
    assert_eq!(results.expect("no item fails"), squares(1000));
    assert_eq!((0..1000).par_map(square).unwrap_all(), squares(1000));
    finish();
}

fn map_02_any_chunk_size_gives_the_same() {
    let pool = pool_of(3);
    for size in [1, 2, 6, 39, 40, 41, 50, 1000] {
        assert_eq!((0..40).par_map(square).on(&pool).chunk_size(size).unwrap_all(), squares(40), "chunks of {size}");
    }
}

fn map_07_nothing_needs_no_process() {
    let pool = pool_of(2);
    assert_eq!(Vec::<u64>::new().par_map(square).on(&pool).unwrap_all(), Vec::<u64>::new());
    assert_eq!(Vec::<u64>::new().par_map(square).on(&pool).unordered().count(), 0);
    assert_eq!(procfs::workers(), Vec::<u32>::new());
}

fn map_08_one_item() {
    assert_eq!([3].par_map(square).unwrap_all(), [9]);
    assert_eq!(Some(4).par_map(square).unwrap_all(), [16]);
    finish();
}

fn map_15_any_window_gives_the_same() {
    let pool = pool_of(3);
    for window in [1, 2, 40, 80] {
        for size in [1, 7] {
            let map = (0..40).par_map(square).on(&pool).window(window).chunk_size(size);
            assert_eq!(map.unwrap_all(), squares(40), "window {window}, chunks of {size}");
        }
    }
}

fn map_18_unordered_gives_each_item_once() {
    let pool = pool_of(3);
    let mut seen: Vec<_> = (0..500).par_map(square).on(&pool).unordered().collect();
    seen.sort_by_key(|(index, _)| *index);
    for (expected, (index, result)) in seen.into_iter().enumerate() {
        assert_eq!((index, result.expect("no item fails")), (expected, square(expected as u64)));
    }
}

#[loky::task]
fn pass_or_square(gate: Gate, x: u64) -> u64 {
    if x == 0 { meet(gate, 0) } else { square(x) }
}

fn map_18_a_slow_first_item_holds_nobody_back() {
    let (pool, gate) = (pool_of(2), Gate::new("gate"));
    let items = (0..10).map(|x| (gate.clone(), x));
    let mut map = items.par_map(pass_or_square).on(&pool).chunk_size(1).unordered();
    let quick: BTreeSet<usize> = map.by_ref().take(9).map(|(index, _)| index).collect();
    assert_eq!(quick, (1..10).collect());
    gate.open();
    assert_eq!(map.next().map(|(index, result)| (index, result.expect("0"))), Some((0, 0)));
    assert!(map.next().is_none());
}

fn map_18_unordered_from_the_middle_on() {
    let pool = pool_of(2);
    let mut map = (0..300).par_map(square).on(&pool);
    assert!((0..10).all(|x| map.next().expect("an item").expect("no item fails") == square(x)));
    let rest: BTreeSet<usize> = map.unordered().map(|(index, _)| index).collect();
    assert_eq!(rest, (10..300).collect());
}

fn map_21_tuples_are_spread() {
    let sums = (0..50).map(|x| (x, 2 * x)).par_map(add).unwrap_all();
    assert_eq!(sums, (0..50).map(|x| 3 * x).collect::<Vec<_>>());
    let map = BTreeMap::from([(1_i64, 2_i64), (3, 4)]);
    assert_eq!(map.into_iter().par_map(add).unwrap_all(), [3, 7]);
    finish();
}

#[loky::task]
fn length(text: &str) -> usize {
    text.len()
}

#[loky::task]
fn total(xs: &[f64]) -> f64 {
    xs.iter().sum()
}

#[loky::task]
fn count_all(map: &BTreeMap<u8, Vec<u8>>) -> usize {
    map.values().map(Vec::len).sum()
}

#[loky::task]
fn scale(xs: &[f64], factor: f64, name: &str) -> String {
    format!("{name}: {}", xs.iter().fold(0.0, |sum, x| sum + x) * factor)
}

fn map_43_references_and_borrows() {
    let numbers = vec![1_u64, 2, 3];
    assert_eq!(numbers.iter().par_map(square).unwrap_all(), [1, 4, 9], "`&T` for an owned `T`");
    assert_eq!((&numbers).par_map(square).unwrap_all(), [1, 4, 9]);
    let words = ["one", "three"].map(str::to_owned);
    assert_eq!(words.iter().par_map(length).unwrap_all(), [3, 5], "`&String` for `&str`");
    assert_eq!(words.clone().par_map(length).unwrap_all(), [3, 5], "`String` for `&str`");
    assert_eq!(["four", "fourteen"].par_map(length).unwrap_all(), [4, 8], "`&str` for `&str`");
    let rows = vec![vec![0.5, 0.5], vec![], vec![2.0]];
    assert_eq!(rows.iter().par_map(total).unwrap_all(), [1.0, 0.0, 2.0], "`&Vec<T>` for `&[T]`");
    assert_eq!(rows.clone().par_map(total).unwrap_all(), [1.0, 0.0, 2.0], "`Vec<T>` for `&[T]`");
    assert_eq!([0.5, 1.5, 2.5].chunks(2).par_map(total).unwrap_all(), [2.0, 2.5], "`&[T]` for `&[T]`");
    let maps = [BTreeMap::from([(1, vec![1, 2])])];
    assert_eq!(maps.iter().par_map(count_all).unwrap_all(), [2], "`&T` for `&T`");
    let mixed = rows.iter().map(|row| (row, 2.0, "row"));
    assert_eq!(mixed.par_map(scale).unwrap_all(), ["row: 2", "row: 0", "row: 4"]);
    finish();
}

fn map_23_every_setting_gives_the_same() {
    for workers in [1, 2, 5] {
        for limit in [u64::MAX, 1, 3] {
            let pool = loky::Pool::builder().workers(workers).max_calls_per_worker(limit).build().expect("a pool");
            for window in [1, 7, 1000] {
                let map = || (0..40).par_map(square).on(&pool).window(window);
                assert_eq!(map().unwrap_all(), squares(40), "{workers} workers, limit {limit}, window {window}");
                assert_eq!(map().unordered().count(), 40);
            }
        }
    }
}

fn map_26_one_after_another_on_the_same_pool() {
    let pool = pool_of(2);
    for _ in 0..5 {
        assert_eq!((0..20).par_map(square).on(&pool).unwrap_all(), squares(20));
        assert_eq!((0..20).par_map(square).on(&pool).unordered().count(), 20);
        assert_eq!((0..3).map(|x| (x, x)).par_map(add).on(&pool).unwrap_all(), [0, 2, 4]);
        assert_eq!(square.bind(5).on(&pool).run().expect("and a call between"), 25);
    }
    assert!(procfs::workers().len() <= 2);
}

fn map_27_two_at_the_same_time() {
    let pool = pool_of(2);
    let one = (0..200).par_map(square).on(&pool);
    let other = (0..200).map(|x| (x, 1)).par_map(add).on(&pool);
    for (x, (squared, added)) in (0..).zip(one.zip(other)) {
        assert_eq!(squared.expect("no item fails"), x * x);
        assert_eq!(added.expect("no item fails"), x as i64 + 1);
    }
}

fn map_31_from_many_threads() {
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..5).for_each(|_| assert_eq!((0..30).par_map(square).unwrap_all(), squares(30))));
        }
    });
    finish();
}

#[loky::task]
fn meet_and_tell(gate: Gate, _item: u8) -> u32 {
    meet(gate, 0);
    pid()
}

fn map_34_uses_all_workers() {
    let (pool, gate) = (pool_of(4), Gate::new("gate"));
    // Opens once four are inside at the same time; with fewer it stays shut, and says so.
    let opener = thread::spawn({
        let gate = gate.clone();
        move || {
            gate.await_arrivals(4);
            gate.open();
        }
    });
    let items: Vec<_> = (0..16).map(|item| (gate.clone(), item)).collect();
    let pids: BTreeSet<u32> = items.par_map(meet_and_tell).on(&pool).unwrap_all().into_iter().collect();
    opener.join().expect("four met");
    assert_eq!(pids.len(), 4);
}
