//! What workers do before they serve and before they leave, which of them stay, and for how many calls one lives.

use super::*;

fn given(worker: u64, limit: Option<Duration>) -> Event {
    Event::GivenTime { worker: WorkerId(worker), limit }
}

fn of_items(items: u32) -> Terms {
    Terms { items, ..PLAIN }
}

#[test]
fn a_worker_that_makes_itself_ready_has_the_time_that_it_is_given() {
    let mut pool = Story::of(Rules { target: 1, ..RULES });
    assert_eq!(pool.submit(1, PLAIN), [launch(0)]);
    assert_eq!(pool.tell(given(0, None)), []);
    assert_eq!(pool.wait(100 * RULES.hello_limit), [], "nobody has set a limit");
    assert_eq!(pool.tell(given(0, Some(3 * SECOND))), []);
    assert_eq!(pool.wait(2 * SECOND), []);
    assert_eq!(pool.wait(SECOND), [kill(0), launch(1)]);
    pool.tell(given(1, Some(3 * SECOND)));
    assert_eq!(pool.is_ready(1), [dispatch(1, 1)]);
    assert_eq!(pool.wait(100 * SECOND), [], "what it was given is over when it serves");
}

#[test]
fn workers_that_never_make_themselves_ready_are_not_started_for_ever() {
    let mut pool = Story::of(Rules { target: 1, ..RULES });
    pool.submit(1, PLAIN);
    let mut kills = 0;
    while pool.scheduler.live() > 0 {
        let worker = pool.scheduler.workers.iter().find(|(_, worker)| worker.is_launching());
        let id = worker.expect("it is being launched").1.id.0;
        pool.tell(given(id, Some(SECOND)));
        kills += usize::from(pool.wait(SECOND).contains(&kill(id)));
    }
    assert_eq!((kills, pool.scheduler.queued()), (RULES.launch_failures_max as usize, 0));
}

#[test]
fn a_shutdown_ends_workers_that_make_themselves_ready() {
    let mut pool = Story::of(Rules { target: 2, ..RULES });
    pool.submit(1, PLAIN);
    pool.tell(given(0, None));
    assert_eq!(pool.is_shut_down(true), [settle(1, Why::ShutDown(None)), kill(0)]);
    let mut pool = Story::of(Rules { target: 1, ..RULES });
    pool.tell(Event::WarmUpAsked);
    pool.tell(given(0, None));
    assert_eq!(pool.is_shut_down(false), [kill(0), Action::Warmed], "no call waits for it");
}

#[test]
fn a_worker_that_leaves_has_the_time_that_it_is_given() {
    let mut pool = Story::of_one_worker(Rules { calls_per_worker_max: Some(1), ..RULES });
    pool.submit(1, PLAIN);
    assert_eq!(pool.returns(0, 1), [deliver(1), stop(0)]);
    pool.tell(given(0, Some(10 * SECOND)));
    assert_eq!(pool.wait(9 * SECOND), []);
    pool.tell(given(0, None));
    assert_eq!(pool.wait(RULES.stop_grace - SECOND), [], "then it has its grace");
    assert_eq!(pool.wait(SECOND), [kill(0)]);
    pool.tell(given(0, Some(10 * SECOND)));
    pool.wait(RULES.kill_grace);
    assert!(pool.scheduler.workers.is_empty(), "one that is killed is given no time");
}

#[test]
fn so_many_workers_stay_although_they_are_idle() {
    let idle_timeout = Some(3 * SECOND);
    let mut pool = Story::of(Rules { target: 3, min_workers: 1, idle_timeout, ..RULES });
    (1..=3).for_each(|id| drop(pool.submit(id, PLAIN)));
    (0..3).for_each(|worker| drop(pool.is_ready(worker)));
    (0..3).for_each(|worker| drop(pool.returns(worker, worker + 1)));
    assert_eq!(pool.wait(3 * SECOND), [stop(0), stop(1)]);
    assert_eq!(pool.wait(100 * SECOND), [kill(0), kill(1)], "the last one stays");
    assert_eq!(pool.submit(4, PLAIN), [dispatch(4, 2)]);
    pool.submit(5, PLAIN);
    pool.is_ready(3);
    assert_eq!(pool.returns(2, 4), [deliver(4)]);
    assert_eq!(pool.wait(3 * SECOND), [stop(2)], "it is another one that stays now: a busy one counts");
    assert_eq!(pool.returns(3, 5), [deliver(5)]);
    pool.wait(100 * SECOND);
    assert_eq!(pool.is_shut_down(false), [stop(3)], "but not longer than the pool");
}

#[test]
fn a_worker_lives_for_so_many_items() {
    let mut pool = Story::of_one_worker(Rules { calls_per_worker_max: Some(6), credit: 9, ..RULES });
    assert_eq!(pool.submit(1, of_items(3)), [dispatch(1, 0)]);
    assert_eq!(pool.submit(2, of_items(2)), [dispatch(2, 0)]);
    assert_eq!(pool.returns(0, 1), [deliver(1)]);
    assert_eq!(pool.submit(3, of_items(2)), [dispatch(3, 0)], "a call that is begun is done, and no more is begun");
    assert_eq!(pool.submit(4, of_items(2)), []);
    assert_eq!(pool.returns(0, 2), [deliver(2)]);
    assert_eq!(pool.returns(0, 3), [deliver(3), stop(0), launch(1)]);
}

#[test]
fn what_is_taken_back_counts_for_nobody() {
    let mut pool = Story::of_one_worker(Rules { calls_per_worker_max: Some(6), credit: 9, ..RULES });
    pool.submit(1, of_items(1));
    pool.submit(2, of_items(3));
    assert_eq!(pool.cancel(2), [recall(0), settle(2, Why::Cancelled(None))]);
    assert_eq!(pool.returns(0, 1), [deliver(1)]);
    assert_eq!(pool.submit(3, of_items(4)), [dispatch(3, 0)]);
    assert_eq!(pool.returns(0, 3), [deliver(3)], "five in all");
    assert_eq!(pool.submit(4, PLAIN), [dispatch(4, 0)]);
    assert_eq!(pool.returns(0, 4), [deliver(4), stop(0)]);
}

#[test]
fn where_nobody_counts_calls_their_items_are_nothing() {
    let mut pool = Story::of_one_worker(RULES);
    pool.submit(1, of_items(1000));
    assert!(pool.scheduler.calls.get(call(1)).is_some_and(|call| call.extra().is_none()), "it costs no memory");
}
