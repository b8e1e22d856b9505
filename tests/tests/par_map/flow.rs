//! How items flow: what is pulled when, in which shape and order it comes out, and that nothing stands still.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use loky::prelude::*;
use loky_tests::tasks::{add, bytes, meet, sleep_for, square};
use loky_tests::{Case, Gate, cases, ms, patience, pool_of, procfs, stays};
use serde::{Deserialize, Deserializer, Serialize};

pub(crate) const CASES: &[Case] = cases![
    map_06_the_shortest_input_ends_it,
    map_16_nothing_counts_as_one,
    map_17_a_window_without_an_order,
    map_20_a_result_is_gone_when_it_was_used,
    map_24_pieces_of_an_array,
    order_02_one_worker_takes_turns_with_its_producer,
    order_03_three_ahead_of_whoever_consumes,
    batch_05_long_items_behind_short_ones_do_not_freeze_it,
    batch_05_what_is_left_of_a_long_chunk_is_shared_out,
    batch_05_nothing_is_lost_or_runs_twice_where_chunks_are_broken_off,
    batch_07_an_input_that_was_used_up,
    gen_01_each_way_gives_the_same_values,
    gen_03_large_results_and_a_slow_consumer,
    gen_05_dropping_one_leaves_the_other_alone,
];

fn map_06_the_shortest_input_ends_it() {
    let pool = pool_of(2);
    let sums = || [1_i64, 2].into_iter().zip([1_i64, 2, 3]).par_map(add).on(&pool);
    assert_eq!(sums().unwrap_all(), [2, 4]);
    let sums = || [1_i64, 2, 3].into_iter().zip(1_i64..).zip([1, 2]).map(|((a, b), _)| (a, b)).par_map(add).on(&pool);
    assert_eq!(sums().unwrap_all(), [2, 4], "whichever it is, an endless one among them");
}

fn map_16_nothing_counts_as_one() {
    let pool = pool_of(2);
    let pulled = AtomicUsize::new(0);
    let input = (0..20).inspect(|x| pulled.store(*x as usize + 1, Ordering::SeqCst));
    let mut map = input.par_map(square).on(&pool).window(0).chunk_size(0);
    for x in 0..20 {
        assert_eq!(map.next().expect("an item").expect("no item fails"), square(x));
        assert_eq!(pulled.load(Ordering::SeqCst), x as usize + 1, "one at a time");
    }
    assert!(map.next().is_none());
}

fn map_17_a_window_without_an_order() {
    let pool = pool_of(2);
    let pulled = AtomicUsize::new(0);
    let input = (0..).inspect(|x| pulled.store(*x as usize + 1, Ordering::SeqCst));
    let map = input.par_map(square).on(&pool).window(2).unordered();
    for (taken, (place, result)) in (1..).zip(map.take(100)) {
        assert_eq!(result.expect("no item fails"), square(place as u64));
        assert!(pulled.load(Ordering::SeqCst) <= taken + 2, "never more than two ahead");
    }
}

/// Counts how many of it there are in this process.
struct Counted;

static COUNT: AtomicUsize = AtomicUsize::new(0);
static ALL: AtomicUsize = AtomicUsize::new(0);

impl Serialize for Counted {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(0)
    }
}

impl<'de> Deserialize<'de> for Counted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u8::deserialize(deserializer)?;
        COUNT.fetch_add(1, Ordering::SeqCst);
        ALL.fetch_add(1, Ordering::SeqCst);
        Ok(Self)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        // What a task makes was never counted, but that is in its worker.
        COUNT.fetch_sub(1, Ordering::SeqCst);
    }
}

#[loky::task]
fn make(_number: u64) -> Counted {
    Counted
}

