//! A bound in bytes on what waits: who waits for it, what is counted, and every way in which there is room again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use loky::prelude::*;
use loky::{ErrorKind, JoinHandle, Pool, Shared};
use loky_tests::sys::signal;
use loky_tests::tasks::{meet, square};
use loky_tests::{Case, Gate, cases, eventually, fails, ms, stays};
use nix::sys::signal::Signal;

use crate::queue::pending;

pub(crate) const CASES: &[Case] = cases![
    submit_19_bytes_fill_the_queue,
    submit_19_bytes_of_one_call_beyond_the_limit,
    submit_19_bytes_and_calls_both_count,
    submit_19_bytes_that_have_started_take_no_room,
    submit_19_bytes_room_after_a_cancel,
    submit_19_bytes_room_after_a_queue_timeout,
    submit_19_bytes_room_after_a_death,
    submit_19_bytes_room_after_a_shutdown,
    submit_19_bytes_room_for_the_small_before_the_large,
    submit_19_bytes_of_what_is_shared_are_not_counted,
    submit_19_bytes_of_zero_are_refused,
    submit_19_bytes_hold_a_map_back,
    submit_19_bytes_of_others_hold_a_map_back,
    submit_19_bytes_from_many_threads,
];

const KIB: usize = 1 << 10;

const LIMIT: usize = 100 * KIB;

#[loky::task]
fn length(bytes: &[u8]) -> usize {
    bytes.len()
}

fn sized(bytes: usize) -> loky::Call<usize> {
    length.bind(&vec![7; bytes])
}

/// A pool with one worker, which is held at the gate, and nothing that waits.
struct Held {
    pool: Pool,
    gate: Gate,
    held: JoinHandle<u64>,
}

impl Held {
    fn new(name: &str) -> Self {
        let pool = Pool::builder().workers(1).queue_limit_bytes(LIMIT).build().expect("a pool");
        let gate = Gate::new(name);
        let held = meet.bind(gate.clone(), 1).on(&pool).spawn();
        gate.await_arrivals(1);
        Self { pool, gate, held }
    }

    /// One that waits.
    fn queued(&self, bytes: usize) -> JoinHandle<usize> {
        sized(bytes).on(&self.pool).try_spawn().expect("there is room")
    }

    fn is_full_for(&self, bytes: usize) -> bool {
        sized(bytes).on(&self.pool).try_spawn().map(|handle| assert!(handle.cancel())).is_err()
    }

    /// Makes room, and holds that a thread that waits for it gets on.
    fn blocked(&self, bytes: usize, make_room: impl FnOnce()) -> JoinHandle<usize> {
        let call = sized(bytes).on(&self.pool);
        let waiting = thread::spawn(move || call.spawn());
        stays("spawn waits", ms(50), || !waiting.is_finished());
        make_room();
        eventually("there is room for a thread", || waiting.is_finished());
        waiting.join().expect("no panic")
    }

    fn end(self) {
        self.gate.open();
        self.held.join().expect("held");
        assert_eq!(sized(9).on(&self.pool).run().expect("the pool goes on"), 9);
    }
}

fn submit_19_bytes_fill_the_queue() {
    let held = Held::new("gate");
    let queued: Vec<_> = (0..3).map(|_| held.queued(30 * KIB)).collect();
    assert!(held.is_full_for(30 * KIB) && !held.is_full_for(9 * KIB), "90 KiB wait");
    held.gate.open();
    assert!(loky::join_all(queued).expect("all run").into_iter().all(|len| len == 30 * KIB));
    held.end();
}

fn submit_19_bytes_of_one_call_beyond_the_limit() {
    let held = Held::new("gate");
    let giant = held.queued(10 * LIMIT);
    assert!(held.is_full_for(1) && held.is_full_for(10 * LIMIT));
    held.gate.open();
    assert_eq!(giant.join().expect("it goes through"), 10 * LIMIT);
    held.end();
}

