//! `as_completed` and `join_all`.

use loky::prelude::*;
use loky::{CallStatus, ErrorKind, JoinHandle};
use loky_tests::tasks::{Death, die, meet, panic_with, square};
use loky_tests::{Case, Gate, cases, eventually, fails, pool_of};

pub(crate) const CASES: &[Case] = cases![
    wait_01_as_completed_gives_the_first_one_first,
    wait_07_as_completed_gives_all_with_their_indices,
    wait_12_nothing_to_wait_for,
    wait_13_as_completed_over_two_pools,
    wait_14_as_completed_is_dropped_half_way,
    fut_16_join_all_keeps_the_order,
    fut_16_the_first_error_cancels_the_rest,
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
