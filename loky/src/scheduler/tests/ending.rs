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
    assert_eq!(pool.cancel(1), [recall(0), kill(0)]);
    assert_eq!(pool.scheduler.has_started(call(1)), Some(true));
    assert_eq!(pool.dies(0, Some(1)), [settle(1, Why::Cancelled(Some(on(0))))]);
    assert_eq!(pool.scheduler.has_started(call(1)), None);
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
    assert_eq!(pool.cancel(2), [recall(0), settle(2, Why::Cancelled(None))]);
    assert_eq!(pool.returns(0, 1), [deliver(1)]);
    assert_eq!(pool.returns(0, 2), []);
}

#[test]
fn a_call_that_has_not_begun_is_cancelled_without_harm_to_its_worker() {
    let mut pool = Story::of_one_worker(RULES);
    pool.submit(1, PLAIN);
    pool.has_begun(0);
    assert_eq!(pool.cancel(1), [recall(0), settle(1, Why::Cancelled(None))]);
    assert_eq!(pool.submit(2, PLAIN), [dispatch(2, 0)]);
}

#[test]
fn a_worker_that_does_not_begin_what_it_was_given_long_ago_is_killed_all_the_same() {
    let mut pool = Story::of_one_worker(RULES);
    pool.submit(1, PLAIN);
    pool.has_begun(0);
    pool.wait(RULES.stop_grace);
    assert_eq!(pool.cancel(1), [recall(0), settle(1, Why::Cancelled(None)), kill(0)]);
}

#[test]
fn a_call_is_not_killed_for_the_one_before_it_whose_answer_is_on_the_way() {
    let mut pool = Story::of_one_worker(Rules { credit: 2, ..RULES });
    pool.submit(1, PLAIN);
    pool.submit(2, PLAIN);
    pool.has_begun(2);
    assert_eq!(pool.cancel(1), [recall(0)]);
    assert_eq!(pool.returns(0, 1), [settle(1, Why::Cancelled(Some(on(0))))]);
    assert_eq!(pool.returns(0, 2), [deliver(2)]);
}

#[test]
fn a_call_that_is_seen_to_have_begun_has_its_run_limit_from_then_on() {
    let mut pool = Story::of_one_worker(Rules { credit: 2, ..RULES });
    pool.submit(1, PLAIN);
    pool.submit(2, Terms { run_limit: Some(SECOND), ..PLAIN });
    pool.has_begun(2);
    assert_eq!(pool.cancel(1), [recall(0)]);
    assert_eq!(pool.wait(SECOND), [recall(0), kill(0)], "although the answer to the first one never comes");
}

#[test]
fn a_run_limit_that_comes_while_the_answer_is_on_the_way_is_forgiven() {
    let mut pool = Story::of_one_worker(Rules { credit: 2, ..RULES });
    let terms = Terms { run_limit: Some(2 * SECOND), ..PLAIN };
    (1..=2).for_each(|id| drop(pool.submit(id, terms)));
    pool.has_begun(2);
    assert_eq!(pool.wait(2 * SECOND), [recall(0)]);
    assert_eq!(pool.scheduler.queued(), 0, "the second one is known to have begun");
    pool.has_begun(1);
    pool.now += SECOND;
    assert_eq!(pool.returns(0, 1), [deliver(1)]);
    assert_eq!(pool.wait(2 * SECOND), [recall(0), kill(0)], "that one has its whole time");
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
    assert_eq!(pool.wait(SECOND), [recall(0), kill(0)]);
    assert_eq!(pool.dies(0, Some(2)), [settle(2, Why::RanTooLong(on(0)))]);
}

#[test]
fn a_run_limit_says_nothing_about_a_call_that_did_not_begin() {
    let mut pool = Story::of_one_worker(RULES);
    pool.submit(1, Terms { run_limit: Some(SECOND), ..PLAIN });
    pool.has_begun(0);
    assert_eq!(pool.wait(SECOND), [recall(0), kill(0), launch(1)]);
    assert_eq!(pool.is_ready(1), [dispatch_back(1, 1)], "still its first try");
    pool.has_begun(1);
    assert_eq!(pool.wait(SECOND), [recall(1), kill(1)]);
    assert_eq!(pool.cancel(1), []);
    assert_eq!(pool.dies(1, None), [settle(1, Why::Cancelled(None))], "it was cancelled, and is not tried again");
}

#[test]
fn a_run_limit_that_no_worker_can_keep_ends_the_call() {
    let mut pool = Story::of(Rules { target: 1, ..RULES });
    pool.submit(1, Terms { run_limit: Some(Duration::ZERO), ..PLAIN });
    pool.has_begun(0);
    let mut ended = (0..20).flat_map(|worker| {
        pool.is_ready(worker);
        pool.wait(SECOND)
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
    let mut ended = pool.wait(SECOND);
    assert_eq!(ended.split_off(3), [kill(0)]);
    let not_begun = [settle(3, Why::DeadlinePassed(None)), settle(2, Why::DeadlinePassed(None))];
    assert_eq!((&ended[0], &ended[1..]), (&recall(0), &not_begun[..]), "two are with the worker");
    assert_eq!(pool.dies(0, Some(1)), [settle(1, Why::DeadlinePassed(Some(on(0))))]);
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
