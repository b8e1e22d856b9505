//! Answers that nobody waits for are not told at once, so that a program that waits for something else sleeps on. Whoever
//! comes to want one has it at once all the same.
//!
//! In each case a worker has answered some calls and runs another one, for which a thread waits.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, JoinHandle as Thread};
use std::time::Duration;

use loky::prelude::*;
use loky::{CallStatus, ErrorKind, JoinHandle, Pool};
use loky_tests::tasks::{meet, square};
use loky_tests::{Case, Gate, cases, eventually, fails, pool_of, procfs};

pub(crate) const CASES: &[Case] = cases![
    wait_14_whoever_joins_later_has_the_answer_at_once,
    wait_15_a_task_that_polls_later_is_woken,
    wait_16_a_callback_is_called_at_once,
    wait_17_whoever_asks_is_told_the_truth,
    wait_18_what_has_answered_cannot_be_cancelled,
    wait_19_as_completed_begins_with_what_is_there,
    wait_20_a_failure_is_told_at_once,
    wait_21_all_of_few_are_joined_though_much_is_left_to_do,
    wait_22_a_limit_counts_from_the_very_start,
    wait_23_the_last_of_all_is_awaited,
];

/// Long enough that a call behind another one is told apart from one that waits for the end of everything.
const MOMENT: Duration = Duration::from_millis(300);

/// One worker that has done `quick` and runs a call that a thread waits for.
struct Scene {
    pool: Pool,
    /// Behind it the long call ends.
    gate: Gate,
    quick: Vec<JoinHandle<u64>>,
    /// So many that half of all is not done when the long call begins.
    tail: Vec<JoinHandle<u64>>,
    waiting: Thread<u64>,
}

impl Scene {
    fn new() -> Self {
        Self::named("")
    }

    fn named(name: &str) -> Self {
        let pool = quick_pool();
        let (first, gate) = (Gate::new(&format!("first{name}")), Gate::new(&format!("gate{name}")));
        let before = meet.bind(first.clone(), 0).on(&pool).spawn();
        first.await_arrivals(1);
        let quick = squares(&pool, 6);
        let long = meet.bind(gate.clone(), 7).on(&pool).spawn();
        let tail = squares(&pool, 40);
        let waiting = waits(move || long.join().expect("no error"));
        sleep_comes();
        first.open();
        gate.await_arrivals(1);
        drop(before);
        Self { pool, gate, quick, tail, waiting }
    }

    fn end(self) {
        self.gate.open();
        assert_eq!(self.waiting.join().expect("it has not panicked"), 7);
        assert!(self.tail.into_iter().zip(0..).all(|(handle, x)| handle.join().is_ok_and(|result| result == x * x)));
    }
}

fn wait_14_whoever_joins_later_has_the_answer_at_once() {
    let mut scene = Scene::new();
    let results: Vec<_> = scene.quick.drain(..).rev().map(|handle| handle.join().expect("no error")).collect();
    assert_eq!(results, [25, 16, 9, 4, 1, 0]);
    scene.end();
}

/// A thread that waits for what others spawned.
fn waits<T: Send + 'static>(wait: impl FnOnce() -> T + Send + 'static) -> Thread<T> {
    thread::Builder::new().name(WAITS.into()).spawn(wait).expect("there may be one more thread")
}

/// Until the thread that waits sleeps, and that of the pool sleeps for long. Were one of them awake, it would hear of
/// everything, and the cases would be about nothing.
fn sleep_comes() {
    eventually("those sleep who hear of answers", || {
        let threads = procfs::threads();
        let all = |name: &str, sleeps: fn(u32) -> bool| {
            let mut named = threads.iter().filter(|(_, found)| *found == name).peekable();
            named.peek().is_some() && named.all(|(&id, _)| sleeps(id))
        };
        // On its bell and on the deaths of workers. That of the pool polls as well where it sleeps briefly.
        all(WAITS, |id| procfs::is_polling(id, 2)) && all("loky", procfs::is_in_epoll)
    });
}

const WAITS: &str = "waits";

/// One worker, which is known to be quick, and so gets many calls ahead.
fn quick_pool() -> Pool {
    let pool = pool_of(1);
    loky::join_all(squares(&pool, 2000)).expect("no error");
    pool
}

fn squares(pool: &Pool, count: u64) -> Vec<JoinHandle<u64>> {
    (0..count).map(|x| square.bind(x).on(pool).spawn()).collect()
}

#[loky::task]
fn stumble(x: u64) -> u64 {
    panic!("{x} on purpose")
}

struct Telling(mpsc::Sender<()>);

impl Wake for Telling {
    fn wake(self: Arc<Self>) {
        self.0.send(()).expect("somebody listens");
    }
}

fn wait_15_a_task_that_polls_later_is_woken() {
    let mut scene = Scene::new();
    let (told, woken) = mpsc::channel();
    let waker = Waker::from(Arc::new(Telling(told)));
    let mut handle = pin!(scene.quick.remove(3));
    let result = loop {
        match handle.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(result) => break result,
            Poll::Pending => woken.recv().expect("the waker lives"),
        }
    };
    assert_eq!(result.expect("no error"), 9);
    scene.end();
}

