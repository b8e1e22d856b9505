//! How a map ends early, or fails: what is told of whom, what is stopped, and that the pool serves the next one.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::time::{Duration, Instant};

use loky::prelude::*;
use loky::{Error, ErrorKind};
use loky_tests::tasks::{Death, die, meet, panic_with, pid, sleep_for, spin, square};
use loky_tests::{Case, Gate, cases, eventually, fails, ms, pool_of, procfs, soon};

pub(crate) const CASES: &[Case] = cases![
    map_04_a_limit_ends_what_is_too_long,
    map_05_a_time_out_of_the_tasks_own_is_a_result,
    map_09_the_items_of_a_chunk_do_not_share_their_limit,
    map_11_giving_it_up_stops_what_runs,
    map_28_a_death_is_told_of_its_item_alone,
    gen_02_dropping_it_early_ends_soon_and_can_be_counted,
    submit_16_an_input_that_fails_half_way,
    exc_03_a_panic_leaves_the_worker_as_it_was,
    exc_09_a_failure_tells_its_worker_and_its_item,
    exc_11_nothing_begins_behind_the_first_failure,
    exc_13_anything_may_be_thrown_by_many_at_once,
    exc_14_who_panics_keeps_its_worker_and_who_dies_does_not,
    exc_16_all_workers_fail_at_once,
];

fn map_04_a_limit_ends_what_is_too_long() {
    let pool = pool_of(1);
    let mut map = [ms(0), ms(0), ms(5000)].par_map(sleep_for).on(&pool).timeout(ms(1000));
    assert!(map.by_ref().take(2).all(|result| result.is_ok()));
    fails(map.next().expect("the third"), ErrorKind::Timeout);
    assert!(map.next().is_none());
    let mut rest = [ms(5000); 5].par_map(sleep_for).on(&pool).chunk_size(1).timeout(ms(100));
    fails(rest.next().expect("the first"), ErrorKind::Timeout);
    drop(rest);
    eventually("the rest is cancelled", || pool.stats().running + pool.stats().queued == 0);
}

/// How many there are, all of which must be panics.
#[track_caller]
fn panics_of<R: Debug>(results: impl Iterator<Item = Result<R, Error>>) -> usize {
    results.map(|result| fails(result, ErrorKind::Panic)).collect::<Vec<_>>().len()
}

#[loky::task]
fn wait_for_nothing(x: u64) -> Result<u64, Error> {
    if x == 1 { sleep_for.bind(ms(20_000)).timeout(ms(10)).run().map(u64::from) } else { Ok(x) }
}

fn map_05_a_time_out_of_the_tasks_own_is_a_result() {
    let pool = pool_of(1);
    let results = (0..4).par_map(wait_for_nothing).on(&pool).timeout(ms(30_000)).unwrap_all();
    for (x, result) in (0..).zip(results) {
        match x {
            1 => drop(fails(result, ErrorKind::Timeout)),
            _ => assert_eq!(result.expect("the map goes on"), x),
        }
    }
}

/// Twenty items of a tenth of a second: a chunk of five has less than the limit to do, one of all more.
fn map_09_the_items_of_a_chunk_do_not_share_their_limit() {
    let pool = pool_of(4);
    for size in [5, 20] {
        let all = [ms(100); 20].par_map(sleep_for).on(&pool).timeout(ms(1800)).chunk_size(size);
        assert_eq!(all.unwrap_all().len(), 20, "chunks of {size}");
    }
}

#[loky::task]
fn first_passes(gate: Gate, x: u64) {
    if x > 0 {
        spin(gate);
    }
}

fn map_11_giving_it_up_stops_what_runs() {
    let (pool, gate) = (pool_of(2), Gate::new("gate"));
    let mut map = (0..5).map(|x| (gate.clone(), x)).par_map(first_passes).on(&pool).chunk_size(1);
    map.next().expect("the first").expect("no item fails");
    let running: Vec<u32> = gate.await_arrivals(2).iter().map(|pid| pid.parse().expect("a pid")).collect();
    drop(map);
    soon("what ran is stopped", ms(1000), || !running.iter().any(|pid| procfs::is_alive(*pid)));
    eventually("each of the others has ended as cancelled", || {
        let stats = pool.stats();
        (stats.succeeded, stats.failed, stats.queued, stats.running) == (1, stats.submitted - 1, 0, 0)
    });
    assert_eq!(gate.arrivals().len(), 2, "nothing else began");
    assert_eq!(square.bind(3).on(&pool).run().expect("the pool goes on"), 9);
}

