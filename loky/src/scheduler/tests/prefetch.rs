//! Calls that lie ready in workers: who is given how many, and when they are taken back.

use std::time::Duration;

use super::super::pace::{CREDIT_MAX, WATCH};
use super::*;

const MILLISECOND: Duration = Duration::from_millis(1);
const MICROSECOND: Duration = Duration::from_micros(1);

impl Story {
    /// Two workers, ready and idle; the second was freed last.
    fn of_two_workers(rules: Rules) -> Self {
        let mut story = Self::of(rules);
        story.tell(Event::WarmUpAsked);
        (0..2).for_each(|worker| drop(story.is_ready(worker)));
        story
    }

    /// One worker that answers a call in so much time, as it has been seen to; and the number of the next call.
    fn of_one_worker_with_pace(per_call: Duration) -> (Self, u64) {
        let mut story = Self::of_one_worker(Rules { credit: usize::MAX, ..RULES });
        let calls = 1000;
        (1..=calls).for_each(|id| drop(story.submit(id, PLAIN)));
        for id in 1..=calls {
            story.now += per_call;
            story.returns(0, id);
        }
        (story, calls + 1)
    }

    /// How many calls a worker with this pace is given.
    fn credit_at(per_call: Duration) -> usize {
        let (mut story, next) = Self::of_one_worker_with_pace(per_call);
        let given = (next..next + 400).map(|id| story.submit(id, PLAIN).len());
        given.sum()
    }
}

#[test]
fn a_worker_is_given_as_much_as_it_does_in_a_moment() {
    assert_eq!(Story::credit_at(100 * MICROSECOND), 80);
    assert_eq!(Story::credit_at(Duration::from_nanos(200)), CREDIT_MAX, "no more, however fast it is");
    assert_eq!(Story::credit_at(MILLISECOND), 8);
    assert_eq!(Story::credit_at(6 * MILLISECOND), 2, "one ahead");
    assert_eq!(Story::credit_at(50 * MILLISECOND), 1, "a round trip is nothing against such a call");
}

#[test]
fn calls_go_to_idle_workers_first_then_to_the_one_with_the_fewest() {
    let mut pool = Story::of_two_workers(Rules { credit: 9, ..RULES });
    assert_eq!(pool.submit(1, PLAIN), [dispatch(1, 1)]);
    assert_eq!(pool.submit(2, PLAIN), [dispatch(2, 0)]);
    assert_eq!(pool.submit(3, PLAIN), [dispatch(3, 0)]);
    assert_eq!(pool.submit(4, PLAIN), [dispatch(4, 1)]);
    assert_eq!(pool.submit(5, PLAIN), [], "nobody knows yet how long these calls are");
    assert_eq!(pool.scheduler.queued(), 3, "what lies ready has not started");
    let states = [1, 2, 3, 4, 5].map(|id| pool.scheduler.has_started(call(id)));
    assert_eq!(states, [true, true, false, false, false].map(Some));
}

#[test]
fn a_call_that_lies_ready_is_reason_to_launch() {
    let mut pool = Story::of(Rules { credit: 9, ..RULES });
    assert_eq!(pool.submit(1, PLAIN), [launch(0)]);
    assert_eq!(pool.is_ready(0), [dispatch(1, 0)]);
    assert_eq!(pool.submit(2, PLAIN), [dispatch(2, 0), launch(1)]);
    assert_eq!(pool.is_ready(1), [recall(0), dispatch_back(2, 1)], "and goes to the new one");
}

#[test]
fn what_lies_ready_behind_a_long_call_goes_to_a_worker_that_becomes_idle() {
    let mut pool = Story::of_two_workers(Rules { credit: 9, ..RULES });
    (1..=4).for_each(|id| drop(pool.submit(id, PLAIN)));
    pool.now += MILLISECOND;
    assert_eq!(pool.returns(1, 1), [deliver(1)]);
    pool.now += MILLISECOND;
    let stolen = [deliver(4), recall(0), dispatch_back(3, 1)];
    assert_eq!(pool.returns(1, 4), stolen);
    assert_eq!(pool.wait(SECOND), [], "there is nothing left to take back");
}

