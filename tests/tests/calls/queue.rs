//! What waits: in which order it starts, what it can be withdrawn from, and every way in which there is room again.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use loky::prelude::*;
use loky::{Call, CallStatus, ErrorKind, JoinHandle, Pool};
use loky_tests::sys::signal;
use loky_tests::tasks::{Blob, leave_word, meet, pid, square};
use loky_tests::{Case, Gate, Random, cases, eventually, fails, ms, pool_of, stays};
use nix::sys::signal::Signal;
use serde::de::DeserializeOwned;

pub(crate) const CASES: &[Case] = cases![
    order_04_first_in_first_out_across_threads,
    submit_20_a_higher_priority_starts_before_what_lies_ready,
    submit_20_a_lower_priority_waits_for_what_lies_ready,
    cancel_06_what_lies_ready_is_withdrawn,
    cancel_08_every_other_call_while_ten_threads_spawn,
    cancel_12_while_a_result_is_written,
    cancel_15_a_future_that_is_dropped_detaches,
    submit_19_room_after_a_cancel,
    submit_19_room_after_a_queue_timeout,
    submit_19_room_after_a_deadline,
    submit_19_room_after_a_death,
    submit_19_room_after_the_start_of_a_worker,
    submit_19_room_after_a_shutdown,
    submit_19_what_was_given_up_takes_no_room,
];

/// A worker that has shown to be quick holds many calls.
fn quick_pool() -> Pool {
    let pool = pool_of(1);
    assert_eq!((0..2000).par_map(square).on(&pool).chunk_size(1).unwrap_all().len(), 2000);
    pool
}

fn order_04_first_in_first_out_across_threads() {
    let (pool, gate, words) = (quick_pool(), Gate::new("gate"), Gate::new("words"));
    let held = meet.bind(gate.clone(), 1).on(&pool).spawn();
    gate.await_arrivals(1);
    let spawned = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for thread in 0..10 {
            let (pool, words, spawned) = (&pool, &words, &spawned);
            scope.spawn(move || {
                for number in 0..20 {
                    let word = format!("{thread}.{number}");
                    let call = leave_word.bind(words.clone(), &word).on(pool);
                    // What is first is only known if no two are spawned at once.
                    let mut spawned = spawned.lock().expect("no panic");
                    spawned.push((word, call.spawn()));
                }
            });
        }
    });
    gate.open();
    let (order, handles): (Vec<_>, Vec<_>) = spawned.into_inner().expect("no panic").into_iter().unzip();
    loky::join_all(handles).expect("all run");
    assert_eq!(words.arrivals(), order);
    held.join().expect("held");
}

fn submit_20_a_higher_priority_starts_before_what_lies_ready() {
    let (pool, gate, words) = (quick_pool(), Gate::new("gate"), Gate::new("words"));
    let held = meet.bind(gate.clone(), 1).on(&pool).spawn();
    gate.await_arrivals(1);
    let spawn = |word: &str, rank| leave_word.bind(words.clone(), word).on(&pool).priority(rank).spawn();
    let plain: Vec<_> = (0..20).map(|_| spawn("plain", 0)).collect();
    let high = spawn("high", 1);
    let higher = spawn("higher", 2);
    assert!(plain.iter().all(|handle| handle.status() == CallStatus::Queued), "none has started, wherever it lies");
    gate.open();
    loky::join_all(plain).expect("all run");
    loky::join_all([high, higher]).expect("all run");
    assert_eq!(words.arrivals()[..3], ["higher", "high", "plain"]);
    held.join().expect("held");
}

fn submit_20_a_lower_priority_waits_for_what_lies_ready() {
    let (pool, gate, words) = (quick_pool(), Gate::new("gate"), Gate::new("words"));
    let held = meet.bind(gate.clone(), 1).on(&pool).spawn();
    gate.await_arrivals(1);
    let spawn = |word: &str, rank| leave_word.bind(words.clone(), word).on(&pool).priority(rank).spawn();
    let ranks = [("low", -1), ("plain", 0), ("lowest", i32::MIN), ("low", -1), ("plain", 0)];
    let handles = ranks.map(|(word, rank)| spawn(word, rank));
    gate.open();
    loky::join_all(handles).expect("all run");
    assert_eq!(words.arrivals(), ["plain", "plain", "low", "low", "lowest"]);
    held.join().expect("held");
}