fn map_20_a_result_is_gone_when_it_was_used() {
    let pool = pool_of(2);
    for size in [1, 10] {
        for result in (0..50).par_map(make).on(&pool).chunk_size(size) {
            let counted = result.expect("no item fails");
            assert_eq!(COUNT.load(Ordering::SeqCst), 1, "the one that was given");
            drop(counted);
        }
        let results = (0..50).par_map(make).on(&pool).chunk_size(size).unordered();
        assert!(results.map(drop).all(|()| COUNT.load(Ordering::SeqCst) == 0));
    }
    assert_eq!((COUNT.load(Ordering::SeqCst), ALL.load(Ordering::SeqCst)), (0, 200));
}

#[loky::task]
fn doubled(row: &[f64]) -> Vec<f64> {
    row.iter().map(|x| 2.0 * x).collect()
}

fn map_24_pieces_of_an_array() {
    let pool = pool_of(2);
    let array: Vec<f64> = (0..1003).map(f64::from).collect();
    let expected: Vec<f64> = array.iter().map(|x| 2.0 * x).collect();
    let pieces = array.chunks(100).par_map(doubled).on(&pool).unwrap_all();
    assert_eq!(pieces.iter().map(Vec::len).collect::<Vec<_>>(), [&[100; 10][..], &[3]].concat(), "apart");
    assert_eq!(pieces.concat(), expected, "and as one again");
}

fn order_02_one_worker_takes_turns_with_its_producer() {
    let (pool, events) = (pool_of(1), RefCell::new(Vec::new()));
    let input = (0..6_u64).inspect(|x| events.borrow_mut().push(format!("produced {x}")));
    for (x, result) in (0..).zip(input.par_map(square).on(&pool).window(1)) {
        assert_eq!(result.expect("no item fails"), square(x));
        events.borrow_mut().push(format!("consumed {x}"));
    }
    let expected: Vec<String> = (0..6).flat_map(|x| [format!("produced {x}"), format!("consumed {x}")]).collect();
    assert_eq!(events.into_inner(), expected);
}

fn order_03_three_ahead_of_whoever_consumes() {
    let (pool, produced) = (pool_of(2), AtomicUsize::new(0));
    let input = (0..).inspect(|x| produced.store(*x as usize + 1, Ordering::SeqCst));
    let mut map = input.par_map(square).on(&pool).window(3).chunk_size(1);
    for consumed in 1..50 {
        assert_eq!(map.next().expect("endless").expect("no item fails"), square(consumed as u64 - 1));
        let now = produced.load(Ordering::SeqCst);
        assert!(now <= consumed + 3, "{now} produced, {consumed} consumed");
        if consumed % 10 == 0 {
            stays("whoever consumes drives", ms(5), || produced.load(Ordering::SeqCst) == now);
        }
    }
}

/// Short ones up to number [`LONG_FROM`], which have made the chunks thousands of items long by then; and nobody can know
/// where the input ends.
fn short_and_then_long(long: Duration, count: usize) -> impl Iterator<Item = Duration> {
    let end = LONG_FROM + count;
    (0..).take_while(move |x| *x < end).map(move |x| if x < LONG_FROM { Duration::ZERO } else { long })
}

const LONG_FROM: usize = 50_000;

fn batch_05_long_items_behind_short_ones_do_not_freeze_it() {
    let pool = pool_of(2);
    let (mut last, mut longest) = (Instant::now(), Duration::ZERO);
    let input = short_and_then_long(ms(20), 6000);
    for (number, result) in input.par_map(sleep_for).on(&pool).enumerate().take(LONG_FROM + 100) {
        result.expect("no item fails");
        if number == 0 {
            assert!(last.elapsed() < ms(2000) * patience(), "the first result: {:?}", last.elapsed());
        }
        longest = longest.max(last.elapsed());
        last = Instant::now();
    }
    assert!(longest < ms(2000) * patience(), "for {longest:?} nothing came");
}

/// All the long ones are in one chunk, whose worker breaks it off.
fn batch_05_what_is_left_of_a_long_chunk_is_shared_out() {
    let pool = pool_of(2);
    let pids: Vec<u32> = short_and_then_long(ms(20), 60).par_map(sleep_for).on(&pool).unwrap_all();
    assert_eq!(pids.len(), LONG_FROM + 60);
    let busy: BTreeSet<_> = pids[LONG_FROM..].iter().collect();
    assert_eq!(busy.len(), 2, "one worker had all the long ones");
}

