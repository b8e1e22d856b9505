//! Workers that are kept ready beyond those that are busy.

use super::*;

const SPARED: Rules = Rules { spares: 1, ..RULES };

/// One worker that is busy with call 1, and one spare, which is ready.
fn busy_with_a_spare(rules: Rules) -> Story {
    let mut pool = Story::of(Rules { target: 1, ..rules });
    assert_eq!(pool.submit(1, PLAIN), [launch(0), launch(1)]);
    assert_eq!(pool.is_ready(0), [dispatch(1, 0)]);
    assert_eq!(pool.is_ready(1), []);
    pool
}

#[test]
fn the_first_call_starts_the_spares_too_and_each_busy_worker_another_one() {
    let mut pool = Story::of(SPARED);
    assert_eq!(pool.wait(SECOND), [], "an unused pool has none");
    assert_eq!(pool.submit(1, PLAIN), [launch(0), launch(1)]);
    assert_eq!(pool.is_ready(0), [dispatch(1, 0)]);
    assert_eq!(pool.is_ready(1), []);
    assert_eq!(pool.submit(2, PLAIN), [dispatch(2, 1), launch(2)], "a spare takes the call at once");
    assert_eq!(pool.is_ready(2), []);
    assert_eq!(pool.submit(3, PLAIN), [], "but no more than the target are busy");
    assert_eq!((pool.scheduler.live(), pool.scheduler.idle(), pool.scheduler.queued()), (3, 1, 1));
    assert_eq!(pool.returns(0, 1), [deliver(1), dispatch(3, 0)], "the worker that was freed last is used again");
}

#[test]
fn after_a_death_the_spare_is_there_and_is_replaced() {
    let mut pool = busy_with_a_spare(SPARED);
    assert_eq!(pool.submit(2, PLAIN), []);
    assert_eq!(pool.dies(0, Some(1)), [settle(1, Why::Crashed(on(0))), dispatch(2, 1), launch(2)]);
    assert_eq!(pool.is_ready(2), []);
    assert_eq!(pool.dies(1, Some(2)), [settle(2, Why::Crashed(on(1)))], "one is idle, and that is enough");
    assert_eq!(pool.submit(3, PLAIN), [dispatch(3, 2), launch(3)]);
}

#[test]
fn a_worn_worker_is_followed_by_the_spare() {
    let mut pool = busy_with_a_spare(Rules { calls_per_worker_max: Some(1), ..SPARED });
    assert_eq!(pool.submit(2, PLAIN), []);
    assert_eq!(pool.returns(0, 1), [deliver(1), stop(0), dispatch(2, 1), launch(2)]);
}

#[test]
fn a_spare_is_not_loaded_beside_a_busy_worker_with_credit() {
    let mut pool = busy_with_a_spare(Rules { credit: 2, ..SPARED });
    assert_eq!(pool.submit(2, PLAIN), [dispatch(2, 0)]);
    assert_eq!(pool.submit(3, PLAIN), []);
    assert_eq!(pool.wait(SECOND), [], "what lies ready is not taken back: nobody else may begin it");
}

#[test]
fn what_lies_ready_beyond_a_smaller_target_is_taken_back_although_no_worker_goes() {
    let mut pool = Story::of(Rules { credit: 2, ..SPARED });
    pool.tell(Event::WarmUpAsked);
    (0..3).for_each(|worker| drop(pool.is_ready(worker)));
    (1..=3).for_each(|id| drop(pool.submit(id, PLAIN)));
    let (&loaded, _) = pool.held.iter().find(|(_, held)| held.len() == 2).expect("one is loaded");
    let spare = (0..3).find(|&worker| pool.held.get(&WorkerId(worker)).is_none_or(|held| held.is_empty()));
    assert_eq!(pool.dies(spare.expect("one idles"), None), []);
    assert_eq!(pool.is_resized(1), [Action::Recall { worker: loaded }], "two may stay");
    assert_eq!(pool.submit(4, PLAIN), [], "neither is loaded while two are busy");
}

#[test]
fn idle_spares_leave_as_all_do_and_come_back_with_the_next_call() {
    let mut pool = busy_with_a_spare(Rules { idle_timeout: Some(3 * SECOND), ..SPARED });
    pool.returns(0, 1);
    assert_eq!(pool.wait(10 * SECOND), [stop(0), stop(1), kill(0), kill(1)], "none is started in their place");
    assert_eq!((pool.dies(0, None), pool.dies(1, None)), (vec![], vec![]));
    assert_eq!(pool.submit(2, PLAIN), [launch(2), launch(3)]);
}

#[test]
fn a_spare_that_dies_for_nothing_is_not_replaced_before_the_next_call() {
    let mut pool = busy_with_a_spare(SPARED);
    assert_eq!(pool.dies(1, None), [], "else one that always dies would be started for ever");
    assert_eq!(pool.wait(100 * SECOND), []);
    assert_eq!(pool.submit(2, PLAIN), [launch(2)]);
}

#[test]
fn spares_that_cannot_be_started_are_not_tried_for_ever() {
    let mut pool = busy_with_a_spare(Rules { launch_failures_max: 2, ..SPARED });
    let fails = |pool: &mut Story, worker| pool.tell(Event::LaunchFailed { worker: WorkerId(worker) });
    assert_eq!(pool.dies(0, Some(1)), [settle(1, Why::Crashed(on(0)))], "one worker is idle, and that is enough");
    assert_eq!(pool.submit(2, PLAIN), [dispatch(2, 1), launch(2)]);
    assert_eq!(fails(&mut pool, 2), [launch(3)]);
    assert_eq!(fails(&mut pool, 3), []);
    assert_eq!(pool.wait(100 * SECOND), [], "no timer tries it again");
    assert_eq!(pool.submit(3, PLAIN), [launch(4)], "a call does");
}

#[test]
fn a_warm_up_waits_for_the_spares() {
    let mut pool = Story::of(SPARED);
    assert_eq!(pool.tell(Event::WarmUpAsked), [launch(0), launch(1), launch(2)]);
    assert_eq!((pool.is_ready(0), pool.is_ready(1)), (vec![], vec![]));
    assert_eq!(pool.is_ready(2), [Action::Warmed]);
    assert_eq!(pool.wait(100 * SECOND), [], "and they stay");
}

#[test]
fn spares_follow_a_resize() {
    let mut pool = Story::of(Rules { target: 3, ..SPARED });
    pool.tell(Event::WarmUpAsked);
    (0..4).for_each(|worker| drop(pool.is_ready(worker)));
    assert_eq!(pool.is_resized(1), [stop(0), stop(1)], "one and a spare are left");
    pool.submit(1, PLAIN);
    pool.submit(2, PLAIN);
    assert_eq!(pool.scheduler.queued(), 1, "one is busy");
    assert_eq!(pool.is_resized(2), [dispatch(2, 2), launch(4)]);
}

#[test]
fn a_shutdown_lets_the_spares_go_first() {
    let mut pool = busy_with_a_spare(SPARED);
    assert_eq!(pool.is_shut_down(false), [stop(1)]);
    assert_eq!(pool.returns(0, 1), [deliver(1), stop(0)]);
    assert_eq!((pool.dies(1, None), pool.dies(0, None)), (vec![], vec![Action::Finished]));
}
