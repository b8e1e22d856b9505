//! How many workers there are, and which of them is used.

use std::time::Duration;

use super::*;

#[test]
fn workers_are_launched_on_demand_up_to_the_target() {
    let mut pool = Story::of(RULES);
    assert_eq!(pool.wait(SECOND), []);
    assert_eq!(pool.submit(1, PLAIN), [launch(0)]);
    assert_eq!(pool.submit(2, PLAIN), [launch(1)]);
    assert_eq!(pool.submit(3, PLAIN), []);
    assert_eq!(pool.is_ready(1), [dispatch(1, 1)]);
    assert_eq!(pool.is_ready(0), [dispatch(2, 0)]);
    assert_eq!(pool.returns(0, 2), [deliver(2), dispatch(3, 0)]);
    assert_eq!(pool.returns(0, 3), [deliver(3)]);
    assert_eq!(pool.submit(4, PLAIN), [dispatch(4, 0)]);
}

#[test]
fn the_highest_priority_goes_first_then_the_oldest() {
    let mut pool = Story::of_one_worker(RULES);
    assert_eq!(pool.submit(1, PLAIN), [dispatch(1, 0)]);
    pool.submit(2, PLAIN);
    pool.submit(3, Terms { priority: 1, ..PLAIN });
    pool.submit(4, Terms { priority: 1, ..PLAIN });
    assert_eq!(pool.returns(0, 1), [deliver(1), dispatch(3, 0)]);
    assert_eq!(pool.returns(0, 3), [deliver(3), dispatch(4, 0)]);
    assert_eq!(pool.returns(0, 4), [deliver(4), dispatch(2, 0)]);
}

#[test]
fn the_worker_that_was_freed_last_is_used_again() {
    let mut pool = Story::of(RULES);
    pool.submit(1, PLAIN);
    pool.submit(2, PLAIN);
    pool.is_ready(0);
    pool.is_ready(1);
    pool.returns(1, 2);
    pool.returns(0, 1);
    assert_eq!(pool.submit(3, PLAIN), [dispatch(3, 0)]);
}

#[test]
fn a_worker_without_calls_leaves_after_the_idle_timeout() {
    let mut pool = Story::of_one_worker(Rules { idle_timeout: Some(3 * SECOND), ..RULES });
    pool.wait(2 * SECOND);
    pool.submit(1, PLAIN);
    assert_eq!(pool.wait(10 * SECOND), [], "it is busy");
    pool.returns(0, 1);
    assert_eq!(pool.wait(2 * SECOND), []);
    assert_eq!(pool.wait(SECOND), [stop(0)]);
    assert_eq!(pool.scheduler.live(), 0);
    assert_eq!(pool.wait(RULES.stop_grace), [kill(0)], "one that does not leave is killed");
}

#[test]
fn a_worn_worker_is_replaced() {
    let mut pool = Story::of_one_worker(Rules { calls_per_worker_max: Some(2), credit: 3, ..RULES });
    assert_eq!(pool.submit(1, PLAIN), [dispatch(1, 0)]);
    assert_eq!(pool.submit(2, PLAIN), [dispatch(2, 0)]);
    assert_eq!(pool.submit(3, PLAIN), [], "it will not live to answer a third");
    assert_eq!(pool.returns(0, 1), [deliver(1)]);
    assert_eq!(pool.returns(0, 2), [deliver(2), stop(0), launch(1)]);
    assert_eq!(pool.is_ready(1), [dispatch(3, 1)]);
}

#[test]
fn a_smaller_pool_retires_workers_as_they_become_free_although_calls_wait() {
    let mut pool = Story::of(Rules { credit: 2, ..RULES });
    (1..=6).for_each(|id| drop(pool.submit(id, PLAIN)));
    assert_eq!(pool.is_ready(0), [dispatch(1, 0), dispatch(2, 0)]);
    let older_first = [recall(0), dispatch_back(2, 1), dispatch(3, 1)];
    assert_eq!(pool.is_ready(1), older_first, "nobody knows how long the first call will take");
    assert_eq!(pool.is_resized(0), [recall(1)], "nobody is interrupted, and nobody begins another");
    assert_eq!(pool.scheduler.target(), 1, "a pool has at least one worker");
    assert_eq!(pool.returns(0, 1), [deliver(1), stop(0)]);
    let answered = pool.returns_again(1, 2, Attempt::FIRST.recalled());
    assert_eq!(answered, [deliver(2), dispatch_back(3, 1), dispatch(4, 1)]);
}

#[test]
fn a_larger_pool_grows_at_once_if_calls_wait() {
    let mut pool = Story::of_one_worker(RULES);
    (1..=3).for_each(|id| drop(pool.submit(id, PLAIN)));
    assert_eq!(pool.is_resized(5), [launch(1), launch(2)]);
}