/// Takes long now and then.
#[loky::task]
fn square_at(gate: Gate, x: u64) -> u64 {
    gate.arrive(&x.to_string());
    if x % 100 == 99 {
        thread::sleep(ms(15));
    }
    x * x
}

/// Many chunks are broken off here, and what is left of them comes from all over the input.
fn batch_05_nothing_is_lost_or_runs_twice_where_chunks_are_broken_off() {
    const COUNT: u64 = 4000;
    let pool = pool_of(3);
    let (ordered, unordered) = (Gate::new("ordered"), Gate::new("unordered"));
    let input = |gate: &Gate| {
        (0..COUNT)
            .map({
                let gate = gate.clone();
                move |x| (gate.clone(), x)
            })
            .take_while(|_| true)
    };
    assert!(input(&ordered).par_map(square_at).on(&pool).unwrap_all().into_iter().eq((0..COUNT).map(square)));
    let mut found: Vec<_> = input(&unordered).par_map(square_at).on(&pool).unordered().collect();
    found.sort_by_key(|(place, _)| *place);
    let found = found.into_iter().map(|(place, result)| (place, result.expect("no item fails")));
    assert!(found.eq((0..).zip((0..COUNT).map(square))));
    for gate in [ordered, unordered] {
        let mut ran: Vec<u64> = gate.arrivals().iter().map(|x| x.parse().expect("a number")).collect();
        ran.sort_unstable();
        assert!(ran.into_iter().eq(0..COUNT), "each item has run once");
    }
}

fn batch_07_an_input_that_was_used_up() {
    let pool = pool_of(2);
    let mut input = 0..10_u64;
    assert_eq!(input.by_ref().par_map(square).on(&pool).count(), 10);
    let before = procfs::workers();
    assert_eq!(input.par_map(square).on(&pool).unwrap_all(), Vec::<u64>::new());
    assert_eq!(procfs::workers(), before);
}

fn gen_01_each_way_gives_the_same_values() {
    let pool = pool_of(3);
    let expected: Vec<u64> = (0..200).map(square).collect();
    let list: Result<Vec<u64>, loky::Error> = (0..200).par_map(square).on(&pool).collect();
    let one_by_one: Vec<u64> = (0..200).par_map(square).on(&pool).map(|result| result.expect("a value")).collect();
    let unordered = (0..200).par_map(square).on(&pool).unordered();
    let mut unordered: Vec<u64> = unordered.map(|(_, result)| result.expect("a value")).collect();
    unordered.sort_unstable();
    assert_eq!([list.expect("no item fails"), one_by_one, unordered], [(); 3].map(|()| expected.clone()));
}

fn gen_03_large_results_and_a_slow_consumer() {
    const SIZE: usize = 5 << 20;
    let pool = pool_of(2);
    for result in vec![SIZE; 20].par_map(bytes).on(&pool).window(6) {
        assert_eq!(result.expect("no item fails").0.len(), SIZE);
        thread::sleep(ms(10));
    }
}

#[loky::task]
fn pass_first(gate: Gate, x: u64) -> u64 {
    if x == 0 { 0 } else { meet(gate, x) }
}

fn gen_05_dropping_one_leaves_the_other_alone() {
    let (pool, gate) = (pool_of(2), Gate::new("gate"));
    let mut one = (0..20).map(|x| (gate.clone(), x)).par_map(pass_first).on(&pool).chunk_size(1);
    let mut other = (0..50).par_map(square).on(&pool).chunk_size(1);
    assert_eq!(one.next().expect("the first").expect("no item fails"), 0);
    drop(one);
    assert_eq!(other.next().expect("the first").expect("no item fails"), 0);
    let third = (0..50).par_map(square).on(&pool);
    drop(third);
    let rest: Vec<u64> = other.map(|result| result.expect("no item fails")).collect();
    assert_eq!(rest, (1..50).map(square).collect::<Vec<_>>(), "though the gate is shut");
}
