//! `as_completed` and `join_all`: what comes first, what is waited for, and for how long.

use std::thread;
use std::time::{Duration, Instant};

use loky::prelude::*;
use loky::{CallStatus, ErrorKind, JoinHandle};
use loky_tests::tasks::{Death, bytes, die, meet, panic_with, sleep_for, square};
use loky_tests::{Case, Gate, cases, eventually, fails, ms, pool_of, procfs};

pub(crate) const CASES: &[Case] = cases![
    wait_01_as_completed_gives_the_first_one_first,
    wait_02_what_is_over_comes_at_once,
    wait_03_the_first_failure_is_not_kept_waiting,
    wait_04_a_failure_is_told_from_a_cancellation,
    wait_05_all_are_waited_for_however_they_end,
    wait_06_a_limit_splits_what_is_done_from_what_is_not,
    wait_07_as_completed_gives_all_with_their_indices,
    wait_08_a_limit_gives_what_is_done_and_counts_the_rest,
    wait_08_a_limit_over_two_pools,
    wait_09_each_is_given_once,
    wait_10_what_was_given_is_not_kept,
    wait_11_many_waiters_of_one_event: 120,
    wait_12_nothing_to_wait_for,
    wait_13_as_completed_over_two_pools,
    wait_14_as_completed_is_dropped_half_way,
    wait_14_as_completed_gives_up_what_is_left,
    wait_14_as_completed_asks_what_is_left_to_end,
    fut_16_join_all_keeps_the_order,
    fut_16_the_first_error_cancels_the_rest,
    fut_16_a_member_that_was_cancelled_cancels_the_rest,
    fut_16_an_error_is_not_hidden_behind_a_slow_call,
];

fn wait_01_as_completed_gives_the_first_one_first() {
    let (pool, gate) = (pool_of(2), Gate::new("gate"));
    let slow = meet.bind(gate.clone(), 1).on(&pool).spawn();
    gate.await_arrivals(1);
    let mut completed = loky::as_completed([slow, square.bind(5).on(&pool).spawn()]);
    let (index, result) = completed.next().expect("the quick one");
    assert_eq!((index, result.expect("no error")), (1, 25));
    gate.open();
    let (index, result) = completed.next().expect("the slow one");
    assert_eq!((index, result.expect("no error")), (0, 1));
    assert!(completed.next().is_none());
}

fn wait_02_what_is_over_comes_at_once() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let done = no_wait.bind().on(&pool).spawn();
    assert!(done.wait_timeout(ms(20_000)));
    let (slow, cancelled) = (spawn_waiting(&pool, &gate), spawn_waiting(&pool, &gate));
    cancelled.cancel();
    let mut completed = loky::as_completed([slow, cancelled, done]);
    let mut over: Vec<_> = completed.by_ref().take(2).map(|(index, result)| (index, result.is_ok())).collect();
    over.sort_unstable();
    assert_eq!(over, [(1, false), (2, true)], "though the gate is shut");
    assert!(completed.next_timeout(Duration::ZERO).is_none());
    gate.open();
}

#[loky::task]
fn no_wait() -> u32 {
    0
}

fn wait_03_the_first_failure_is_not_kept_waiting() {
    let (pool, gate) = (pool_of(2), Gate::new("gate"));
    let slow = spawn_waiting(&pool, &gate);
    gate.await_arrivals(1);
    let bad = panic_with.bind("the first one").on(&pool).spawn();
    let error = fails(loky::join_all([slow, bad]), ErrorKind::Panic);
    assert_eq!(error.panic_message(), Some("the first one"), "though the gate is never opened");
}

fn wait_04_a_failure_is_told_from_a_cancellation() {
    let (pool, gate) = (pool_of(2), Gate::new("gate"));
    let bad = panic_with.bind("failed earlier").on(&pool).spawn();
    assert!(bad.wait_timeout(ms(20_000)));
    let slow = spawn_waiting(&pool, &gate);
    let cancelled = spawn_waiting(&pool, &gate);
    cancelled.cancel();
    let failed = |(_, result): &(usize, Result<u32, loky::Error>)| result.as_ref().is_err_and(|e| !e.is_cancelled());
    let found = loky::as_completed([slow, cancelled, bad]).find(failed).expect("one has failed");
    assert_eq!(found.0, 2, "at once, though the gate is shut");
    fails(found.1, ErrorKind::Panic);
    gate.open();
}

