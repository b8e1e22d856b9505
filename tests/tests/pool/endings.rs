//! Ends of a pool that somebody else waits for, or nobody: what is refused, what is finished, what is given up.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant};

use loky::prelude::*;
use loky::{CallStatus, ErrorKind, JoinHandle, Pool};
use loky_tests::tasks::{leave_word, meet, panic_with, sleep_for, square, take_thorn};
use loky_tests::thorn::{Fault, Moment, Thorn};
use loky_tests::{Case, Gate, cases, eventually, fails, ms, pool_of, procfs, soon, sys};

pub(crate) const CASES: &[Case] = cases![
    shutdown_04_the_end_of_a_scope_waits,
    shutdown_07_nobody_waits_for_it_and_everything_is_finished,
    shutdown_08_dropped_after_an_argument_that_fails,
    shutdown_09_workers_leave_by_themselves_at_the_same_time,
    shutdown_12_what_waits_is_cancelled_first,
    shutdown_14_forced_with_cancelled_calls_in_the_queue,
    shutdown_18_one_finishes_and_the_other_does_not,
    shutdown_24_before_during_and_after_a_warm_up,
    shutdown_27_a_worker_that_listens_to_nobody_is_killed,
    shutdown_30_dropped_after_a_failure_in_a_worker_of_one_call,
    shutdown_32_the_last_of_several_holders_ends_it_once,
];

/// Threads and descriptors of this process.
fn open() -> (usize, usize) {
    (procfs::threads().len(), procfs::descriptors().len())
}

fn assert_nothing_left(before: (usize, usize)) {
    soon("no worker is left", ms(5000), || procfs::children(std::process::id()).is_empty());
    soon("no thread and no descriptor either", ms(2000), || open() == before);
}

/// What a program writes that wants its pool to end with a scope.
struct Scope(Pool);

impl Drop for Scope {
    fn drop(&mut self) {
        self.0.shutdown();
    }
}

fn shutdown_04_the_end_of_a_scope_waits() {
    let before = open();
    for panics in [false, true] {
        let mut handles = Vec::new();
        let ended = catch_unwind(AssertUnwindSafe(|| {
            let scope = Scope(pool_of(5));
            handles.extend((0..30).map(|x| square.bind(x).on(&scope.0).spawn()));
            assert!(!panics, "as told");
        }));
        assert_eq!(ended.is_err(), panics);
        assert_eq!(procfs::children(std::process::id()), [], "it has waited");
        assert!(handles.iter().all(JoinHandle::is_finished));
        assert_eq!(loky::join_all(handles).expect("all of them"), (0..30).map(square).collect::<Vec<_>>());
    }
    assert_nothing_left(before);
}

fn shutdown_07_nobody_waits_for_it_and_everything_is_finished() {
    let before = open();
    let (pool, gate) = (pool_of(5), Gate::new("gate"));
    let held: Vec<_> = (0..10).map(|x| meet.bind(gate.clone(), x).on(&pool).spawn()).collect();
    gate.await_arrivals(5);
    let ending = thread::spawn({
        let pool = pool.clone();
        move || pool.shutdown()
    });
    eventually("it is asked for", || square.bind(1).on(&pool).spawn().is_finished());
    assert!(!fails(square.bind(1).on(&pool).run(), ErrorKind::Shutdown).may_have_run());
    let counted = |status| held.iter().filter(|handle| handle.status() == status).count();
    assert_eq!((counted(CallStatus::Running), counted(CallStatus::Queued)), (5, 5), "they are as they were");
    assert!(!ending.is_finished());
    gate.open();
    assert_eq!(loky::join_all(held).expect("all of them"), (0..10).collect::<Vec<_>>());
    ending.join().expect("no panic");
    drop(pool);
    assert_nothing_left(before);
}

fn shutdown_08_dropped_after_an_argument_that_fails() {
    let before = open();
    for fault in [Fault::Error, Fault::Panic] {
        for has_worker in [false, true] {
            let pool = pool_of(2);
            if has_worker {
                square.bind(1).on(&pool).run().expect("a worker");
            }
            let handle = take_thorn.bind(Thorn::new(Moment::Encode, fault)).on(&pool).spawn();
            drop(pool);
            fails(handle.join(), ErrorKind::Encode);
            assert_nothing_left(before);
        }
    }
}

fn shutdown_09_workers_leave_by_themselves_at_the_same_time() {
    for round in 0..30 {
        let pool = Pool::builder().workers(3).idle_timeout(Some(ms(1))).build().expect("a pool");
        let handles: Vec<_> = (0..4).map(|x| square.bind(x).on(&pool).spawn()).collect();
        thread::sleep(Duration::from_micros(200 * round));
        pool.shutdown();
        assert_eq!(loky::join_all(handles).expect("all of them"), [0, 1, 4, 9]);
        assert_eq!(procfs::children(std::process::id()), []);
    }
}

