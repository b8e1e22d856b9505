//! How calls are asked to end by themselves, and what becomes of those that do not.

use super::*;

impl Story {
    fn asks(&mut self, id: u64, grace: Duration) -> Vec<Action> {
        let kill_at = Some(self.now + grace);
        self.tell(Event::AskedToEnd { call: call(id), kill_at })
    }
}

const fn ask(id: u64, worker: u64) -> Action {
    Action::AskToEnd { worker: WorkerId(worker), call: call(id) }
}

#[test]
fn a_call_that_waits_ends_at_once() {
    let mut pool = Story::of_one_worker(RULES);
    pool.submit(1, PLAIN);
    pool.submit(2, PLAIN);
    assert_eq!(pool.asks(2, SECOND), [settle(2, Why::Cancelled(None))]);
    assert_eq!(pool.asks(2, SECOND), []);
    assert_eq!(pool.returns(0, 1), [deliver(1)]);
}

#[test]
fn a_call_that_lies_ready_ends_at_once_and_the_one_that_runs_is_not_told() {
    let mut pool = Story::of_one_worker(Rules { credit: 2, ..RULES });
    pool.submit(1, PLAIN);
    pool.submit(2, PLAIN);
    assert_eq!(pool.asks(2, SECOND), [recall(0), settle(2, Why::Cancelled(None))]);
    assert_eq!(pool.returns(0, 1), [deliver(1)]);
}

#[test]
fn an_answer_within_the_grace_is_the_result() {
    let mut pool = Story::of_one_worker(RULES);
    pool.submit(1, PLAIN);
    assert_eq!(pool.asks(1, SECOND), [recall(0), ask(1, 0)]);
    assert_eq!(pool.wait(SECOND / 2), []);
    assert_eq!(pool.returns(0, 1), [deliver(1)]);
    pool.submit(2, PLAIN);
    assert_eq!(pool.wait(2 * SECOND), [], "its grace is nobody else's");
}

#[test]
fn after_the_grace_its_worker_is_killed() {
    let mut pool = Story::of_one_worker(RULES);
    pool.submit(1, PLAIN);
    pool.asks(1, SECOND);
    assert_eq!(pool.wait(SECOND), [recall(0), kill(0)]);
    assert_eq!(pool.returns(0, 1), [settle(1, Why::Cancelled(Some(on(0))))], "too late");
}

#[test]
fn without_an_end_of_its_grace_nobody_is_killed() {
    let mut pool = Story::of_one_worker(RULES);
    pool.submit(1, PLAIN);
    assert_eq!(pool.tell(Event::AskedToEnd { call: call(1), kill_at: None }), [recall(0), ask(1, 0)]);
    assert_eq!((pool.wait(1000 * SECOND), pool.returns(0, 1)), (vec![], vec![deliver(1)]));
}

#[test]
fn who_asks_again_makes_the_grace_shorter_and_never_longer() {
    let mut pool = Story::of_one_worker(RULES);
    pool.submit(1, PLAIN);
    pool.asks(1, 3 * SECOND);
    assert_eq!(pool.asks(1, SECOND), [recall(0)], "it was told before");
    assert_eq!(pool.asks(1, 9 * SECOND), [recall(0)]);
    assert_eq!(pool.wait(SECOND), [recall(0), kill(0)]);
    assert_eq!(pool.dies(0, Some(1)), [settle(1, Why::Cancelled(Some(on(0))))]);
}

#[test]
fn who_cancels_after_that_waits_for_no_grace() {
    let mut pool = Story::of_one_worker(RULES);
    pool.submit(1, PLAIN);
    pool.asks(1, SECOND);
    assert_eq!(pool.cancel(1), [recall(0), kill(0)]);
    assert_eq!(pool.dies(0, Some(1)), [settle(1, Why::Cancelled(Some(on(0))))]);
}

#[test]
fn a_death_within_the_grace_is_not_tried_again() {
    let mut pool = Story::of_one_worker(RULES);
    pool.submit(1, Terms { retries: 5, ..PLAIN });
    pool.asks(1, SECOND);
    assert_eq!(pool.dies(0, Some(1)), [settle(1, Why::Cancelled(Some(on(0))))]);
}

#[test]
fn a_call_between_two_tries_ends_with_the_one_that_it_has_had() {
    let mut pool = Story::of_one_worker(RULES);
    pool.submit(1, Terms { retries: 5, ..PLAIN });
    pool.dies(0, Some(1));
    assert_eq!(pool.asks(1, SECOND), [settle(1, Why::Cancelled(Some(on(0))))]);
}