fn wait_05_all_are_waited_for_however_they_end() {
    let (pool, gate) = (pool_of(2), Gate::new("gate"));
    let slow = spawn_waiting(&pool, &gate);
    gate.await_arrivals(1);
    let bad = panic_with.bind("one of them").on(&pool).spawn();
    let dead = die.bind(Death::Abort).on(&pool).spawn();
    let cancelled = spawn_waiting(&pool, &gate);
    cancelled.cancel();
    let mut completed = loky::as_completed([slow, bad, dead, cancelled]);
    let mut ended: Vec<_> = completed.by_ref().take(3).collect();
    assert!(completed.next_timeout(ms(20)).is_none() && completed.len() == 1, "the slow one is waited for");
    gate.open();
    ended.extend(completed);
    ended.sort_by_key(|(index, _)| *index);
    let kinds: Vec<_> = ended.into_iter().map(|(_, result)| result.err().map(|error| error.kind())).collect();
    assert_eq!(kinds, [None, Some(ErrorKind::Panic), Some(ErrorKind::Crash), Some(ErrorKind::Cancelled)]);
}

fn wait_06_a_limit_splits_what_is_done_from_what_is_not() {
    let (pool, gate) = (pool_of(2), Gate::new("gate"));
    let held = meet.bind(gate.clone(), 0).on(&pool).spawn();
    gate.await_arrivals(1);
    let handles: Vec<_> = [held].into_iter().chain((1..4).map(|x| square.bind(x).on(&pool).spawn())).collect();
    assert!(handles[1..].iter().all(|handle| handle.wait_timeout(ms(20_000))));
    let before = Instant::now();
    let until = before + ms(100);
    let wait = |handle: &JoinHandle<u64>| handle.wait_timeout(until.saturating_duration_since(Instant::now()));
    let (done, not_done): (Vec<_>, Vec<_>) = handles.into_iter().partition(wait);
    assert!(before.elapsed() >= ms(100), "the limit was used up by the first one");
    assert_eq!((done.len(), not_done.len()), (3, 1), "and what was done is done all the same");
    gate.open();
    assert_eq!(loky::join_all(done.into_iter().chain(not_done)).expect("no error"), [1, 4, 9, 0]);
}

fn wait_07_as_completed_gives_all_with_their_indices() {
    let pool = pool_of(2);
    let mut handles: Vec<_> = (0..100).map(|x| square.bind(x).on(&pool).spawn()).collect();
    assert!(handles[0].wait_timeout(std::time::Duration::MAX), "one is done before");
    let doomed = meet.bind(Gate::new("shut"), 0).on(&pool).spawn();
    doomed.cancel();
    handles.push(doomed);
    let mut completed: Vec<_> = loky::as_completed(handles).collect();
    completed.sort_by_key(|(index, _)| *index);
    assert_eq!(completed.len(), 101);
    let (last, cancelled) = completed.pop().expect("101 of them");
    assert_eq!(last, 100);
    fails(cancelled, ErrorKind::Cancelled);
    for (x, (index, result)) in (0..).zip(completed) {
        assert_eq!((index as u64, result.expect("no error")), (x, x * x));
    }
}

fn wait_08_a_limit_gives_what_is_done_and_counts_the_rest() {
    let (pool, gate) = (pool_of(2), Gate::new("gate"));
    let quick = [2, 3].map(|x| square.bind(x).on(&pool).spawn());
    assert!(quick.iter().all(|handle| handle.wait_timeout(ms(20_000))));
    let slow = [0, 1].map(|x| meet.bind(gate.clone(), x).on(&pool).spawn());
    let mut completed = loky::as_completed(slow.into_iter().chain(quick));
    for (place, value) in [(2, 4), (3, 9)] {
        let (index, result) = completed.next_timeout(Duration::ZERO).expect("it is done already");
        assert_eq!((index, result.expect("no error")), (place, value));
    }
    let before = Instant::now();
    assert!(completed.next_timeout(Duration::ZERO).is_none());
    assert!(completed.next_timeout(ms(100)).is_none() && before.elapsed() >= ms(100));
    assert_eq!(completed.len(), 2, "two of four did not finish in time");
    gate.open();
    let mut late: Vec<_> = std::iter::from_fn(|| completed.next_timeout(Duration::MAX)).collect();
    late.sort_by_key(|(index, _)| *index);
    assert!(late.into_iter().map(|(index, result)| (index as u64, result.expect("no error"))).eq([(0, 0), (1, 1)]));
}