#[loky::task]
fn deadly(bad: u64, x: u64) -> u64 {
    if x == bad { die(Death::Signal(9)).into() } else { square(x) }
}

fn map_28_a_death_is_told_of_its_item_alone() {
    let pool = pool_of(3);
    for bad in [0, 17, 49] {
        let results = (0..50).map(|x| (bad, x)).par_map(deadly).on(&pool);
        for (x, result) in (0..50).zip(results) {
            match x == bad {
                true => assert_eq!(fails(result, ErrorKind::Crash).signal(), Some(9)),
                false => assert_eq!(result.unwrap_or_else(|error| panic!("{x} beside {bad}: {error}")), x * x),
            }
        }
    }
    assert_eq!(pool.stats().deaths, 3);
}

fn gen_02_dropping_it_early_ends_soon_and_can_be_counted() {
    let (pool, gate) = (pool_of(2), Gate::new("gate"));
    let before = Instant::now();
    let mut map = (0..1000).map(|x| (gate.clone(), x)).par_map(first_passes).on(&pool).chunk_size(1).unordered();
    map.next().expect("the first").1.expect("no item fails");
    gate.await_arrivals(2);
    assert_eq!(map.size_hint(), (999, Some(999)), "so many have not been given");
    drop(map);
    assert_eq!((0..20).par_map(square).on(&pool).unwrap_all().len(), 20);
    assert!(before.elapsed() < Duration::from_secs(20), "{:?}", before.elapsed());
}

fn submit_16_an_input_that_fails_half_way() {
    let pool = pool_of(2);
    for (bad, count, size) in [(3, 10, 1), (7, 20, 2), (7, 20, 4)] {
        let input = (0..count).inspect(|x: &u64| assert_ne!(*x, bad, "the input fails"));
        let mut map = input.par_map(square).on(&pool).chunk_size(size);
        let thrown = catch_unwind(AssertUnwindSafe(|| map.by_ref().count())).expect_err("the caller gets its panic");
        assert!(thrown.downcast_ref::<String>().is_some_and(|text| text.contains("the input fails")));
        drop(map);
        assert_eq!((0..count).par_map(square).on(&pool).unwrap_all().len() as u64, count, "the pool stays usable");
    }
}

#[loky::task]
fn double(x: u64) -> u64 {
    2 * x
}

fn exc_03_a_panic_leaves_the_worker_as_it_was() {
    let pool = pool_of(1);
    let worker = pid.bind().on(&pool).run().expect("a worker");
    fails(panic_with.bind("of any kind").on(&pool).run(), ErrorKind::Panic);
    fails(throw.bind(7).on(&pool).run(), ErrorKind::Panic);
    assert_eq!(double.bind(1).on(&pool).run().expect("the next one"), 2);
    assert_eq!(pid.bind().on(&pool).run().expect("the same worker"), worker);
}

#[loky::task]
fn check(x: u64) -> u64 {
    assert!(x != 5, "{} is no good", "5".repeat(3));
    x
}

fn exc_09_a_failure_tells_its_worker_and_its_item() {
    let pool = pool_of(2);
    let failures = |(place, result): (usize, Result<u64, Error>)| result.err().map(|error| (place, error));
    let failed: Vec<_> = (0..20).par_map(check).on(&pool).unordered().filter_map(failures).collect();
    let [(place, error)] = &failed[..] else { panic!("one fails: {failed:?}") };
    assert_eq!((*place, error.panic_message()), (5, Some("555 is no good")));
    assert!(error.pid().is_some_and(|pid| procfs::workers().contains(&pid)), "{error:?}");
    assert!(error.to_string().contains("check") && error.to_string().contains("555 is no good"), "{error}");
}