fn submit_19_bytes_and_calls_both_count() {
    let pool = Pool::builder().workers(1).queue_limit_bytes(LIMIT).queue_limit(2).build().expect("a pool");
    let gate = Gate::new("gate");
    let held = meet.bind(gate.clone(), 1).on(&pool).spawn();
    gate.await_arrivals(1);
    let first = sized(90 * KIB).on(&pool).spawn();
    assert!(sized(20 * KIB).on(&pool).try_spawn().is_err(), "too many bytes");
    let second = sized(KIB).on(&pool).spawn();
    assert!(sized(KIB).on(&pool).try_spawn().is_err(), "too many calls");
    gate.open();
    assert_eq!((held.join().expect("1"), first.join().expect("90"), second.join().expect("1")), (1, 90 * KIB, KIB));
}

#[loky::task]
fn meet_with(gate: Gate, bytes: &[u8]) -> usize {
    gate.arrive("here");
    gate.pass();
    bytes.len()
}

fn submit_19_bytes_that_have_started_take_no_room() {
    let pool = Pool::builder().workers(1).queue_limit_bytes(LIMIT).build().expect("a pool");
    let (gate, bytes) = (Gate::new("gate"), vec![7; 95 * KIB]);
    let started = meet_with.bind(gate.clone(), &bytes).on(&pool).spawn();
    gate.await_arrivals(1);
    let queued = sized(95 * KIB).on(&pool).try_spawn().expect("what runs takes no room");
    assert!(sized(95 * KIB).on(&pool).try_spawn().is_err());
    gate.open();
    assert_eq!((started.join().expect("95"), queued.join().expect("95")), (95 * KIB, 95 * KIB));
    assert!(sized(95 * KIB).on(&pool).try_spawn().is_ok(), "what has ended takes none either");
}

fn submit_19_bytes_room_after_a_cancel() {
    let held = Held::new("gate");
    let queued = held.queued(90 * KIB);
    let next = held.blocked(50 * KIB, || assert!(queued.cancel()));
    fails(queued.join(), ErrorKind::Cancelled);
    let after = pending(sized(90 * KIB).on(&held.pool), || assert!(next.cancel()));
    fails(next.join(), ErrorKind::Cancelled);
    held.gate.open();
    assert_eq!(after.join().expect("it runs"), 90 * KIB);
    held.end();
}

fn submit_19_bytes_room_after_a_queue_timeout() {
    let held = Held::new("gate");
    let queued = sized(90 * KIB).on(&held.pool).queue_timeout(ms(300)).spawn();
    let next = held.blocked(50 * KIB, || ());
    fails(queued.join(), ErrorKind::QueueTimeout);
    held.gate.open();
    assert_eq!(next.join().expect("it runs"), 50 * KIB);
    held.end();
}

fn submit_19_bytes_room_after_a_death() {
    let held = Held::new("gate");
    let worker = held.gate.arrivals()[0].parse().expect("a pid");
    let queued = held.queued(90 * KIB);
    let next = held.blocked(50 * KIB, || signal(worker, Signal::SIGKILL));
    fails(held.held.join(), ErrorKind::Crash);
    assert_eq!((queued.join().expect("90"), next.join().expect("50")), (90 * KIB, 50 * KIB));
}

fn submit_19_bytes_room_after_a_shutdown() {
    let held = Held::new("gate");
    let (queued, ending) = (held.queued(90 * KIB), held.pool.clone());
    let mut shutdown = None;
    let late = held.blocked(50 * KIB, || shutdown = Some(thread::spawn(move || ending.shutdown())));
    fails(late.join(), ErrorKind::Shutdown);
    held.gate.open();
    assert_eq!((held.held.join().expect("held"), queued.join().expect("what was there is finished")), (1, 90 * KIB));
    shutdown.expect("it was asked for").join().expect("no panic");
    let held = Held::new("another gate");
    let queued = held.queued(90 * KIB);
    let late = pending(sized(50 * KIB).on(&held.pool), || held.pool.shutdown_now());
    fails(late.join(), ErrorKind::Shutdown);
    fails(queued.join(), ErrorKind::Shutdown);
    fails(held.held.join(), ErrorKind::Shutdown);
}