/// Two workers with calls of five microseconds, three for the first one and none for the second.
fn uneven() -> Story {
    let mut pool = Story::of_two_workers(Rules { credit: 3, ..RULES });
    (1..=100).for_each(|id| drop(pool.submit(id, PLAIN)));
    let first_of = |pool: &Story, worker| pool.held[&WorkerId(worker)].front().map(|call| call.id.raw());
    while let Some(next) = first_of(&pool, 1) {
        pool.now += 5 * MICROSECOND;
        let has_more = pool.scheduler.queued() > 4;
        if let Some(next) = first_of(&pool, 0).filter(|_| has_more) {
            pool.returns(0, next);
        }
        pool.returns(1, next);
    }
    assert_eq!(pool.held[&WorkerId(0)].len(), 3);
    pool
}

#[test]
fn what_will_be_done_in_a_moment_is_left_where_it_is_for_that_moment() {
    let mut pool = uneven();
    assert_eq!(pool.wait(MICROSECOND), []);
    let wanted = pool.wait(WATCH);
    assert_eq!(wanted[0], recall(0), "it takes longer than it should");
    assert!(matches!(wanted[1], Action::Dispatch { worker: WorkerId(1), .. }));
}

#[test]
fn what_is_left_behind_a_long_call_is_given_to_others_although_they_are_never_idle() {
    let mut pool = Story::of_two_workers(Rules { credit: 2, ..RULES });
    (1..=99).for_each(|id| drop(pool.submit(id, PLAIN)));
    assert_eq!(pool.returns(1, 1), [deliver(1), dispatch(5, 1)]);
    pool.now += MILLISECOND;
    assert_eq!(pool.returns(1, 4), [deliver(4), dispatch(6, 1)]);
    pool.now += MILLISECOND;
    assert_eq!(pool.returns(1, 5), [deliver(5), dispatch(7, 1), recall(0)]);
    assert_eq!(pool.returns(1, 6), [deliver(6), dispatch_back(3, 1)], "the oldest goes first");
    pool.now += 10 * MILLISECOND;
    assert!(!pool.wait(SECOND).contains(&recall(0)), "it is given no further call before it has answered");
}

#[test]
fn a_higher_priority_takes_back_what_lies_ready() {
    let mut pool = Story::of_two_workers(Rules { credit: 2, ..RULES });
    (1..=4).for_each(|id| drop(pool.submit(id, PLAIN)));
    assert_eq!(pool.submit(5, Terms { priority: 1, ..PLAIN }), [recall(0), recall(1)]);
    let next = pool.returns(0, 2);
    assert_eq!(next, [deliver(2), dispatch(5, 0), dispatch_back(3, 0)]);
}

#[test]
fn a_lower_priority_does_not_begin_before_what_lies_ready() {
    let mut pool = Story::of_two_workers(Rules { credit: 2, ..RULES });
    let high = Terms { priority: 1, ..PLAIN };
    pool.submit(1, high);
    pool.submit(2, high);
    assert_eq!(pool.submit(3, high), [dispatch(3, 0)]);
    assert_eq!(pool.submit(4, PLAIN), [], "it may not even lie ready");
    assert_eq!(pool.returns(1, 1), [deliver(1), recall(0), dispatch_back(3, 1), dispatch(4, 1)]);
}

#[test]
fn what_has_begun_is_not_taken_back() {
    let mut pool = Story::of_one_worker(Rules { credit: 2, ..RULES });
    pool.submit(1, PLAIN);
    pool.submit(2, PLAIN);
    pool.has_begun(2);
    assert_eq!(pool.submit(3, Terms { priority: 1, ..PLAIN }), [recall(0)]);
    assert_eq!(pool.scheduler.queued(), 1);
    assert_eq!(pool.returns(0, 1), [deliver(1), dispatch(3, 0)]);
    assert_eq!(pool.returns(0, 2), [deliver(2)]);
}

