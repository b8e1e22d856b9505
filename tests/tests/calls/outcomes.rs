//! What a handle tells of its call: the same to everybody, however often they ask, and whoever gives up meanwhile.

use std::thread;
use std::time::Instant;

use loky::prelude::*;
use loky::{CallStatus, ErrorKind, JoinHandle};
use loky_tests::tasks::{leave_word, meet, panic_with, pid, square};
use loky_tests::{Case, Gate, cases, eventually, fails, ms, pool_of, procfs, stays};

pub(crate) const CASES: &[Case] = cases![
    fut_02_cancel_answers_by_the_state,
    fut_06_an_error_is_waited_for_like_a_value,
    fut_08_debug_text_follows_the_call,
    fut_09_all_see_the_same_of_what_is_finished,
    fut_09_who_sees_the_end_finds_the_value,
    fut_10_an_error_without_content_is_an_error,
    fut_17_a_call_that_was_withdrawn_never_begins,
    fut_18_nobody_stays_behind_when_a_pool_is_killed,
    fut_19_asking_again_gives_the_same_answer,
];

fn fut_02_cancel_answers_by_the_state() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let finished = square.bind(3).on(&pool).spawn();
    assert!(finished.wait_timeout(ms(20_000)) && !finished.cancel(), "too late");
    assert_eq!(finished.status(), CallStatus::Finished);
    let running = meet.bind(gate.clone(), 1).on(&pool).spawn();
    let queued = square.bind(4).on(&pool).spawn();
    gate.await_arrivals(1);
    assert!(queued.cancel() && queued.status() == CallStatus::Finished);
    assert!(!queued.cancel(), "it was given up already");
    assert!(running.cancel(), "what runs is stopped");
    assert!(running.wait_timeout(ms(20_000)) && !running.cancel());
    assert_eq!(finished.join().expect("its value stays"), 9);
    fails(queued.join(), ErrorKind::Cancelled);
    fails(running.join(), ErrorKind::Cancelled);
}

#[loky::task]
fn pass_and_panic(gate: Gate) {
    gate.arrive("there");
    gate.pass();
    panic!("as it must");
}

fn fut_06_an_error_is_waited_for_like_a_value() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let failing = pass_and_panic.bind(gate.clone()).on(&pool).spawn();
    let queued = pass_and_panic.bind(gate.clone()).on(&pool).spawn();
    gate.await_arrivals(1);
    assert!(!failing.wait_timeout(ms(0)) && !queued.wait_timeout(ms(0)), "neither has an error yet");
    assert!(queued.cancel() && queued.wait_timeout(ms(0)));
    fails(queued.join(), ErrorKind::Cancelled);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| failing.wait_timeout(ms(30_000)));
        gate.open();
        assert!(waiter.join().expect("the waiter does not panic"), "woken by the error");
    });
    let error = fails(failing.join(), ErrorKind::Panic);
    assert_eq!(error.panic_message(), Some("as it must"));
    assert!(square.bind(3).on(&pool).run().err().is_none(), "where nothing fails there is no error");
}

fn fut_08_debug_text_follows_the_call() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let says = |handle: &JoinHandle<u64>, words: &[&str]| {
        let text = format!("{handle:?}");
        assert!(words.iter().all(|word| text.contains(word)), "{words:?} in {text}");
    };
    let running = meet.bind(gate.clone(), 1).on(&pool).spawn();
    gate.await_arrivals(1);
    let [queued, cancelled] = [2, 3].map(|x| square.bind(x).on(&pool).spawn());
    eventually("it runs", || running.status() == CallStatus::Running);
    says(&running, &["Running", "tasks::meet"]);
    says(&queued, &["Queued", "tasks::square"]);
    assert!(!format!("{queued:?}").contains("outcome"));
    cancelled.cancel();
    says(&cancelled, &["Finished", "Err(Cancelled)"]);
    gate.open();
    assert!(queued.wait_timeout(ms(20_000)));
    says(&queued, &["Finished", "Ok(\"u64\")"]);
    let failed = fail_with_a_number.bind().on(&pool).spawn();
    assert!(failed.wait_timeout(ms(20_000)));
    says(&failed, &["Finished", "Err(Panic)"]);
}

#[loky::task]
fn fail_with_a_number() -> u64 {
    panic!("instead of a number")
}