fn shutdown_12_what_waits_is_cancelled_first() {
    let pool = pool_of(5);
    let handles: Vec<_> = (0..50).map(|_| sleep_for.bind(ms(100)).on(&pool).spawn()).collect();
    eventually("one is done", || handles.iter().any(JoinHandle::is_finished));
    let waiting = handles.iter().filter(|handle| handle.status() == CallStatus::Queued);
    let cancelled = waiting.filter(|handle| handle.cancel()).count();
    pool.shutdown();
    assert!(handles.iter().all(JoinHandle::is_finished));
    let (done, failed): (Vec<_>, Vec<_>) = handles.into_iter().map(JoinHandle::join).partition(Result::is_ok);
    assert!(failed.len() == cancelled && cancelled > 20 && !done.is_empty(), "{cancelled} of 50");
    failed.into_iter().for_each(|result| drop(fails(result, ErrorKind::Cancelled)));
}

fn shutdown_14_forced_with_cancelled_calls_in_the_queue() {
    let (pool, gate) = (pool_of(2), Gate::new("gate"));
    let held: Vec<_> = (0..2).map(|x| meet.bind(gate.clone(), x).on(&pool).spawn()).collect();
    let queued: Vec<_> = (0..20).map(|x| square.bind(x).on(&pool).spawn()).collect();
    gate.await_arrivals(2);
    queued.iter().step_by(2).for_each(|handle| assert!(handle.cancel()));
    pool.shutdown_now();
    assert_eq!(procfs::children(std::process::id()), [], "the workers are killed");
    held.into_iter().for_each(|handle| assert!(fails(handle.join(), ErrorKind::Shutdown).may_have_run()));
    for (number, handle) in queued.into_iter().enumerate() {
        let expected = if number % 2 == 0 { ErrorKind::Cancelled } else { ErrorKind::Shutdown };
        assert!(!fails(handle.join(), expected).may_have_run());
    }
}

fn shutdown_18_one_finishes_and_the_other_does_not() {
    for (end, finishes) in [(Pool::shutdown as fn(&Pool), true), (Pool::shutdown_now, false)] {
        let pool = pool_of(1);
        let handles: Vec<_> = (0..10).map(|_| sleep_for.bind(ms(20)).on(&pool).spawn()).collect();
        end(&pool);
        let done = handles.into_iter().map(JoinHandle::join).filter(Result::is_ok).count();
        assert!(if finishes { done == 10 } else { done < 10 }, "{done} of 10 are done");
        let stats = pool.stats();
        assert_eq!((stats.live, stats.queued, stats.running), (0, 0, 0));
        fails(square.bind(1).on(&pool).run(), ErrorKind::Shutdown);
    }
}

fn shutdown_24_before_during_and_after_a_warm_up() {
    let before = open();
    for end in [Pool::shutdown as fn(&Pool), Pool::shutdown_now] {
        end(&pool_of(2));
        let warm = pool_of(2);
        warm.warm_up();
        assert_eq!(warm.stats().live, 2);
        end(&warm);
        for round in 0..10 {
            let pool = pool_of(2);
            thread::scope(|scope| {
                let warming = scope.spawn(|| pool.warm_up());
                thread::sleep(Duration::from_micros(300 * round));
                end(&pool);
                warming.join().expect("it ends, too");
            });
            assert_eq!(procfs::children(std::process::id()), []);
        }
    }
    assert_nothing_left(before);
}

/// Ignores every signal that can be ignored, and never leaves the processor.
#[loky::task]
fn listen_to_nobody(gate: Gate) {
    sys::ignore_sigterm();
    loky_tests::tasks::spin(gate);
}

fn shutdown_27_a_worker_that_listens_to_nobody_is_killed() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let held = listen_to_nobody.bind(gate.clone()).on(&pool).spawn();
    let worker: u32 = gate.await_arrivals(1)[0].parse().expect("a pid");
    sys::signal(worker, nix::sys::signal::Signal::SIGTERM);
    let begun = Instant::now();
    assert!(!pool.shutdown_timeout(ms(300)), "it could not finish");
    assert!(begun.elapsed() >= ms(300), "{:?}", begun.elapsed());
    assert!(!procfs::is_alive(worker) && held.is_finished());
    fails(held.join(), ErrorKind::Shutdown);
}

fn shutdown_30_dropped_after_a_failure_in_a_worker_of_one_call() {
    let before = open();
    for workers in [2, 4] {
        let pool = Pool::builder().workers(workers).max_calls_per_worker(1).build().expect("a pool");
        let failing = panic_with.bind("as told").on(&pool).spawn();
        drop(pool);
        fails(failing.join(), ErrorKind::Panic);
        assert_nothing_left(before);
    }
}

fn shutdown_32_the_last_of_several_holders_ends_it_once() {
    let before = open();
    let ended = Gate::new("ended");
    for round in 1..=5 {
        let builder = Pool::builder().workers(2).finalizer(leave_word.bind(ended.clone(), "left"), |end| {
            end.expect("an orderly end");
        });
        let pool = builder.build().expect("a pool");
        pool.warm_up();
        let holders = [pool.clone(), pool].map(|held| {
            thread::spawn(move || (0..20).all(|x| square.bind(x).on(&held).run().is_ok_and(|value| value == x * x)))
        });
        holders.into_iter().for_each(|holder| assert!(holder.join().expect("no panic"), "each has it to the end"));
        assert_nothing_left(before);
        assert_eq!(ended.arrivals().len(), 2 * round, "each worker has left once");
    }
}