fn submit_19_bytes_room_for_the_small_before_the_large() {
    let held = Held::new("gate");
    let (first, second) = (held.queued(50 * KIB), held.queued(45 * KIB));
    let large = sized(90 * KIB).on(&held.pool);
    let waiting = thread::spawn(move || large.spawn());
    let small = held.blocked(40 * KIB, || assert!(second.cancel()));
    stays("the large one waits", ms(50), || !waiting.is_finished());
    held.gate.open();
    let large = waiting.join().expect("no panic");
    let lens = [first, small, large].map(|handle| handle.join().expect("it runs"));
    assert_eq!(lens, [50 * KIB, 40 * KIB, 90 * KIB]);
    fails(second.join(), ErrorKind::Cancelled);
    held.end();
}

fn submit_19_bytes_of_what_is_shared_are_not_counted() {
    let held = Held::new("gate");
    let shared = Shared::from_vec(vec![7_u8; 10 * LIMIT]);
    let handles: Vec<_> = (0..20).map(|_| length.bind(&shared).on(&held.pool).try_spawn().ok()).collect();
    held.gate.open();
    assert!(handles.into_iter().all(|handle| handle.expect("room").join().expect("it runs") == 10 * LIMIT));
    held.end();
}

fn submit_19_bytes_of_zero_are_refused() {
    let error = fails(Pool::builder().queue_limit_bytes(0).build(), ErrorKind::Config);
    assert!(error.to_string().contains("`queue_limit_bytes(0)`"), "{error}");
}

/// What was pulled and not yielded is bounded by the limit, and not by the number of items.
fn submit_19_bytes_hold_a_map_back() {
    let held = Held::new("gate");
    let pulled = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&pulled);
    let pool = held.pool.clone();
    let mapping = thread::spawn(move || {
        let items = (0..50).map(|_| {
            counter.fetch_add(1, Ordering::SeqCst);
            vec![7_u8; 60 * KIB]
        });
        items.par_map(length).on(&pool).chunk_size(1).unwrap_all()
    });
    eventually("it begins", || pulled.load(Ordering::SeqCst) > 0);
    stays("it pulls one item", ms(100), || pulled.load(Ordering::SeqCst) == 1);
    held.gate.open();
    assert_eq!(mapping.join().expect("no panic"), [60 * KIB; 50]);
    held.end();
}

fn submit_19_bytes_of_others_hold_a_map_back() {
    let held = Held::new("gate");
    let queued = held.queued(100 * KIB - 16);
    let (pool, pulled) = (held.pool.clone(), Arc::new(AtomicUsize::new(0)));
    let counter = Arc::clone(&pulled);
    let mapping = thread::spawn(move || {
        let items = (0..50_u64).inspect(|_| {
            counter.fetch_add(1, Ordering::SeqCst);
        });
        items.par_map(square).on(&pool).unwrap_all()
    });
    stays("there is no room", ms(100), || pulled.load(Ordering::SeqCst) == 0);
    assert!(queued.cancel());
    eventually("there is room", || pulled.load(Ordering::SeqCst) > 0);
    held.gate.open();
    assert_eq!(mapping.join().expect("no panic"), (0..50).map(|x| x * x).collect::<Vec<_>>());
    held.end();
}

fn submit_19_bytes_from_many_threads() {
    let pool = Pool::builder().workers(2).queue_limit_bytes(LIMIT).build().expect("a pool");
    thread::scope(|scope| {
        for thread in 0..8 {
            let pool = &pool;
            scope.spawn(move || {
                for round in 1..40 {
                    let bytes = (thread + 1) * round * 200;
                    assert_eq!(sized(bytes).on(pool).run().expect("it runs"), bytes);
                }
            });
        }
    });
    pool.shutdown();
}
