//! Time limits, priorities and a bounded queue.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use loky::prelude::*;
use loky::{ErrorKind, Pool};
use loky_tests::tasks::{leave_word, meet, pid, sleep_for, spin, square};
use loky_tests::{Case, Gate, cases, eventually, fails, ms, pool_of, procfs, soon, stays};

pub(crate) const CASES: &[Case] = cases![
    timeout_01_a_long_run_is_killed,
    timeout_02_its_worker_is_replaced_and_the_queue_goes_on,
    timeout_04_the_clock_starts_with_the_run,
    timeout_05_the_queue_has_a_limit_of_its_own,
    timeout_06_each_call_has_its_own_limit,
    timeout_08_several_at_the_same_instant,
    timeout_23_a_limit_without_end,
    timeout_25_a_deadline_covers_queue_and_run,
    timeout_26_a_limit_of_the_task_and_of_the_pool,
    timeout_27_a_limit_is_not_retried,
    timeout_28_an_answer_at_the_very_limit_leaves_a_worker_that_works,
    submit_19_a_full_queue_gives_the_call_back,
    submit_19_spawn_waits_for_room,
    submit_19_spawn_async_waits_without_a_thread,
    cancel_14_a_cancelled_call_makes_room,
    submit_20_priority_decides_and_equals_keep_their_order,
];

fn timeout_01_a_long_run_is_killed() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let before = Instant::now();
    let error = fails(spin.bind(gate).on(&pool).timeout(ms(200)).run(), ErrorKind::Timeout);
    assert!(before.elapsed() >= ms(200) && before.elapsed() < ms(5000), "{:?}", before.elapsed());
    assert!(error.is_timeout() && error.may_have_run() && error.to_string().contains("200ms"), "{error}");
    assert_eq!(error.attempt(), Some(1));
    let worker = error.pid().expect("the error names its worker");
    soon("its worker is dead", ms(1000), || !procfs::is_alive(worker));
}

/// Whichever comes first, the limit or the answer, the next call on that worker must run: one that was halted for the
/// limit and not killed would never begin it.
fn timeout_28_an_answer_at_the_very_limit_leaves_a_worker_that_works() {
    let (pool, limit) = (pool_of(1), Duration::from_micros(2300));
    let (mut in_time, mut late) = (0, 0);
    for round in 0..400_u64 {
        let span = Duration::from_micros(400 + 10 * round);
        match sleep_for.bind(span).on(&pool).timeout(limit).run() {
            Ok(_) => in_time += 1,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
                late += 1;
            }
        }
        let next = square.bind(round).on(&pool).spawn();
        assert!(next.wait_timeout(ms(20_000)), "round {round}: the next call never begins");
        assert_eq!(next.join().expect("it has no limit"), round * round);
    }
    assert!(in_time > 0 && late > 0, "both were met: {in_time} and {late}");
}

fn timeout_02_its_worker_is_replaced_and_the_queue_goes_on() {
    let pool = pool_of(1);
    let before = pid.bind().on(&pool).run().expect("the first worker");
    let slow = sleep_for.bind(ms(30_000)).on(&pool).timeout(ms(50)).spawn();
    let next = pid.bind().on(&pool).spawn();
    assert_ne!(next.join().expect("the queue goes on"), before);
    assert_eq!(fails(slow.join(), ErrorKind::Timeout).pid(), Some(before));
}

fn timeout_04_the_clock_starts_with_the_run() {
    let pool = pool_of(1);
    let calls = (0..4).map(|_| sleep_for.bind(ms(700)).on(&pool).timeout(ms(2400)).spawn());
    loky::join_all(calls.collect::<Vec<_>>()).expect("none waits in the queue at its own cost");
}

