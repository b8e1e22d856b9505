//! What a death costs, and whom.

use super::super::blame::DEATHS_BEFORE_BEGUN_MAX;
use super::*;

#[test]
fn a_death_blames_only_the_call_that_had_begun() {
    let mut pool = Story::of_one_worker(Rules { credit: 3, ..RULES });
    (1..=3).for_each(|id| drop(pool.submit(id, PLAIN)));
    assert_eq!(pool.returns(0, 1), [deliver(1), dispatch(3, 0)]);
    assert_eq!(pool.dies(0, Some(2)), [settle(2, Why::Crashed(on(0))), launch(1)]);
    assert_eq!(pool.is_ready(1), [dispatch(3, 1)]);
}

#[test]
fn a_death_before_the_call_began_blames_nobody() {
    let mut pool = Story::of_one_worker(RULES);
    pool.submit(1, PLAIN);
    assert_eq!(pool.dies(0, None), [launch(1)]);
    assert_eq!(pool.is_ready(1), [dispatch(1, 1)], "still its first try");
}

#[test]
fn a_call_whose_arrival_kills_is_blamed_in_the_end() {
    let mut pool = Story::of(Rules { target: 1, ..RULES });
    pool.submit(1, PLAIN);
    let last = u64::from(DEATHS_BEFORE_BEGUN_MAX) - 1;
    for worker in 0..=last {
        assert_eq!(pool.is_ready(worker), [dispatch(1, worker)]);
        let then = if worker < last { launch(worker + 1) } else { settle(1, Why::Crashed(on(last))) };
        assert_eq!(pool.dies(worker, None), [then]);
    }
}

#[test]
fn a_retry_keeps_its_place() {
    let mut pool = Story::of_one_worker(RULES);
    pool.submit(1, Terms { retries: 1, ..PLAIN });
    pool.submit(2, PLAIN);
    assert_eq!(pool.dies(0, Some(1)), [launch(1)]);
    assert_eq!(pool.is_ready(1), [dispatch_again(1, 1)]);
    assert_eq!(pool.returns(1, 1), [], "this is no answer to the second try");
    let second = Try { worker: WorkerId(1), attempt: Attempt::FIRST.next() };
    assert_eq!(pool.dies(1, Some(1)), [settle(1, Why::Crashed(second)), launch(2)]);
    assert_eq!(pool.is_ready(2), [dispatch(2, 2)]);
}

#[test]
fn what_has_begun_once_is_never_said_not_to_have_run() {
    let mut pool = Story::of_one_worker(Rules { launch_failures_max: 1, ..RULES });
    let terms = Terms { retries: 1, queue_deadline: Some(pool.now + SECOND), ..PLAIN };
    (1..=3).for_each(|id| drop(pool.submit(id, Terms { retries: 1, ..PLAIN })));
    pool.cancel(1);
    pool.dies(0, None);
    assert_eq!(pool.is_ready(1), [dispatch(2, 1)]);
    pool.dies(1, Some(2));
    assert_eq!(pool.cancel(2), [settle(2, Why::Cancelled(Some(on(1))))]);
    assert_eq!(pool.is_ready(2), [dispatch(3, 2)]);
    assert_eq!(pool.dies(2, Some(3)), [launch(3)]);
    assert_eq!(pool.dies(3, None), [settle(3, Why::CannotLaunch(Some(on(2))))]);
    pool.wait(RULES.launch_pause);
    assert_eq!(pool.submit(4, terms), [settle(4, Why::QueuedTooLong)], "this one has never begun");
}

#[test]
fn a_queue_deadline_is_kept_once_the_call_has_begun() {
    let mut pool = Story::of_one_worker(RULES);
    pool.submit(1, Terms { retries: 1, queue_deadline: Some(pool.now + SECOND), ..PLAIN });
    pool.wait(2 * SECOND);
    assert_eq!(pool.dies(0, Some(1)), [launch(1)]);
    assert_eq!(pool.is_ready(1), [dispatch_again(1, 1)]);
}

#[test]
fn a_worker_whose_link_is_closed_is_killed() {
    let mut pool = Story::of_one_worker(Rules { credit: 2, ..RULES });
    (1..=3).for_each(|id| drop(pool.submit(id, PLAIN)));
    pool.has_begun(2);
    let lost = pool.tell(Event::LinkClosed { worker: WorkerId(0) });
    assert_eq!(lost, [recall(0), kill(0), launch(1)]);
    assert_eq!(pool.is_ready(1), [dispatch(3, 1)]);
    let both_had_begun = [settle(1, Why::Crashed(on(0))), settle(2, Why::Crashed(on(0)))];
    assert_eq!(pool.dies(0, Some(2)), both_had_begun, "the answer to the first is lost");
}

#[test]
fn a_death_that_nobody_sees_is_awaited_for_so_long_and_no_longer() {
    let mut pool = Story::of_one_worker(Rules { credit: 2, ..RULES });
    pool.submit(1, PLAIN);
    assert_eq!(pool.cancel(1), [recall(0), kill(0)]);
    assert_eq!(pool.wait(RULES.kill_grace), [settle(1, Why::Cancelled(Some(on(0))))]);
    assert_eq!(pool.dies(0, Some(1)), [], "the death comes too late");
    assert_eq!(pool.returns(0, 1), [], "and so does the answer");
}