fn wait_16_a_callback_is_called_at_once() {
    let mut scene = Scene::new();
    let (tell, told) = mpsc::channel();
    scene.quick.remove(2).on_done(move |result| tell.send(result).expect("somebody listens"));
    assert_eq!(told.recv().expect("it is called").expect("no error"), 4);
    scene.end();
}

fn wait_17_whoever_asks_is_told_the_truth() {
    let scene = Scene::named("1");
    assert!(scene.quick.iter().all(JoinHandle::is_finished));
    scene.end();
    let scene = Scene::named("2");
    assert_eq!(scene.pool.stats().succeeded, 2000 + 1 + 6);
    scene.end();
    let scene = Scene::named("3");
    assert!(scene.quick.iter().all(|handle| handle.status() == CallStatus::Finished));
    assert!(scene.tail.iter().all(|handle| handle.status() == CallStatus::Queued));
    scene.end();
}

fn wait_18_what_has_answered_cannot_be_cancelled() {
    let mut scene = Scene::new();
    assert!(!scene.quick[1].cancel() && !scene.quick[5].cancel());
    assert!(scene.tail[3].cancel());
    fails(scene.tail.remove(3).join(), ErrorKind::Cancelled);
    assert_eq!(scene.quick.remove(5).join().expect("it was done"), 25);
    assert_eq!(scene.pool.stats().deaths, 0, "nobody was killed for it");
    scene.gate.open();
    assert_eq!(scene.waiting.join().expect("it has not panicked"), 7);
}

fn wait_19_as_completed_begins_with_what_is_there() {
    let mut scene = Scene::new();
    let mut completed = loky::as_completed(scene.quick.drain(..));
    let first: Vec<_> = completed.by_ref().map(|(_, result)| result.expect("no error")).collect();
    assert_eq!(first, [0, 1, 4, 9, 16, 25]);
    scene.end();
}

fn wait_20_a_failure_is_told_at_once() {
    let pool = quick_pool();
    let (first, gate) = (Gate::new("first"), Gate::new("gate"));
    let mut handles = vec![meet.bind(first.clone(), 0).on(&pool).spawn()];
    first.await_arrivals(1);
    handles.extend(squares(&pool, 6));
    handles.push(stumble.bind(1).on(&pool).spawn());
    handles.push(meet.bind(gate.clone(), 7).on(&pool).spawn());
    handles.extend(squares(&pool, 40));
    let opening = thread::spawn(move || {
        sleep_comes();
        first.open();
    });
    let (tell, told) = mpsc::channel();
    let waiting = waits(move || tell.send(loky::join_all(handles)).expect("somebody listens"));
    fails(told.recv_timeout(10 * MOMENT).expect("long before the gate gives up"), ErrorKind::Panic);
    waiting.join().expect("it has not panicked");
    opening.join().expect("it has not panicked");
}

fn wait_21_all_of_few_are_joined_though_much_is_left_to_do() {
    let mut scene = Scene::new();
    let (tell, told) = mpsc::channel();
    let quick = scene.quick.drain(..).collect::<Vec<_>>();
    thread::spawn(move || tell.send(loky::join_all(quick)).expect("somebody listens"));
    let results = told.recv_timeout(10 * MOMENT).expect("long before the gate gives up");
    assert_eq!(results.expect("no error"), [0, 1, 4, 9, 16, 25]);
    scene.end();
}

fn wait_22_a_limit_counts_from_the_very_start() {
    let pool = quick_pool();
    let (first, gate) = (Gate::new("first"), Gate::new("gate"));
    let before = meet.bind(first.clone(), 0).on(&pool).spawn();
    first.await_arrivals(1);
    let quick = squares(&pool, 6);
    let limited = meet.bind(gate.clone(), 1).on(&pool).timeout(MOMENT).spawn();
    let tail = squares(&pool, 40);
    let waiting = waits(move || limited.join());
    sleep_comes();
    first.open();
    fails(waiting.join().expect("it has not panicked"), ErrorKind::Timeout);
    loky::join_all(quick.into_iter().chain([before]).chain(tail)).expect("no error");
}

fn wait_23_the_last_of_all_is_awaited() {
    let pool = quick_pool();
    let (first, gate) = (Gate::new("first"), Gate::new("gate"));
    let mut handles = vec![meet.bind(first.clone(), 0).on(&pool).spawn()];
    first.await_arrivals(1);
    handles.extend(squares(&pool, 6));
    // Of what comes behind them, nobody waits for anything.
    let long = meet.bind(gate.clone(), 7).on(&pool).spawn();
    let tail = squares(&pool, 40);
    let (tell, told) = mpsc::channel();
    waits(move || tell.send(loky::join_all(handles)).expect("somebody listens"));
    sleep_comes();
    first.open();
    let results = told.recv_timeout(10 * MOMENT).expect("long before the gate gives up");
    assert_eq!(results.expect("no error"), [0, 0, 1, 4, 9, 16, 25]);
    gate.open();
    loky::join_all([long].into_iter().chain(tail)).expect("no error");
}