#[loky::task]
fn third_fails(gate: Gate, x: u64) -> u64 {
    match x {
        0 | 1 => x,
        2 => panic!("the third"),
        _ => meet(gate, x),
    }
}

fn exc_11_nothing_begins_behind_the_first_failure() {
    let (pool, gate) = (pool_of(2), Gate::new("gate"));
    let map = (0..1000).map(|x| (gate.clone(), x)).par_map(third_fails).on(&pool).chunk_size(1);
    let all: Result<Vec<u64>, Error> = map.collect();
    assert_eq!(fails(all, ErrorKind::Panic).panic_message(), Some("the third"));
    assert_eq!((0..20).par_map(square).on(&pool).unwrap_all().len(), 20, "the same pool, though the gate is shut");
    eventually("nothing is left of it", || pool.stats().queued + pool.stats().running == 0);
    assert!(gate.arrivals().len() <= 2, "only what had begun by then: {:?}", gate.arrivals());
}

#[loky::task]
fn throw(x: u64) -> u64 {
    match x % 3 {
        0 => panic_any("a text"),
        1 => panic_any(x),
        _ => panic_any(Some(vec![x])),
    }
}

fn exc_13_anything_may_be_thrown_by_many_at_once() {
    let pool = pool_of(3);
    for size in [1, 10] {
        let results = (0..30).par_map(throw).on(&pool).chunk_size(size);
        assert_eq!(panics_of(results), 30);
        assert_eq!((0..30).par_map(square).on(&pool).unwrap_all().len(), 30, "the next map");
    }
}

#[loky::task]
fn meet_and_tell(gate: Gate) -> u32 {
    meet(gate, 0);
    std::process::id()
}

fn exc_14_who_panics_keeps_its_worker_and_who_dies_does_not() {
    let (pool, mut round) = (pool_of(2), 0);
    let mut pids = || {
        round += 1;
        let gate = Gate::new(&format!("round {round}"));
        let handles = [(), ()].map(|()| meet_and_tell.bind(gate.clone()).on(&pool).spawn());
        gate.await_arrivals(2);
        gate.open();
        loky::join_all(handles).expect("both meet").into_iter().collect::<BTreeSet<u32>>()
    };
    let first = pids();
    let results = (0..20).par_map(throw).on(&pool).chunk_size(1);
    assert_eq!(panics_of(results), 20);
    assert_eq!(pids(), first, "a panic is kept from the worker");
    let gate = Gate::new("both");
    let dying = [(), ()].map(|()| meet_and_die.bind(gate.clone()).on(&pool).spawn());
    gate.await_arrivals(2);
    gate.open();
    dying.into_iter().for_each(|handle| drop(fails(handle.join(), ErrorKind::Crash)));
    assert!(pids().is_disjoint(&first), "who died was replaced");
}

#[loky::task]
fn meet_and_die(gate: Gate) -> u32 {
    meet(gate, 0);
    die(Death::Abort)
}

/// Five workers, and each of the first five items of a hundred waits for the others before all of them fail.
fn exc_16_all_workers_fail_at_once() {
    let (pool, gate) = (pool_of(5), Gate::new("gate"));
    let items = (0..100).map(|x| (gate.clone(), x));
    let mut map = items.par_map(fail_together).on(&pool).chunk_size(1).window(10);
    let failures = std::thread::scope(|scope| {
        scope.spawn(|| {
            gate.await_arrivals(5);
            gate.open();
        });
        map.by_ref().take(5).map(|result| fails(result, ErrorKind::Panic)).collect::<Vec<_>>()
    });
    let messages: Vec<_> = failures.iter().filter_map(Error::panic_message).collect();
    assert_eq!(messages, ["item 0", "item 1", "item 2", "item 3", "item 4"]);
    assert_eq!(panics_of(map), 95);
    assert_eq!(square.bind(3).on(&pool).run().expect("the pool goes on"), 9);
}

#[loky::task]
fn fail_together(gate: Gate, x: u64) -> u64 {
    meet(gate, x);
    panic!("item {x}")
}
