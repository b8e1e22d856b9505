//! What a handle answers in each state of its call, and that it is a future on any runtime.

use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use loky::prelude::*;
use loky::{CallStatus, ErrorKind, JoinHandle};
use loky_tests::tasks::{add, leave_word, meet, panic_with, square};
use loky_tests::{Case, Gate, cases, eventually, fails, finish, ms, pool_of};

pub(crate) const CASES: &[Case] = cases![
    fut_01_status_follows_the_call,
    fut_03_waiting_has_a_limit_and_changes_nothing,
    fut_04_a_waiter_gets_the_value,
    fut_05_a_waiter_gets_the_cancellation,
    fut_11_an_error_that_a_task_returns_is_a_result,
    fut_12_a_dropped_handle_detaches,
    fut_13_a_handle_is_a_future,
    fut_13_the_last_waker_is_woken,
    fut_13_dropping_one_future_wakes_the_others,
    fut_20_a_neighbour_that_fails_disturbs_nobody,
    handle_ids_are_unique,
    handle_is_send_and_unpin_for_every_result,
    handle_outlives_its_pool,
];

fn fut_01_status_follows_the_call() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let first = meet.bind(gate.clone(), 1).on(&pool).spawn();
    let second = meet.bind(gate.clone(), 2).on(&pool).spawn();
    gate.await_arrivals(1);
    eventually("the first runs", || first.status() == CallStatus::Running);
    assert_eq!(second.status(), CallStatus::Queued);
    assert!(!first.is_finished() && !second.is_finished());
    gate.open();
    assert!(second.wait_timeout(ms(10_000)));
    assert_eq!((first.status(), second.status()), (CallStatus::Finished, CallStatus::Finished));
    assert!(first.is_finished() && second.is_finished());
    assert_eq!((first.join().expect("1"), second.join().expect("2")), (1, 2));
}

fn fut_03_waiting_has_a_limit_and_changes_nothing() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let running = meet.bind(gate.clone(), 1).on(&pool).spawn();
    let queued = meet.bind(gate.clone(), 2).on(&pool).spawn();
    gate.await_arrivals(1);
    assert!(!running.wait_timeout(Duration::ZERO) && !queued.wait_timeout(Duration::ZERO));
    let before = Instant::now();
    assert!(!running.wait_timeout(ms(50)));
    assert!(before.elapsed() >= ms(50), "it really waited");
    queued.cancel();
    assert!(queued.wait_timeout(Duration::ZERO), "a cancelled call is finished at once");
    gate.open();
    assert!(running.wait_timeout(Duration::MAX), "a limit without end does not overflow");
    assert!(running.wait_timeout(Duration::ZERO));
    assert_eq!(running.join().expect("waiting cost nothing"), 1);
    fails(queued.join(), ErrorKind::Cancelled);
}

fn fut_04_a_waiter_gets_the_value() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let handle = meet.bind(gate.clone(), 5).on(&pool).spawn();
    let waiter = thread::spawn(move || handle.join());
    gate.await_arrivals(1);
    gate.open();
    assert_eq!(waiter.join().expect("the waiter does not panic").expect("the value"), 5);
}

fn fut_05_a_waiter_gets_the_cancellation() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let handle = Arc::new(meet.bind(gate.clone(), 5).on(&pool).spawn());
    gate.await_arrivals(1);
    let waiter = thread::spawn({
        let handle = Arc::clone(&handle);
        move || handle.wait_timeout(ms(30_000))
    });
    assert!(handle.cancel());
    assert!(waiter.join().expect("the waiter does not panic"), "the wait ended by the cancellation");
    let handle = Arc::into_inner(handle).expect("the waiter has given its clone back");
    fails(handle.join(), ErrorKind::Cancelled);
}

#[loky::task]
fn halve(x: u32) -> Result<u32, String> {
    if x % 2 == 0 { Ok(x / 2) } else { Err(format!("{x} is odd")) }
}

#[loky::task]
fn refuse() -> Result<(), ()> {
    Err(())
}

fn fut_11_an_error_that_a_task_returns_is_a_result() {
    assert_eq!(halve.run(8).expect("the call succeeds"), Ok(4));
    assert_eq!(halve.run(7).expect("the call succeeds"), Err("7 is odd".to_owned()));
    assert_eq!(refuse.run().expect("an error without content is one too"), Err(()));
    finish();
}