fn wait_08_a_limit_over_two_pools() {
    let (one, other, gate) = (pool_of(1), pool_of(1), Gate::new("gate"));
    let held = [&one, &other].map(|pool| meet.bind(gate.clone(), 7).on(pool).spawn());
    gate.await_arrivals(2);
    let mut completed = loky::as_completed(held);
    let before = Instant::now();
    assert!(completed.next_timeout(ms(50)).is_none() && before.elapsed() >= ms(50));
    assert_eq!(completed.len(), 2);
    gate.open();
    assert!((0..2).all(|_| completed.next_timeout(ms(20_000)).is_some_and(|(_, result)| result.is_ok())));
    assert!(completed.next_timeout(Duration::MAX).is_none(), "nothing is left");
}

/// A handle is one of its kind; what can come twice is the call that it was spawned from.
fn wait_09_each_is_given_once() {
    let pool = pool_of(2);
    let call = square.bind(5).on(&pool);
    let handles: Vec<_> = (0..50).map(|_| call.clone().spawn()).collect();
    let mut given = vec![0; 50];
    for (index, result) in loky::as_completed(handles) {
        assert_eq!(result.expect("no error"), 25);
        given[index] += 1;
    }
    assert_eq!(given, [1; 50]);
}

/// Pieces that are so large that the allocator gives them back at once.
fn wait_10_what_was_given_is_not_kept() {
    const SIZE: usize = 33 << 20;
    let pool = pool_of(2);
    let handles: Vec<_> = (0..3).map(|_| bytes.bind(SIZE).on(&pool).spawn()).collect();
    assert!(handles.iter().all(|handle| handle.wait_timeout(ms(30_000))));
    let own = || procfs::private_bytes(std::process::id());
    let (full, mut completed) = (own(), loky::as_completed(handles));
    for (_, result) in completed.by_ref() {
        assert_eq!(result.expect("no error").0.len(), SIZE);
    }
    let freed = full.saturating_sub(own());
    assert!(freed > 2 * SIZE as u64, "of 99 MiB only {freed} bytes were let go");
    drop(completed);
}

fn wait_11_many_waiters_of_one_event() {
    let pool = pool_of(2);
    for round in 0..1000_u64 {
        let held = sleep_for.bind(Duration::from_micros(100)).on(&pool).spawn();
        let handles: Vec<_> = (0..100).map(|x| square.bind(x + round).on(&pool).spawn()).collect();
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| assert!(handles.iter().rev().all(|handle| handle.wait_timeout(ms(30_000)))));
            }
            assert!(handles.iter().all(|handle| handle.wait_timeout(ms(30_000))));
        });
        assert!(loky::as_completed(handles).all(|(x, result)| result.is_ok_and(|y| y == square(x as u64 + round))));
        held.join().expect("it has slept");
    }
}

fn wait_12_nothing_to_wait_for() {
    assert!(loky::as_completed(Vec::<JoinHandle<u8>>::new()).next().is_none());
    assert_eq!(loky::join_all(Vec::<JoinHandle<u8>>::new()).expect("nothing fails"), Vec::<u8>::new());
}

fn wait_13_as_completed_over_two_pools() {
    let (one, other) = (pool_of(1), pool_of(1));
    let handles = (0..20).map(|x| square.bind(x).on(if x % 2 == 0 { &one } else { &other }).spawn());
    let sum: u64 = loky::as_completed(handles).map(|(_, result)| result.expect("no error")).sum();
    assert_eq!(sum, (0..20).map(square).sum());
}

fn wait_14_as_completed_is_dropped_half_way() {
    let (pool, gate) = (pool_of(2), Gate::new("gate"));
    let slow = meet.bind(gate.clone(), 1).on(&pool).spawn();
    let mut completed = loky::as_completed([slow, square.bind(2).on(&pool).spawn()]);
    assert_eq!(completed.next().expect("the quick one").1.expect("no error"), 4);
    drop(completed);
    gate.open();
    assert_eq!(square.bind(3).on(&pool).run().expect("the pool lives on"), 9);
}