#[test]
fn an_answer_to_what_was_taken_back_is_none() {
    let mut pool = Story::of_one_worker(Rules { credit: 2, ..RULES });
    (1..=2).for_each(|id| drop(pool.submit(id, PLAIN)));
    pool.submit(3, Terms { priority: 1, ..PLAIN });
    assert_eq!(pool.returns(0, 1), [deliver(1), dispatch(3, 0), dispatch_back(2, 0)]);
    assert_eq!(pool.returns(0, 3), [deliver(3)]);
    assert_eq!(pool.tell(Event::Returned { worker: WorkerId(0), call: call(2), attempt: Attempt::FIRST }), []);
    assert_eq!(pool.returns_again(0, 2, Attempt::FIRST.recalled()), [deliver(2)]);
}

#[test]
fn a_queue_deadline_holds_until_the_start() {
    let mut pool = Story::of_one_worker(Rules { credit: 2, ..RULES });
    let terms = Terms { queue_deadline: Some(pool.now + SECOND), ..PLAIN };
    pool.submit(1, terms);
    assert_eq!(pool.submit(2, terms), [dispatch(2, 0)]);
    assert_eq!(pool.wait(SECOND), [recall(0), settle(2, Why::QueuedTooLong)]);
}

#[test]
fn a_forced_shutdown_ends_what_lies_ready_at_once() {
    let mut pool = Story::of_one_worker(Rules { credit: 2, ..RULES });
    (1..=2).for_each(|id| drop(pool.submit(id, PLAIN)));
    assert_eq!(pool.is_shut_down(true), [recall(0), kill(0), settle(2, Why::ShutDown(None))]);
    let ended = [settle(1, Why::ShutDown(Some(on(0)))), Action::Finished];
    assert_eq!(pool.dies(0, Some(1)), ended);
}

#[test]
fn a_recall_that_nobody_asked_for_changes_nothing() {
    let mut pool = Story::of_one_worker(Rules { credit: 2, ..RULES });
    (1..=2).for_each(|id| drop(pool.submit(id, PLAIN)));
    assert_eq!(pool.tell(Event::Recalled { worker: WorkerId(0), begun: None }), []);
    assert_eq!(pool.scheduler.last_held(WorkerId(0)), Some(call(2)));
}

#[test]
fn an_idle_worker_is_given_the_older_call_behind_one_of_unknown_length() {
    let mut pool = Story::of(Rules { credit: 2, ..RULES });
    (1..=4).for_each(|id| drop(pool.submit(id, PLAIN)));
    assert_eq!(pool.is_ready(0), [dispatch(1, 0), dispatch(2, 0)]);
    let older_first = [recall(0), dispatch_back(2, 1), dispatch(3, 1)];
    assert_eq!(pool.is_ready(1), older_first, "the third might be long, too, and the second wait for both");
}

#[test]
fn an_interrupt_ends_what_has_not_begun() {
    let mut pool = Story::of_one_worker(Rules { credit: 2, ..RULES });
    (1..=3).for_each(|id| drop(pool.submit(id, PLAIN)));
    let unbegun = [recall(0), settle(3, Why::ShutDown(None)), settle(2, Why::ShutDown(None))];
    assert_eq!(pool.tell(Event::Interrupted), unbegun);
    assert_eq!(pool.returns(0, 1), [deliver(1), stop(0)]);
}

#[test]
fn an_interrupt_takes_back_a_call_that_is_on_its_way() {
    let mut pool = Story::of_one_worker(RULES);
    pool.submit(1, PLAIN);
    pool.begun = Some(0);
    assert_eq!(pool.tell(Event::Interrupted), [recall(0), settle(1, Why::ShutDown(None)), stop(0)]);
}