fn timeout_05_the_queue_has_a_limit_of_its_own() {
    let (pool, gate, words) = (pool_of(1), Gate::new("gate"), Gate::new("words"));
    let held = meet.bind(gate.clone(), 1).on(&pool).queue_timeout(ms(30_000)).spawn();
    gate.await_arrivals(1);
    let error =
        fails(leave_word.bind(words.clone(), "late").on(&pool).queue_timeout(ms(50)).run(), ErrorKind::QueueTimeout);
    assert!(error.is_timeout() && !error.may_have_run(), "{error}");
    gate.open();
    held.join().expect("a started call has left the queue");
    square.bind(1).on(&pool).run().expect("whatever was queued has had its turn");
    assert_eq!(words.arrivals(), Vec::<String>::new());
}

fn timeout_06_each_call_has_its_own_limit() {
    let (pool, gate) = (pool_of(3), Gate::new("gate"));
    let free = meet.bind(gate.clone(), 1).on(&pool).spawn();
    let limited = [50, 150].map(|limit| sleep_for.bind(ms(30_000)).on(&pool).timeout(ms(limit)).spawn());
    for (handle, limit) in limited.into_iter().zip(["50ms", "150ms"]) {
        let error = fails(handle.join(), ErrorKind::Timeout);
        assert!(error.to_string().contains(limit), "{error}");
    }
    gate.open();
    assert_eq!(free.join().expect("the one without a limit"), 1);
}

fn timeout_08_several_at_the_same_instant() {
    let pool = pool_of(4);
    for round in 0..5 {
        let slow: Vec<_> = (0..4).map(|_| sleep_for.bind(ms(30_000)).on(&pool).timeout(ms(100)).spawn()).collect();
        let next: Vec<_> = (0..8).map(|x| square.bind(x).on(&pool).spawn()).collect();
        for handle in slow {
            fails(handle.join(), ErrorKind::Timeout);
        }
        let next = loky::join_all(next).expect("healthy new workers are not killed");
        assert_eq!(next, (0..8).map(square).collect::<Vec<_>>(), "round {round}");
        assert!(procfs::workers().len() <= 4, "each was replaced once at most");
    }
}

fn timeout_23_a_limit_without_end() {
    let pool =
        Pool::builder().workers(1).timeout(Duration::MAX).idle_timeout(Some(Duration::MAX)).build().expect("a pool");
    let call = square.bind(3).on(&pool).timeout(Duration::MAX).queue_timeout(Duration::MAX).deadline(Duration::MAX);
    assert_eq!(call.run().expect("no overflow"), 9);
}

fn timeout_25_a_deadline_covers_queue_and_run() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    // To start a worker takes longer than that, sometimes.
    pool.warm_up();
    let running = sleep_for.bind(ms(30_000)).on(&pool).deadline(ms(1000)).run();
    assert!(fails(running, ErrorKind::Timeout).may_have_run());
    let held = meet.bind(gate.clone(), 1).on(&pool).spawn();
    gate.await_arrivals(1);
    let queued = square.bind(1).on(&pool).deadline(ms(100)).run().expect_err("it never starts");
    assert!(queued.is_timeout() && !queued.may_have_run(), "{queued}");
    gate.open();
    held.join().expect("not touched");
}

#[loky::task(timeout = "100ms")]
fn impatient(span: Duration) {
    thread::sleep(span);
}

fn timeout_26_a_limit_of_the_task_and_of_the_pool() {
    let pool = Pool::builder().workers(1).timeout(ms(200)).build().expect("a pool");
    assert!(fails(sleep_for.bind(ms(30_000)).on(&pool).run(), ErrorKind::Timeout).to_string().contains("200ms"));
    assert!(fails(impatient.bind(ms(30_000)).on(&pool).run(), ErrorKind::Timeout).to_string().contains("100ms"));
    impatient.bind(ms(300)).on(&pool).timeout(ms(20_000)).run().expect("the call's own limit wins");
}

fn timeout_27_a_limit_is_not_retried() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let call = spin.bind(gate.clone()).on(&pool).timeout(ms(100)).retries(5);
    assert_eq!(fails(call.run(), ErrorKind::Timeout).attempt(), Some(1));
    square.bind(1).on(&pool).run().expect("whatever was queued has had its turn");
    // A machine that stalls may end it before it has arrived.
    assert!(gate.arrivals().len() <= 1, "retries are for deaths that nobody ordered");
}