fn wait_14_as_completed_gives_up_what_is_left() {
    let (one, other, gate) = (pool_of(1), pool_of(1), Gate::new("gate"));
    for pools in [[&one, &one], [&one, &other]] {
        let spawn = |pool| meet.bind(gate.clone(), 1).on(pool).spawn();
        let quick = square.bind(2).on(pools[0]).spawn();
        let mut completed = loky::as_completed([quick, spawn(pools[0]), spawn(pools[1])]);
        assert_eq!(completed.next().expect("the quick one").1.expect("no error"), 4);
        completed.cancel();
        let mut rest: Vec<_> = completed.map(|(index, result)| (index, fails(result, ErrorKind::Cancelled))).collect();
        rest.sort_by_key(|(index, _)| *index);
        assert!(rest.iter().map(|(index, _)| *index).eq([1, 2]), "each of them comes: {rest:?}");
    }
}

#[loky::task]
fn until_asked(gate: Gate) -> u64 {
    gate.arrive("there");
    while !loky::is_cancelled() {
        thread::yield_now();
    }
    7
}

fn wait_14_as_completed_asks_what_is_left_to_end() {
    let (pool, gate) = (pool_of(2), Gate::new("gate"));
    let completed = loky::as_completed([(); 2].map(|()| until_asked.bind(gate.clone()).on(&pool).spawn()));
    gate.await_arrivals(2);
    completed.cancel_within(ms(30_000));
    assert!(completed.map(|(_, result)| result.expect("it ends by itself")).eq([7, 7]));
}

fn fut_16_join_all_keeps_the_order() {
    let (pool, gate) = (pool_of(2), Gate::new("gate"));
    let slow = meet.bind(gate.clone(), 0).on(&pool).spawn();
    let handles: Vec<_> = [slow].into_iter().chain((1..50).map(|x| square.bind(x).on(&pool).spawn())).collect();
    gate.open();
    assert_eq!(loky::join_all(handles).expect("all of them"), (0..50).map(square).collect::<Vec<_>>());
}

fn fut_16_the_first_error_cancels_the_rest() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let bad = panic_with.bind("the first error").on(&pool).spawn();
    let rest: Vec<_> = (0..10).map(|_| spawn_waiting(&pool, &gate)).collect();
    let error = fails(loky::join_all([bad].into_iter().chain(rest)), ErrorKind::Panic);
    assert_eq!(error.panic_message(), Some("the first error"));
    assert_eq!(square.bind(3).on(&pool).run().expect("nothing stands before it any more"), 9);
    assert!(gate.arrivals().len() <= 1, "of the rest at most one had begun: {:?}", gate.arrivals());
}

fn fut_16_a_member_that_was_cancelled_cancels_the_rest() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let handles: Vec<_> = (0..5).map(|_| spawn_waiting(&pool, &gate)).collect();
    handles[3].cancel();
    fails(loky::join_all(handles), ErrorKind::Cancelled);
    assert_eq!(square.bind(3).on(&pool).run().expect("nothing stands before it any more"), 9);
    assert!(gate.arrivals().len() <= 1, "{:?}", gate.arrivals());
}

fn fut_16_an_error_is_not_hidden_behind_a_slow_call() {
    let (pool, gate) = (pool_of(2), Gate::new("gate"));
    let slow = spawn_waiting(&pool, &gate);
    eventually("the slow one runs", || slow.status() == CallStatus::Running);
    let bad = die.bind(Death::ExitNow(9)).on(&pool).spawn();
    let error = fails(loky::join_all([slow, bad]), ErrorKind::Crash);
    assert_eq!(error.exit_code(), Some(9), "though the slow one stands before it and its gate is never opened");
}

#[loky::task]
fn wait_there(gate: Gate) -> u32 {
    gate.arrive("there");
    gate.pass();
    0
}

fn spawn_waiting(pool: &loky::Pool, gate: &Gate) -> JoinHandle<u32> {
    wait_there.bind(gate.clone()).on(pool).spawn()
}
