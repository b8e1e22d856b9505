//! Retries: for deaths only, counted, and given up in the end.

use loky::prelude::*;
use loky::{ErrorKind, Pool};
use loky_tests::sys::signal;
use loky_tests::tasks::{Death, arrive_and_die, attempt, meet, panic_with, square, survive_from};
use loky_tests::{Case, Gate, cases, fails, finish, pool_of};
use nix::sys::signal::Signal;

pub(crate) const CASES: &[Case] = cases![
    retry_the_first_attempt_is_number_one,
    retry_attempts_are_counted_in_the_task,
    crash_36_a_poison_call_is_given_up,
    retry_none_after_a_panic_or_an_error,
    retry_none_unless_asked_for,
    retry_of_the_pool_and_of_the_task,
    retry_after_a_kill_from_outside,
    crash_32_waiting_is_no_attempt,
];

fn retry_the_first_attempt_is_number_one() {
    assert_eq!(attempt.run().expect("an attempt"), 1);
    assert_eq!(attempt.bind().retries(5).run().expect("an attempt"), 1);
    finish();
}

fn retry_attempts_are_counted_in_the_task() {
    let (pool, gate) = (pool_of(2), Gate::new("gate"));
    assert_eq!(survive_from.bind(4, gate.clone()).on(&pool).retries(3).run().expect("the fourth survives"), 4);
    assert_eq!(gate.arrivals(), ["1", "2", "3", "4"]);
}

fn crash_36_a_poison_call_is_given_up() {
    let (pool, gate) = (pool_of(2), Gate::new("gate"));
    let others: Vec<_> = (0..50).map(|x| square.bind(x).on(&pool).spawn()).collect();
    let poison = arrive_and_die.bind(gate.clone(), Death::NullWrite).on(&pool).retries(2).spawn();
    let error = fails(poison.join(), ErrorKind::Crash);
    assert_eq!(gate.arrivals().len(), 3, "one attempt and two retries");
    assert_eq!(error.attempt(), Some(3));
    assert_eq!(error.pid().map(|pid| pid.to_string()), gate.arrivals().pop(), "the last worker it killed");
    assert!(error.to_string().contains("attempt 3 of 3"), "{error}");
    assert_eq!(loky::join_all(others).expect("the others survive"), (0..50).map(square).collect::<Vec<_>>());
}

#[loky::task]
fn refuse(gate: Gate) -> Result<(), String> {
    gate.arrive("asked");
    Err("no".to_owned())
}

#[loky::task]
fn panic_at(gate: Gate) {
    gate.arrive("asked");
    panic_with("no");
}

fn retry_none_after_a_panic_or_an_error() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let refused = refuse.bind(gate.clone()).on(&pool).retries(9).run();
    assert_eq!(refused.expect("a result"), Err("no".to_owned()));
    let error = fails(panic_at.bind(gate.clone()).on(&pool).retries(9).run(), ErrorKind::Panic);
    assert_eq!((error.attempt(), gate.arrivals().len()), (Some(1), 2));
}

fn retry_none_unless_asked_for() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let error = fails(arrive_and_die.bind(gate.clone(), Death::Abort).on(&pool).run(), ErrorKind::Crash);
    assert_eq!((error.attempt(), gate.arrivals().len()), (Some(1), 1));
}

#[loky::task(retries = 1)]
fn stubborn(gate: Gate) {
    arrive_and_die(gate, Death::Abort);
}

fn retry_of_the_pool_and_of_the_task() {
    let pool = Pool::builder().workers(1).retries(2).build().expect("a pool");
    let attempts = |name: &str, call: &dyn Fn(Gate) -> Result<(), loky::Error>| {
        let gate = Gate::new(name);
        fails(call(gate.clone()), ErrorKind::Crash);
        gate.arrivals().len()
    };
    let of_the_pool = |gate| arrive_and_die.bind(gate, Death::Abort).on(&pool).run().map(|_| ());
    assert_eq!(attempts("pool", &of_the_pool), 3);
    assert_eq!(attempts("task", &|gate| stubborn.bind(gate).on(&pool).run()), 2, "the task knows better");
    assert_eq!(attempts("call", &|gate| stubborn.bind(gate).on(&pool).retries(0).run()), 1, "the call knows best");
}

fn retry_after_a_kill_from_outside() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let handle = meet.bind(gate.clone(), 6).on(&pool).retries(1).spawn();
    let victim = gate.await_arrivals(1)[0].parse().expect("a pid");
    signal(victim, Signal::SIGKILL);
    gate.await_arrivals(2);
    gate.open();
    assert_eq!(handle.join().expect("the second attempt"), 6);
}

fn crash_32_waiting_is_no_attempt() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let held = meet.bind(gate.clone(), 0).on(&pool).spawn();
    let waiting: Vec<_> = (0..20).map(|_| attempt.bind().on(&pool).spawn()).collect();
    let victim = gate.await_arrivals(1)[0].parse().expect("a pid");
    signal(victim, Signal::SIGKILL);
    fails(held.join(), ErrorKind::Crash);
    let attempts = loky::join_all(waiting).expect("they had not begun, wherever they lay");
    assert_eq!(attempts, [1; 20], "a worker's death before their start does not count");
}
