//! How a pool ends.

use super::*;

#[test]
fn a_graceful_shutdown_finishes_everything_first() {
    let mut pool = Story::of_one_worker(RULES);
    pool.submit(1, PLAIN);
    pool.submit(2, PLAIN);
    assert_eq!(pool.is_shut_down(false), []);
    assert_eq!(pool.submit(3, PLAIN), [settle(3, Why::ShutDown(None))]);
    assert_eq!(pool.returns(0, 1), [deliver(1), dispatch(2, 0)]);
    assert_eq!(pool.dies(0, None), [launch(1)], "what is there is finished, by a new worker if need be");
    assert_eq!(pool.is_ready(1), [dispatch(2, 1)]);
    assert_eq!(pool.returns(1, 2), [deliver(2), stop(1)]);
    assert_eq!(pool.dies(1, Some(2)), [Action::Finished]);
}

#[test]
fn a_forced_shutdown_ends_what_is_there() {
    let mut pool = Story::of(RULES);
    (1..=3).for_each(|id| drop(pool.submit(id, Terms { retries: 1, ..PLAIN })));
    pool.is_ready(0);
    let mut wanted = pool.is_shut_down(true);
    assert_eq!(wanted.split_off(2), [kill(0), kill(1)], "a worker that is being started is killed, too");
    assert_eq!(wanted, [settle(2, Why::ShutDown(None)), settle(3, Why::ShutDown(None))]);
    assert_eq!(pool.is_ready(1), []);
    assert_eq!(pool.dies(0, Some(1)), [settle(1, Why::ShutDown(Some(on(0))))]);
    assert_eq!(pool.dies(1, None), [Action::Finished]);
}

#[test]
fn a_forced_shutdown_tries_nothing_again() {
    let mut pool = Story::of_one_worker(RULES);
    pool.submit(1, Terms { retries: 9, ..PLAIN });
    pool.tell(Event::LinkClosed { worker: WorkerId(0) });
    pool.is_shut_down(true);
    assert_eq!(pool.dies(0, None), [settle(1, Why::ShutDown(None)), Action::Finished]);
}

#[test]
fn a_shutdown_waits_for_no_death_for_ever() {
    let mut pool = Story::of(RULES);
    (1..=2).for_each(|id| drop(pool.submit(id, PLAIN)));
    pool.is_ready(0);
    pool.is_shut_down(true);
    let ended = [settle(1, Why::ShutDown(Some(on(0)))), Action::Finished];
    assert_eq!(pool.wait(RULES.kill_grace), ended);
}

#[test]
fn a_pool_without_workers_is_finished_at_once() {
    let mut pool = Story::of(RULES);
    assert_eq!(pool.is_shut_down(false), [Action::Finished]);
    assert_eq!(pool.is_shut_down(true), []);
}

#[test]
fn who_asks_after_the_end_is_answered() {
    let mut pool = Story::of(RULES);
    pool.is_shut_down(false);
    assert_eq!(pool.submit(1, PLAIN), [settle(1, Why::ShutDown(None))]);
    assert_eq!(pool.tell(Event::WarmUpAsked), [Action::Warmed]);
    assert_eq!(pool.scheduler.next_timeout(), None);
}

#[test]
fn a_warm_up_ends_with_the_shutdown() {
    let mut pool = Story::of(RULES);
    pool.tell(Event::WarmUpAsked);
    assert_eq!(pool.is_shut_down(false), [kill(0), kill(1), Action::Warmed]);
}

#[test]
fn an_interrupt_finishes_only_what_has_begun() {
    let mut pool = Story::of_one_worker(RULES);
    (1..=3).for_each(|id| drop(pool.submit(id, PLAIN)));
    let unbegun = [settle(2, Why::ShutDown(None)), settle(3, Why::ShutDown(None)), recall(0)];
    assert_eq!(sorted(pool.tell(Event::Interrupted)), sorted(unbegun.into()));
    assert_eq!(pool.submit(4, PLAIN), [settle(4, Why::ShutDown(None))]);
    assert_eq!(pool.tell(Event::Interrupted), [recall(0)], "a second one asks again, and finds the same");
    assert_eq!(pool.returns(0, 1), [deliver(1), stop(0)]);
    assert_eq!(pool.dies(0, None), [Action::Finished]);
}

#[test]
fn nothing_is_tried_again_after_an_interrupt() {
    let mut pool = Story::of_one_worker(RULES);
    pool.submit(1, Terms { retries: 9, ..PLAIN });
    pool.tell(Event::Interrupted);
    let ended = [settle(1, Why::ShutDown(Some(on(0)))), Action::Finished];
    assert_eq!(pool.dies(0, Some(1)), ended, "it may have run");
}

#[test]
fn an_interrupt_ends_a_graceful_shutdown_sooner_and_a_forced_one_not_at_all() {
    let mut pool = Story::of_one_worker(RULES);
    (1..=2).for_each(|id| drop(pool.submit(id, PLAIN)));
    pool.is_shut_down(false);
    assert_eq!(sorted(pool.tell(Event::Interrupted)), sorted(vec![recall(0), settle(2, Why::ShutDown(None))]));
    assert_eq!(pool.is_shut_down(false), [], "it stays one");
    assert_eq!(pool.is_shut_down(true), [kill(0)]);
    assert_eq!(pool.tell(Event::Interrupted), []);
}

#[test]
fn an_interrupt_ends_launches_that_nobody_needs() {
    let mut pool = Story::of(RULES);
    pool.submit(1, PLAIN);
    assert_eq!(pool.tell(Event::Interrupted), [settle(1, Why::ShutDown(None)), kill(0)]);
    assert_eq!(pool.dies(0, None), [Action::Finished]);
}

/// In whichever order they come.
fn sorted(actions: Vec<Action>) -> Vec<String> {
    let mut actions: Vec<_> = actions.iter().map(|action| format!("{action:?}")).collect();
    actions.sort();
    actions
}