fn fut_12_a_dropped_handle_detaches() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    drop(leave_word.bind(gate.clone(), "ran").on(&pool).spawn());
    eventually("the detached call ran", || gate.arrivals() == ["ran"]);
}

/// The smallest runtime there is: polls when woken, sleeps otherwise, and counts.
struct Bell {
    sleeper: Thread,
    rings: AtomicUsize,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rings.fetch_add(1, Ordering::SeqCst);
        self.sleeper.unpark();
    }
}

fn bell() -> Arc<Bell> {
    Arc::new(Bell { sleeper: thread::current(), rings: AtomicUsize::new(0) })
}

fn block_on<F: Future>(future: F) -> F::Output {
    let (mut future, bell) = (pin!(future), bell());
    let waker = Waker::from(Arc::clone(&bell));
    loop {
        let heard = bell.rings.load(Ordering::SeqCst);
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        while bell.rings.load(Ordering::SeqCst) == heard {
            thread::park();
        }
    }
}

fn fut_13_a_handle_is_a_future() {
    let both = async {
        let sum = add.spawn(1, 2).await?;
        let (nine, sixteen) = (square.spawn(3), square.spawn(4));
        Ok::<_, loky::Error>((sum, nine.await?, sixteen.await?))
    };
    assert_eq!(block_on(both).expect("awaited"), (3, 9, 16));
    fails(block_on(panic_with.spawn("in an await")), ErrorKind::Panic);
    assert_eq!(block_on(square.bind(5).spawn_async()).join().expect("spawned by await"), 25);
    finish();
}

fn fut_13_the_last_waker_is_woken() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let mut handle = pin!(meet.bind(gate.clone(), 5).on(&pool).spawn());
    let (old, new) = (bell(), bell());
    for bell in [&old, &new] {
        let waker = Waker::from(Arc::clone(bell));
        assert!(handle.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    gate.open();
    eventually("the last waker rings", || new.rings.load(Ordering::SeqCst) > 0);
    let waker = Waker::from(new);
    let Poll::Ready(result) = handle.as_mut().poll(&mut Context::from_waker(&waker)) else {
        panic!("it was woken before it was ready");
    };
    assert_eq!(result.expect("the value"), 5);
}

fn fut_13_dropping_one_future_wakes_the_others() {
    let (pool, gate) = (pool_of(2), Gate::new("gate"));
    let abandoned = meet.bind(gate.clone(), 1).on(&pool).spawn();
    let awaited = meet.bind(gate.clone(), 2).on(&pool).spawn();
    let waiter = thread::spawn(move || block_on(awaited));
    {
        let mut abandoned = pin!(abandoned);
        let waker = Waker::from(bell());
        assert!(abandoned.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    gate.await_arrivals(2);
    gate.open();
    assert_eq!(waiter.join().expect("the waiter does not panic").expect("the value"), 2);
}

fn fut_20_a_neighbour_that_fails_disturbs_nobody() {
    let (pool, gate) = (pool_of(2), Gate::new("gate"));
    let held = meet.bind(gate.clone(), 42).on(&pool).spawn();
    gate.await_arrivals(1);
    fails(panic_with.bind("next door").on(&pool).run(), ErrorKind::Panic);
    fails(meet.bind(Gate::new("shut"), 0).on(&pool).timeout(ms(10)).run(), ErrorKind::Timeout);
    assert!(!held.is_finished());
    gate.open();
    assert_eq!(held.join().expect("undisturbed"), 42);
}

fn handle_ids_are_unique() {
    let (pool, other) = (pool_of(1), pool_of(1));
    let handles: Vec<_> = (0..20).map(|x| square.bind(x).on(if x % 2 == 0 { &pool } else { &other }).spawn()).collect();
    let mut ids: Vec<_> = handles.iter().map(JoinHandle::id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 20);
    loky::join_all(handles).expect("all of them");
}

fn handle_is_send_and_unpin_for_every_result() {
    fn assert_bounds<T: Send + Unpin>() {}
    assert_bounds::<JoinHandle<Rc<u8>>>();
}

fn handle_outlives_its_pool() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let handle = meet.bind(gate.clone(), 3).on(&pool).spawn();
    let queued = square.bind(3).on(&pool).spawn();
    drop(pool);
    gate.open();
    assert_eq!(handle.join().expect("what was spawned still finishes"), 3);
    assert_eq!(queued.join().expect("what was queued still runs"), 9);
}