#[test]
fn other_limits_hold_within_the_grace() {
    let mut pool = Story::of_one_worker(RULES);
    pool.submit(1, Terms { run_limit: Some(SECOND), ..PLAIN });
    pool.asks(1, 2 * SECOND);
    assert_eq!(pool.wait(SECOND), [recall(0), kill(0)]);
    assert_eq!(pool.dies(0, Some(1)), [settle(1, Why::RanTooLong(on(0)))]);
    let mut pool = Story::of_one_worker(RULES);
    pool.submit(1, Terms { run_limit: Some(2 * SECOND), deadline: Some(pool.now + 3 * SECOND), ..PLAIN });
    pool.asks(1, SECOND);
    assert_eq!(pool.wait(SECOND), [recall(0), kill(0)]);
    assert_eq!(pool.dies(0, Some(1)), [settle(1, Why::Cancelled(Some(on(0))))]);
}

#[test]
fn an_item_that_begins_within_the_grace_has_no_more_of_it() {
    let mut pool = Story::of_one_worker(RULES);
    pool.submit(1, Terms { run_limit: Some(3 * SECOND), ..PLAIN });
    pool.asks(1, SECOND);
    pool.wait(SECOND / 2);
    pool.tell(Event::Progressed { worker: WorkerId(0), call: call(1), attempt: Attempt::FIRST });
    assert_eq!(pool.wait(SECOND / 2), [recall(0), kill(0)]);
}

#[test]
fn a_call_that_is_done_is_waited_for_and_the_one_behind_it_is_neither_told_nor_killed() {
    let mut pool = Story::of_one_worker(Rules { credit: 2, ..RULES });
    pool.submit(1, PLAIN);
    pool.submit(2, PLAIN);
    pool.has_begun(2);
    assert_eq!(pool.asks(1, SECOND), [recall(0)]);
    assert_eq!(pool.wait(2 * SECOND), []);
    assert_eq!(pool.returns(0, 1), [deliver(1)]);
    assert_eq!(pool.returns(0, 2), [deliver(2)]);
}

#[test]
fn nothing_lies_ready_behind_a_call_that_is_asked_to_end() {
    let mut pool = Story::of_one_worker(Rules { credit: 3, ..RULES });
    pool.submit(1, PLAIN);
    pool.submit(2, PLAIN);
    assert_eq!(pool.asks(1, SECOND), [recall(0), ask(1, 0)]);
    assert_eq!(pool.submit(3, PLAIN), []);
    assert_eq!(pool.returns(0, 1), [deliver(1), dispatch_back(2, 0), dispatch(3, 0)]);
}

#[test]
fn a_shutdown_does_not_wait_for_the_grace() {
    let mut pool = Story::of_one_worker(RULES);
    pool.submit(1, PLAIN);
    pool.asks(1, SECOND);
    assert_eq!(pool.is_shut_down(true), [kill(0)]);
    assert_eq!(pool.dies(0, Some(1)), [settle(1, Why::ShutDown(Some(on(0)))), Action::Finished]);
}

#[cfg(feature = "cluster")]
mod wanted_back {
    use super::*;

    impl Story {
        fn wants_back(&mut self, id: u64) -> Vec<Action> {
            self.tell(Event::WantedBack { call: call(id) })
        }
    }

    #[test]
    fn a_call_that_has_not_begun_is_had_back_wherever_it_lies() {
        let mut pool = Story::of_one_worker(Rules { credit: 2, ..RULES });
        (1..=3).for_each(|id| _ = pool.submit(id, PLAIN));
        assert_eq!(pool.wants_back(3), [settle(3, Why::Cancelled(None))]);
        assert_eq!(pool.wants_back(2), [recall(0), settle(2, Why::Cancelled(None))]);
        assert_eq!(pool.wants_back(2), []);
        assert_eq!(pool.returns(0, 1), [deliver(1)]);
    }

    #[test]
    fn one_that_runs_goes_on_as_if_nobody_had_asked() {
        let mut pool = Story::of_one_worker(RULES);
        pool.submit(1, Terms { retries: 1, ..PLAIN });
        assert_eq!(pool.wants_back(1), [recall(0)], "its worker is not told");
        assert_eq!(pool.wait(1000 * SECOND), []);
        assert_eq!(pool.dies(0, Some(1)), [launch(1)], "it is tried again");
        assert_eq!(pool.is_ready(1), [dispatch_again(1, 1)]);
        assert_eq!(pool.asks(1, SECOND), [recall(1), ask(1, 1)], "who asks for more is heard");
    }

    #[test]
    fn one_that_is_asked_to_end_stays_so() {
        let mut pool = Story::of_one_worker(RULES);
        pool.submit(1, PLAIN);
        pool.asks(1, SECOND);
        pool.wants_back(1);
        assert_eq!(pool.wait(SECOND).last(), Some(&kill(0)));
    }
}