fn cancel_06_what_lies_ready_is_withdrawn() {
    let (pool, gate, words) = (quick_pool(), Gate::new("gate"), Gate::new("words"));
    let worker = pid.bind().on(&pool).run().expect("a worker");
    let held = meet.bind(gate.clone(), 1).on(&pool).spawn();
    let ready: Vec<_> = (0..30).map(|x| leave_word.bind(words.clone(), &x.to_string()).on(&pool).spawn()).collect();
    gate.await_arrivals(1);
    for (number, handle) in ready.iter().enumerate().filter(|(number, _)| number % 3 == 0) {
        assert!(handle.cancel(), "number {number} has not started");
        assert!(handle.is_finished(), "nobody must die for that");
    }
    gate.open();
    held.join().expect("the one that runs is not touched");
    for (number, handle) in ready.into_iter().enumerate() {
        match number % 3 {
            0 => assert!(!fails(handle.join(), ErrorKind::Cancelled).may_have_run()),
            _ => handle.join().expect("not touched"),
        }
    }
    let left: Vec<_> = (0..30).filter(|number| number % 3 > 0).map(|number| number.to_string()).collect();
    assert_eq!(words.arrivals(), left);
    assert_eq!(pid.bind().on(&pool).run().expect("a worker"), worker);
}

fn cancel_08_every_other_call_while_ten_threads_spawn() {
    let pool = pool_of(4);
    thread::scope(|scope| {
        for thread in 0..10 {
            let pool = &pool;
            scope.spawn(move || {
                let numbers = (0..40).map(|x| thread * 40 + x);
                let handles: Vec<_> = numbers.map(|x| (x, square.bind(x).on(pool).spawn())).collect();
                let cancelled: Vec<_> = handles.iter().map(|(x, handle)| x % 2 == 1 && handle.cancel()).collect();
                for ((x, handle), is_cancelled) in handles.into_iter().zip(cancelled) {
                    match handle.join() {
                        Ok(value) => assert!(!is_cancelled && value == x * x),
                        Err(error) => assert!(is_cancelled && error.is_cancelled(), "{x}: {error}"),
                    }
                }
            });
        }
    });
    assert_eq!(square.bind(3).on(&pool).run().expect("the pool goes on"), 9);
}

/// Says when it is about to return.
#[loky::task]
fn bytes_at_last(gate: Gate, count: usize) -> Blob {
    let blob = Blob(vec![7; count]);
    gate.arrive("returns");
    blob
}

fn cancel_12_while_a_result_is_written() {
    let (pool, mut random) = (pool_of(1), Random::from_environment());
    for round in 0..10 {
        let gate = Gate::new(&format!("gate {round}"));
        let doomed = bytes_at_last.bind(gate.clone(), 50 << 20).on(&pool).spawn();
        gate.await_arrivals(1);
        thread::sleep(random.span(ms(20)));
        let is_cancelled = doomed.cancel();
        match doomed.join() {
            Ok(blob) => assert!(!is_cancelled && blob.0.len() == 50 << 20),
            Err(error) => assert!(is_cancelled && error.is_cancelled() && error.may_have_run(), "{error}"),
        }
        assert_eq!(square.bind(round).on(&pool).run().expect("the link is whole, or new"), round * round);
    }
}

#[derive(Default)]
struct Rings(AtomicUsize);

impl Wake for Rings {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A handle is dropped when its future is, so that detaches; who wants its worker back says so before.
fn cancel_15_a_future_that_is_dropped_detaches() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let polled = |future: &mut JoinHandle<u64>| {
        let waker = Waker::from(Arc::new(Rings::default()));
        Pin::new(future).poll(&mut Context::from_waker(&waker)).is_pending()
    };
    let mut detached = meet.bind(gate.clone(), 1).on(&pool).spawn();
    let worker: u32 = gate.await_arrivals(1)[0].parse().expect("a pid");
    assert!(polled(&mut detached));
    drop(detached);
    stays("it runs on", ms(50), || pool.stats().running == 1);
    gate.open();
    assert_eq!(pid.bind().on(&pool).run().expect("the same worker"), worker);
    let shut = Gate::new("shut");
    let mut given_up = meet.bind(shut.clone(), 2).on(&pool).spawn();
    shut.await_arrivals(1);
    assert!(polled(&mut given_up) && given_up.cancel());
    drop(given_up);
    assert_ne!(pid.bind().on(&pool).run().expect("a later call has another worker"), worker);
}

/// A pool with one worker, which is held at the gate, and a queue that is full with one call; and three that wait for
/// room: a thread, a future, and somebody who tries again.
struct Full {
    pool: Pool,
    held: JoinHandle<u64>,
    queued: JoinHandle<u64>,
}

impl Full {
    fn new(gate: &Gate, limit: impl FnOnce(loky::Call<u64>) -> loky::Call<u64>) -> Self {
        let pool = Pool::builder().workers(1).queue_limit(1).build().expect("a pool");
        let held = meet.bind(gate.clone(), 1).on(&pool).spawn();
        gate.await_arrivals(1);
        let queued = limit(square.bind(2).on(&pool)).spawn();
        Self { pool, held, queued }
    }

    /// Makes room, and holds that a thread that waits for it gets on. Returns its handle.
    fn blocked(&self, make_room: impl FnOnce()) -> JoinHandle<u64> {
        assert!(square.bind(9).on(&self.pool).try_spawn().is_err(), "it is full");
        let pool = self.pool.clone();
        let waiting = thread::spawn(move || square.bind(5).on(&pool).spawn());
        stays("spawn waits", ms(50), || !waiting.is_finished());
        make_room();
        eventually("there is room for a thread", || waiting.is_finished());
        waiting.join().expect("no panic")
    }

