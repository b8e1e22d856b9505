//! `on_done`: called once, off the pool's own paths, whatever the callback does.

use std::panic::{panic_any, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use loky::prelude::*;
use loky::{Error, ErrorKind, JoinHandle, Pool};
use loky_tests::tasks::{Death, die, meet, panic_with, square};
use loky_tests::{Case, Gate, cases, eventually, fails, finish, ms, pool_of, procfs};
use serde::de::DeserializeOwned;

pub(crate) const CASES: &[Case] = cases![
    callback_01_hears_of_success_error_and_cancellation,
    callback_02_hears_of_what_was_done_before,
    callback_03_a_panic_in_it_is_contained,
    callback_04_whatever_it_panics_with,
    callback_05_chains_of_spawns,
    callback_07_may_shut_its_pool_down,
    callback_08_a_shutdown_in_it_does_not_wait_for_itself,
    callback_09_a_slow_one_delays_no_result,
    callback_10_may_resize_and_ask_for_other_pools,
    callback_11_may_wait_for_a_call_of_the_same_pool,
    callback_12_a_panic_does_not_stop_the_pool,
    callback_13_one_of_two_ways_is_taken_once,
];

const PATIENCE: Duration = Duration::from_secs(20);

/// What the callback of `handle` hears.
fn hear<R: DeserializeOwned + Send + 'static>(handle: JoinHandle<R>) -> Receiver<Result<R, Error>> {
    let (tell, heard) = mpsc::channel();
    handle.on_done(move |result| tell.send(result).expect("the case listens"));
    heard
}

fn callback_01_hears_of_success_error_and_cancellation() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let held = hear(meet.bind(gate.clone(), 4).on(&pool).spawn());
    let failing = hear(panic_with.bind("told").on(&pool).spawn());
    let dying = hear(die.bind(Death::Abort).on(&pool).spawn());
    let doomed = meet.bind(gate.clone(), 5).on(&pool).spawn();
    doomed.cancel();
    let cancelled = hear(doomed);
    fails(cancelled.recv_timeout(PATIENCE).expect("told"), ErrorKind::Cancelled);
    gate.open();
    assert_eq!(held.recv_timeout(PATIENCE).expect("told").expect("success"), 4);
    fails(failing.recv_timeout(PATIENCE).expect("told"), ErrorKind::Panic);
    fails(dying.recv_timeout(PATIENCE).expect("told"), ErrorKind::Crash);
    assert!(held.recv().is_err(), "called once, and dropped");
}

fn callback_02_hears_of_what_was_done_before() {
    let handle = square.spawn(3);
    assert!(handle.wait_timeout(PATIENCE));
    assert_eq!(hear(handle).recv_timeout(PATIENCE).expect("told").expect("success"), 9);
    finish();
}

fn callback_03_a_panic_in_it_is_contained() {
    let pool = pool_of(1);
    for x in 0..3 {
        square.bind(x).on(&pool).spawn().on_done(|_| panic!("in a callback"));
        assert_eq!(hear(square.bind(x).on(&pool).spawn()).recv_timeout(PATIENCE).expect("told").expect("alive"), x * x);
    }
    let done = square.bind(7).on(&pool).spawn();
    assert!(done.wait_timeout(PATIENCE));
    done.on_done(|_| panic!("in a callback of what was done before"));
    assert_eq!(square.bind(8).on(&pool).run().expect("the pool lives on"), 64);
}

struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic!("in the drop of what was thrown");
    }
}

/// What a program can throw: texts, numbers, what panics again, and the panic of another thread.
fn callback_04_whatever_it_panics_with() {
    let throws: [fn(); 5] = [
        || panic!("a text"),
        || panic!("{}", String::from("an owned text")),
        || panic_any(7_u8),
        || panic_any(PanicsInDrop),
        || thread::spawn(|| panic!("elsewhere")).join().unwrap_or_else(|payload| resume_unwind(payload)),
    ];
    let pool = pool_of(1);
    for (number, throw) in (0..).zip(throws) {
        square.bind(number).on(&pool).spawn().on_done(move |_| throw());
        let next = hear(square.bind(number).on(&pool).spawn());
        assert_eq!(next.recv_timeout(PATIENCE).expect("told").expect("alive"), square(number), "after number {number}");
    }
}

fn callback_05_chains_of_spawns() {
    fn link(pool: loky::Pool, left: u64, sum: u64, tell: mpsc::Sender<u64>) {
        let next = square.bind(left).on(&pool).spawn();
        next.on_done(move |result| {
            let sum = sum + result.expect("each link succeeds");
            if left == 0 { tell.send(sum).expect("the case listens") } else { link(pool, left - 1, sum, tell) }
        });
    }
    let pool = pool_of(2);
    let chains = [100, 50, 60].map(|length| {
        let (tell, heard) = mpsc::channel();
        link(pool.clone(), length, 0, tell);
        (length, heard)
    });
    for (length, heard) in chains {
        assert_eq!(heard.recv_timeout(PATIENCE).expect("the chain ends"), (0..=length).map(square).sum());
    }
}

fn callback_07_may_shut_its_pool_down() {
    let pool = pool_of(1);
    let inner = pool.clone();
    let (tell, heard) = mpsc::channel();
    square.bind(1).on(&pool).spawn().on_done(move |_| {
        inner.shutdown();
        tell.send(()).expect("the case listens");
    });
    heard.recv_timeout(PATIENCE).expect("the shutdown from a callback returns");
    fails(square.bind(2).on(&pool).run(), ErrorKind::Shutdown);
}