fn fut_09_all_see_the_same_of_what_is_finished() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let held = meet.bind(gate.clone(), 1).on(&pool).spawn();
    gate.await_arrivals(1);
    let seen = |handle: &JoinHandle<u64>| (handle.is_finished(), handle.status(), handle.wait_timeout(ms(0)));
    let [good, cancelled] = [2, 3].map(|x| square.bind(x).on(&pool).spawn());
    let bad = fail_with_a_number.bind().on(&pool).spawn();
    assert_eq!(seen(&good), (false, CallStatus::Queued, false));
    cancelled.cancel();
    gate.open();
    assert!(good.wait_timeout(ms(20_000)) && bad.wait_timeout(ms(20_000)));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..1000 {
                    let all = [&good, &bad, &cancelled].map(seen);
                    assert_eq!(all, [(true, CallStatus::Finished, true); 3]);
                }
            });
        }
    });
    assert_eq!((held.join().expect("held"), good.join().expect("a value")), (1, 4));
    fails(bad.join(), ErrorKind::Panic);
    fails(cancelled.join(), ErrorKind::Cancelled);
}

fn fut_09_who_sees_the_end_finds_the_value() {
    let pool = pool_of(2);
    for x in 0..500 {
        let handle = square.bind(x).on(&pool).spawn();
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while !handle.is_finished() {
                        thread::yield_now();
                    }
                    assert_eq!((handle.status(), handle.wait_timeout(ms(0))), (CallStatus::Finished, true));
                    assert!(format!("{handle:?}").contains("Ok("), "it is there as soon as the end is seen");
                });
            }
        });
        assert_eq!(handle.join().expect("a value"), x * x);
    }
}

#[loky::task]
fn fail_with<E: serde::Serialize + serde::de::DeserializeOwned>(error: E) -> Result<u8, E> {
    Err(error)
}

fn fut_10_an_error_without_content_is_an_error() {
    let pool = pool_of(1);
    let error = fails(panic_with.bind("").on(&pool).run(), ErrorKind::Panic);
    assert_eq!(error.panic_message(), Some(""));
    assert_eq!(fail_with.bind(()).on(&pool).run().expect("the call succeeds"), Err(()));
    assert_eq!(fail_with.bind(0_u8).on(&pool).run().expect("the call succeeds"), Err(0));
    assert_eq!(fail_with.bind(String::new()).on(&pool).run().expect("the call succeeds"), Err(String::new()));
}

/// It lies at a worker already, which would begin it next.
fn fut_17_a_call_that_was_withdrawn_never_begins() {
    let (pool, gate, words) = (pool_of(1), Gate::new("gate"), Gate::new("words"));
    assert_eq!((0..500).par_map(square).on(&pool).chunk_size(1).unwrap_all().len(), 500, "a quick worker");
    let held = meet.bind(gate.clone(), 1).on(&pool).spawn();
    let withdrawn = leave_word.bind(words.clone(), "withdrawn").on(&pool).spawn();
    let next = leave_word.bind(words.clone(), "next").on(&pool).spawn();
    gate.await_arrivals(1);
    thread::scope(|scope| {
        let waiters = [(), ()].map(|()| scope.spawn(|| withdrawn.wait_timeout(ms(30_000))));
        assert!(withdrawn.cancel());
        for waiter in waiters {
            assert!(waiter.join().expect("no panic"), "each one that waits is told, while the worker is still busy");
        }
    });
    assert!(!held.is_finished());
    gate.open();
    next.join().expect("the one behind it");
    assert_eq!(words.arrivals(), ["next"]);
    fails(withdrawn.join(), ErrorKind::Cancelled);
}

fn fut_18_nobody_stays_behind_when_a_pool_is_killed() {
    let threads = procfs::threads().len();
    let (pool, gate) = (pool_of(2), Gate::new("gate"));
    let spawn = || meet.bind(gate.clone(), 0).on(&pool).spawn();
    drop([spawn(), spawn()]);
    let waiting: Vec<_> = (0..3).map(|_| spawn()).map(|handle| thread::spawn(|| handle.join())).collect();
    let completed = loky::as_completed([spawn(), spawn()]);
    let counting = thread::spawn(|| completed.filter(|(_, result)| result.is_err()).count());
    gate.await_arrivals(2);
    pool.shutdown_now();
    for waiter in waiting {
        fails(waiter.join().expect("it has not panicked"), ErrorKind::Shutdown);
    }
    assert_eq!(counting.join().expect("it has not panicked"), 2);
    eventually("no thread is left", || procfs::threads().len() == threads);
}

fn fut_19_asking_again_gives_the_same_answer() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let handle = meet.bind(gate.clone(), 6).on(&pool).spawn();
    gate.await_arrivals(1);
    for _ in 0..20 {
        let before = Instant::now();
        assert!(!handle.wait_timeout(ms(1)) && before.elapsed() >= ms(1), "a millisecond is waited for");
    }
    stays("there is no answer before the end", ms(20), || !handle.is_finished());
    gate.open();
    for _ in 0..20 {
        assert!(handle.wait_timeout(ms(20_000)) && handle.is_finished());
        assert_eq!(handle.status(), CallStatus::Finished);
    }
    assert_eq!(handle.join().expect("asking costs nothing"), 6);
    assert_eq!(pid.bind().on(&pool).run().expect("a call"), procfs::workers()[0]);
}