    /// The same for a future.
    fn pending(&self, make_room: impl FnOnce()) -> JoinHandle<u64> {
        pending(square.bind(6).on(&self.pool), make_room)
    }
}

/// Spawns the call by a future that has to wait until `make_room` has been called: it is woken, and has to be polled no more
/// often than that.
pub(crate) fn pending<R: DeserializeOwned>(call: Call<R>, make_room: impl FnOnce()) -> JoinHandle<R> {
    let mut spawning = Box::pin(call.spawn_async());
    let rings = Arc::new(Rings::default());
    let waker = Waker::from(Arc::clone(&rings));
    let mut context = Context::from_waker(&waker);
    assert!(spawning.as_mut().poll(&mut context).is_pending());
    make_room();
    eventually("the future is woken", || rings.0.load(Ordering::SeqCst) > 0);
    match spawning.as_mut().poll(&mut context) {
        Poll::Ready(handle) => handle,
        Poll::Pending => panic!("it was woken, and there is no room"),
    }
}

fn submit_19_room_after_a_cancel() {
    let gate = Gate::new("gate");
    let full = Full::new(&gate, |call| call);
    let next = full.blocked(|| assert!(full.queued.cancel()));
    let after = full.pending(|| assert!(next.cancel_within(ms(0))));
    gate.open();
    assert_eq!(after.join().expect("36"), 36);
    full.held.join().expect("held");
    fails(full.queued.join(), ErrorKind::Cancelled);
    fails(next.join(), ErrorKind::Cancelled);
}

fn submit_19_room_after_a_queue_timeout() {
    let gate = Gate::new("gate");
    let full = Full::new(&gate, |call| call.queue_timeout(ms(1500)));
    let next = full.blocked(|| ());
    fails(full.queued.join(), ErrorKind::QueueTimeout);
    gate.open();
    assert_eq!(next.join().expect("25"), 25);
    full.held.join().expect("held");
}

fn submit_19_room_after_a_deadline() {
    let gate = Gate::new("gate");
    let full = Full::new(&gate, |call| call.deadline(ms(1500)));
    let next = full.pending(|| ());
    assert!(!fails(full.queued.join(), ErrorKind::Timeout).may_have_run());
    gate.open();
    assert_eq!(next.join().expect("36"), 36);
    full.held.join().expect("held");
}

fn submit_19_room_after_a_death() {
    let gate = Gate::new("gate");
    let full = Full::new(&gate, |call| call);
    let worker = gate.arrivals()[0].parse().expect("a pid");
    let next = full.blocked(|| signal(worker, Signal::SIGKILL));
    fails(full.held.join(), ErrorKind::Crash);
    assert_eq!((full.queued.join().expect("4"), next.join().expect("25")), (4, 25));
}

fn submit_19_room_after_the_start_of_a_worker() {
    let gate = Gate::new("gate");
    let full = Full::new(&gate, |call| call);
    let next = full.pending(|| full.pool.resize(2));
    assert_eq!((full.queued.join().expect("4"), next.join().expect("36")), (4, 36));
    gate.open();
    full.held.join().expect("held");
}

fn submit_19_room_after_a_shutdown() {
    let gate = Gate::new("gate");
    let full = Full::new(&gate, |call| call);
    let ending = full.pool.clone();
    let mut shutdown = None;
    let late = full.blocked(|| shutdown = Some(thread::spawn(move || ending.shutdown())));
    fails(late.join(), ErrorKind::Shutdown);
    gate.open();
    assert_eq!((full.held.join().expect("held"), full.queued.join().expect("what was there is finished")), (1, 4));
    shutdown.expect("it was asked for").join().expect("no panic");
    let gate = Gate::new("another gate");
    let full = Full::new(&gate, |call| call);
    let late = full.pending(|| full.pool.shutdown_now());
    fails(late.join(), ErrorKind::Shutdown);
    fails(full.held.join(), ErrorKind::Shutdown);
    fails(full.queued.join(), ErrorKind::Shutdown);
}

fn submit_19_what_was_given_up_takes_no_room() {
    let gate = Gate::new("gate");
    let full = Full::new(&gate, |call| call);
    for _ in 0..3 {
        let mut spawning = Box::pin(square.bind(6).on(&full.pool).spawn_async());
        let waker = Waker::noop();
        assert!(spawning.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
        // Dropped: it was not started, and nobody waits for its turn.
    }
    assert_eq!(full.pool.stats().submitted, 2);
    gate.open();
    full.held.join().expect("held");
    full.queued.join().expect("queued");
    assert_eq!(square.bind(4).on(&full.pool).try_spawn().expect("there is room").join().expect("16"), 16);
}