/// A pool with one worker, which is held at the gate, and a queue that is full with one call.
fn full_pool(gate: &Gate) -> (Pool, loky::JoinHandle<u64>, loky::JoinHandle<u64>) {
    let pool = Pool::builder().workers(1).queue_limit(1).build().expect("a pool");
    let held = meet.bind(gate.clone(), 1).on(&pool).spawn();
    gate.await_arrivals(1);
    let queued = square.bind(2).on(&pool).spawn();
    (pool, held, queued)
}

fn submit_19_a_full_queue_gives_the_call_back() {
    let gate = Gate::new("gate");
    let (pool, held, queued) = full_pool(&gate);
    let call = square.bind(9).on(&pool).try_spawn().expect_err("the queue is full");
    gate.open();
    assert_eq!(call.spawn().join().expect("the call is whole"), 81);
    assert_eq!((held.join().expect("held"), queued.join().expect("queued")), (1, 4));
    assert_eq!(square.bind(4).on(&pool).try_spawn().expect("there is room").join().expect("16"), 16);
    pool.shutdown();
    let refused = square.bind(4).on(&pool).try_spawn().expect("only a full queue gives the call back");
    fails(refused.join(), ErrorKind::Shutdown);
}

fn submit_19_spawn_waits_for_room() {
    let gate = Gate::new("gate");
    let (pool, held, _queued) = full_pool(&gate);
    let waiting = thread::spawn({
        let pool = pool.clone();
        move || square.bind(5).on(&pool).spawn()
    });
    stays("spawn waits", ms(100), || !waiting.is_finished());
    gate.open();
    assert_eq!(waiting.join().expect("no panic").join().expect("25"), 25);
    held.join().expect("held");
}

fn submit_19_spawn_async_waits_without_a_thread() {
    let gate = Gate::new("gate");
    let (pool, held, queued) = full_pool(&gate);
    let mut spawning = pin!(square.bind(6).on(&pool).spawn_async());
    let mut context = Context::from_waker(Waker::noop());
    assert!(spawning.as_mut().poll(&mut context).is_pending());
    gate.open();
    queued.join().expect("queued");
    held.join().expect("held");
    let mut spawned = None;
    eventually("there is room", || match spawning.as_mut().poll(&mut context) {
        Poll::Ready(handle) => spawned.replace(handle).is_none(),
        Poll::Pending => false,
    });
    assert_eq!(spawned.expect("ready").join().expect("36"), 36);
}

fn cancel_14_a_cancelled_call_makes_room() {
    let gate = Gate::new("gate");
    let (pool, held, queued) = full_pool(&gate);
    assert!(square.bind(3).on(&pool).try_spawn().is_err());
    assert!(queued.cancel());
    let next = square.bind(3).on(&pool).try_spawn().expect("the cancelled call has left");
    gate.open();
    assert_eq!((next.join().expect("9"), held.join().expect("held")), (9, 1));
}

fn submit_20_priority_decides_and_equals_keep_their_order() {
    let (pool, gate, words) = (pool_of(1), Gate::new("gate"), Gate::new("words"));
    let held = meet.bind(gate.clone(), 1).on(&pool).spawn();
    gate.await_arrivals(1);
    let ranked = [("a", 0), ("b", 0), ("low", -1), ("c", 0), ("high", 7), ("higher", 8), ("high too", 7)];
    let spawn = |(word, rank)| leave_word.bind(words.clone(), word).on(&pool).priority(rank).spawn();
    let handles: Vec<_> = ranked.into_iter().map(spawn).collect();
    gate.open();
    loky::join_all(handles).expect("all run");
    held.join().expect("held");
    assert_eq!(words.arrivals(), ["higher", "high", "high too", "a", "b", "c", "low"]);
}