/// A way to shut a pool down, and whether everything finished in time.
type End = fn(&Pool) -> bool;

fn callback_08_a_shutdown_in_it_does_not_wait_for_itself() {
    let ways: [(&str, End); 3] = [
        ("in full", |pool| {
            pool.shutdown();
            true
        }),
        ("with a limit", |pool| pool.shutdown_timeout(ms(10_000))),
        ("by force", |pool| {
            pool.shutdown_now();
            true
        }),
    ];
    for (name, end) in ways {
        let (pool, gate) = (pool_of(2), Gate::new(name));
        let held = meet.bind(gate.clone(), 5).on(&pool).spawn();
        gate.await_arrivals(1);
        let (tell, heard) = mpsc::channel();
        let inner = pool.clone();
        square.bind(1).on(&pool).spawn().on_done(move |_| tell.send(end(&inner)).expect("the case listens"));
        eventually("the shutdown has begun", || square.bind(1).on(&pool).run().is_err());
        gate.open();
        match name {
            "by force" => drop(fails(held.join(), ErrorKind::Shutdown)),
            _ => assert_eq!(held.join().expect("what was spawned before finishes"), 5),
        }
        assert!(heard.recv_timeout(PATIENCE).expect("no deadlock"), "{name}: everything finished in time");
        eventually("no worker is left", || procfs::workers().is_empty());
    }
}

fn callback_09_a_slow_one_delays_no_result() {
    let pool = pool_of(2);
    let (release, held) = mpsc::channel::<()>();
    let (entered, inside) = mpsc::channel();
    square.bind(1).on(&pool).spawn().on_done(move |_| {
        entered.send(()).expect("the case listens");
        held.recv().expect("the case releases it");
    });
    inside.recv_timeout(PATIENCE).expect("the callback is called");
    for x in 0..20 {
        assert_eq!(square.bind(x).on(&pool).run().expect("joined meanwhile"), x * x);
    }
    let awaited = square.bind(5).on(&pool).spawn();
    eventually("a result arrives though nobody joins", || awaited.is_finished());
    let from_elsewhere = thread::spawn(move || awaited.join());
    assert_eq!(from_elsewhere.join().expect("no panic").expect("joined elsewhere"), 25);
    release.send(()).expect("the callback waits");
}

fn callback_11_may_wait_for_a_call_of_the_same_pool() {
    let pool = pool_of(1);
    let inner = pool.clone();
    let (tell, heard) = mpsc::channel();
    square.bind(2).on(&pool).spawn().on_done(move |result| {
        let next = square.bind(result.expect("4")).on(&inner).run();
        tell.send(next.expect("16")).expect("the case listens");
    });
    assert_eq!(heard.recv_timeout(PATIENCE).expect("no deadlock"), 16);
    assert!(square.bind(3).on(&pool).spawn().wait_timeout(ms(20_000)));
}

fn callback_10_may_resize_and_ask_for_other_pools() {
    let pool = loky::reusable(Pool::builder().workers(1)).expect("a pool");
    let (tell, heard) = mpsc::channel();
    for size in [3, 1, 2] {
        let (inner, tell) = (pool.clone(), tell.clone());
        square.bind(1).on(&pool).spawn().on_done(move |_| {
            inner.resize(size);
            let same = loky::reusable(Pool::builder().workers(size)).expect("the same one, resized");
            let told = square.bind(size as u64).on(&same).run().expect("served");
            tell.send((same.workers(), told)).expect("the case listens");
        });
        let expected = (size, square(size as u64));
        assert_eq!(heard.recv_timeout(PATIENCE).expect("no deadlock"), expected);
    }
    let (tell, heard) = mpsc::channel();
    square.bind(1).on(&pool).spawn().on_done(move |_| {
        let other = loky::reusable(Pool::builder().workers(1).env("OTHER", "yes")).expect("another one in its place");
        let keyed = loky::keyed("in a callback", Pool::builder().workers(1)).expect("one beside it");
        let told = [&other, &keyed].map(|pool| square.bind(3).on(pool).run().expect("served"));
        keyed.shutdown();
        tell.send(told).expect("the case listens");
    });
    assert_eq!(heard.recv_timeout(PATIENCE).expect("no deadlock"), [9, 9]);
    drop(pool);
    finish();
}

fn callback_12_a_panic_does_not_stop_the_pool() {
    let pool = pool_of(1);
    square.bind(1).on(&pool).spawn().on_done(|_| panic!("in a callback"));
    thread::sleep(ms(100));
    assert_eq!(square.bind(2).on(&pool).run().expect("a tenth of a second later"), 4);
}

fn callback_13_one_of_two_ways_is_taken_once() {
    let pool = pool_of(2);
    let (good, bad) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    for x in 0..40 {
        let (good, bad) = (Arc::clone(&good), Arc::clone(&bad));
        let call = if x % 4 == 0 { fail.bind(x).on(&pool) } else { square.bind(x).on(&pool) };
        call.spawn().on_done(move |result| match result {
            Ok(y) => _ = good.fetch_add(y, Ordering::SeqCst),
            Err(_) => _ = bad.fetch_add(1, Ordering::SeqCst),
        });
    }
    pool.shutdown();
    let squares: u64 = (0..40).filter(|x| x % 4 != 0).map(square).sum();
    assert_eq!((good.load(Ordering::SeqCst), bad.load(Ordering::SeqCst)), (squares, 10));
}

#[loky::task]
fn fail(x: u64) -> u64 {
    panic!("{x} fails")
}