#[test]
fn after_failed_launches_the_backlog_is_settled_and_later_calls_try_again() {
    let mut pool = Story::of(Rules { target: 1, ..RULES });
    let fails = |pool: &mut Story, worker| pool.tell(Event::LaunchFailed { worker: WorkerId(worker) });
    assert_eq!(pool.submit(1, PLAIN), [launch(0)]);
    assert_eq!(fails(&mut pool, 0), [launch(1)]);
    assert_eq!(pool.dies(1, None), [launch(2)], "a death before the hello is a failed launch, too");
    assert_eq!(fails(&mut pool, 2), [settle(1, Why::CannotLaunch(None))]);
    assert_eq!(pool.submit(2, PLAIN), [settle(2, Why::CannotLaunch(None))]);
    assert_eq!(pool.wait(RULES.launch_pause), []);
    assert_eq!(pool.submit(3, PLAIN), [launch(3)]);
    assert_eq!(pool.is_ready(3), [dispatch(3, 3)]);
}

#[test]
fn launches_that_are_cut_short_are_tried_again_for_long_but_not_for_ever() {
    let mut pool = Story::of(Rules { target: 1, ..RULES });
    let cut = |pool: &mut Story, worker| pool.tell(Event::LaunchCutShort { worker: WorkerId(worker) });
    pool.submit(1, PLAIN);
    let last = u64::from(32 * RULES.launch_failures_max) - 1;
    for worker in 0..last {
        assert_eq!(cut(&mut pool, worker), [launch(worker + 1)]);
    }
    assert_eq!(cut(&mut pool, last), [settle(1, Why::CannotLaunch(None))]);
}

#[test]
fn a_worker_that_says_no_hello_is_killed_and_replaced() {
    let mut pool = Story::of(Rules { target: 1, ..RULES });
    pool.submit(1, PLAIN);
    assert_eq!(pool.wait(RULES.hello_limit), [kill(0), launch(1)]);
    assert_eq!(pool.is_ready(0), [], "its hello comes too late");
    assert_eq!(pool.tell(Event::LinkClosed { worker: WorkerId(1) }), [kill(1), launch(2)]);
    assert_eq!(pool.dies(1, None), [], "it has been counted");
    assert_eq!(pool.is_ready(2), [dispatch(1, 2)]);
}

#[test]
fn launches_under_way_are_awaited_before_more_are_tried() {
    let pause = Duration::from_millis(10);
    let mut pool = Story::of(Rules { launch_failures_max: 1, launch_pause: pause, ..RULES });
    pool.submit(1, PLAIN);
    pool.wait(RULES.hello_limit / 2);
    assert_eq!(pool.submit(2, PLAIN), [launch(1)]);
    assert_eq!(pool.wait(RULES.hello_limit / 2), [kill(0)]);
    let given_up = [kill(1), settle(1, Why::CannotLaunch(None)), settle(2, Why::CannotLaunch(None))];
    assert_eq!(pool.wait(RULES.hello_limit / 2), given_up);
}

#[test]
fn a_warm_up_launches_all_workers_and_is_answered_when_they_are_ready() {
    let mut pool = Story::of(RULES);
    assert_eq!(pool.tell(Event::WarmUpAsked), [launch(0), launch(1)]);
    assert_eq!(pool.is_ready(0), []);
    assert_eq!(pool.is_ready(1), [Action::Warmed]);
    assert_eq!(pool.tell(Event::WarmUpAsked), [Action::Warmed]);
}

#[test]
fn a_warm_up_follows_a_resize() {
    let mut pool = Story::of(Rules { target: 1, ..RULES });
    assert_eq!(pool.tell(Event::WarmUpAsked), [launch(0)]);
    assert_eq!(pool.is_resized(2), [launch(1)]);
    assert_eq!(pool.is_ready(0), []);
    assert_eq!(pool.is_ready(1), [Action::Warmed]);
}

#[test]
fn a_warm_up_ends_when_workers_cannot_be_had() {
    let mut pool = Story::of(Rules { launch_failures_max: 2, ..RULES });
    pool.tell(Event::WarmUpAsked);
    assert_eq!(pool.dies(0, None), [launch(2)]);
    assert_eq!(pool.dies(1, None), []);
    assert_eq!(pool.dies(2, None), [Action::Warmed]);
}

#[test]
fn a_warm_up_does_not_chase_workers_that_leave_at_once() {
    let mut pool = Story::of(Rules { idle_timeout: Some(Duration::ZERO), ..RULES });
    pool.tell(Event::WarmUpAsked);
    assert_eq!(pool.is_ready(0), []);
    assert_eq!(pool.wait(SECOND), [stop(0)]);
    assert_eq!(pool.is_ready(1), [Action::Warmed]);
}
