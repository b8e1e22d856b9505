//! How calls end without a result: cancelled, or out of time.

use std::time::Duration;

use super::*;

#[test]
fn a_call_that_waits_is_cancelled_at_once() {
    let mut pool = Story::of(RULES);
    pool.submit(1, PLAIN);
    assert_eq!(pool.cancel(1), [settle(1, Why::Cancelled(None))]);
    assert_eq!(pool.cancel(1), []);
    assert_eq!(pool.is_ready(0), []);
}

#[test]
fn a_running_call_is_cancelled_by_the_death_of_its_worker() {
    let mut pool = Story::of_one_worker(RULES);
    pool.submit(1, PLAIN);
    assert_eq!(pool.cancel(1), [kill(0)]);
    assert_eq!(pool.scheduler.is_held(call(1)), Some(true));
    assert_eq!(pool.dies(0, Some(1)), [settle(1, Why::Cancelled(Some(on(0))))]);
    assert_eq!(pool.scheduler.is_held(call(1)), None);
}

#[test]
fn the_late_answer_of_a_cancelled_call_is_dropped_and_ends_it() {
    let mut pool = Story::of_one_worker(RULES);
    pool.submit(1, PLAIN);
    pool.cancel(1);
    assert_eq!(pool.returns(0, 1), [settle(1, Why::Cancelled(Some(on(0))))]);
    assert_eq!(pool.dies(0, Some(1)), []);
}

#[test]
fn a_call_behind_another_is_cancelled_without_harm_to_that_one() {
    let mut pool = Story::of_one_worker(Rules { credit: 2, ..RULES });
    pool.submit(1, PLAIN);
    pool.submit(2, PLAIN);
    assert_eq!(pool.cancel(2), [settle(2, Why::Cancelled(Some(on(0))))], "it might begin before it is killed");
    assert_eq!(pool.returns(0, 1), [deliver(1), kill(0)]);
    assert_eq!(pool.returns(0, 2), []);
}

#[test]
fn a_run_limit_counts_from_the_begin_of_a_call_and_of_each_of_its_items() {
    let mut pool = Story::of_one_worker(Rules { credit: 2, ..RULES });
    let terms = Terms { run_limit: Some(2 * SECOND), ..PLAIN };
    pool.submit(1, terms);
    pool.submit(2, terms);
    pool.wait(SECOND);
    pool.tell(Event::Progressed { worker: WorkerId(0), call: call(1), attempt: Attempt::FIRST });
    assert_eq!(pool.wait(SECOND), []);
    assert_eq!(pool.returns(0, 1), [deliver(1)]);
    assert_eq!(pool.wait(SECOND), []);
    assert_eq!(pool.wait(SECOND), [kill(0)]);
    assert_eq!(pool.dies(0, Some(2)), [settle(2, Why::RanTooLong(on(0)))]);
}

#[test]
fn a_run_limit_says_nothing_about_a_call_that_did_not_begin() {
    let mut pool = Story::of_one_worker(RULES);
    pool.submit(1, Terms { run_limit: Some(SECOND), ..PLAIN });
    assert_eq!(pool.wait(SECOND), [kill(0)]);
    assert_eq!(pool.dies(0, None), [launch(1)]);
    assert_eq!(pool.is_ready(1), [dispatch(1, 1)]);
    assert_eq!(pool.wait(SECOND), [kill(1)]);
    assert_eq!(pool.cancel(1), []);
    assert_eq!(pool.dies(1, None), [settle(1, Why::Cancelled(None))], "it was cancelled, and is not tried again");
}

#[test]
fn a_run_limit_that_no_worker_can_keep_ends_the_call() {
    let mut pool = Story::of(Rules { target: 1, ..RULES });
    pool.submit(1, Terms { run_limit: Some(Duration::ZERO), ..PLAIN });
    let mut ended = (0..20).flat_map(|worker| {
        pool.is_ready(worker);
        pool.wait(SECOND);
        pool.dies(worker, None)
    });
    assert!(ended.any(|action| matches!(action, Action::Settle { why: Why::RanTooLong(_), .. })));
}

#[test]
fn a_queue_deadline_ends_a_call_that_waits_and_no_other() {
    let mut pool = Story::of_one_worker(RULES);
    let terms = Terms { queue_deadline: Some(pool.now + SECOND), ..PLAIN };
    assert_eq!(pool.submit(1, terms), [dispatch(1, 0)]);
    assert_eq!(pool.submit(2, terms), []);
    assert_eq!(pool.wait(SECOND), [settle(2, Why::QueuedTooLong)]);
}

#[test]
fn a_deadline_ends_a_call_wherever_it_is() {
    let mut pool = Story::of_one_worker(Rules { credit: 2, ..RULES });
    let terms = Terms { deadline: Some(pool.now + SECOND), retries: 1, ..PLAIN };
    (1..=3).for_each(|id| drop(pool.submit(id, terms)));
    assert_eq!(pool.wait(SECOND), [kill(0), settle(3, Why::DeadlinePassed(None))], "two are with the worker");
    let ended = [settle(1, Why::DeadlinePassed(Some(on(0)))), settle(2, Why::DeadlinePassed(None))];
    assert_eq!(pool.dies(0, Some(1)), ended);
}

#[test]
fn a_call_that_a_death_gives_back_too_late_is_not_dispatched() {
    let mut pool = Story::of(RULES);
    pool.submit(1, Terms { deadline: Some(pool.now + SECOND), ..PLAIN });
    pool.submit(2, PLAIN);
    pool.is_ready(0);
    pool.is_ready(1);
    pool.returns(1, 2);
    pool.now += SECOND;
    assert_eq!(pool.dies(0, None), [settle(1, Why::DeadlinePassed(None))], "although a worker idles");
}
