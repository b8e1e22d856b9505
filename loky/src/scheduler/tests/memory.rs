//! Workers that use too much memory, and workers that are worn by what they have grown.

use super::*;

impl Story {
    fn outgrows(&mut self, worker: u64) -> Vec<Action> {
        self.tell(Event::Outgrew { worker: WorkerId(worker) })
    }

    /// It is to be replaced, and begins nothing more of what it was given.
    fn is_worn(&mut self, worker: u64) -> Vec<Action> {
        self.held.remove(&WorkerId(worker));
        self.tell(Event::Worn { worker: WorkerId(worker) })
    }
}

#[test]
fn a_worker_that_outgrows_its_limit_costs_the_call_that_it_runs_and_no_retry() {
    let mut pool = Story::of_one_worker(RULES);
    pool.submit(1, Terms { retries: 3, ..PLAIN });
    assert_eq!(pool.submit(2, PLAIN), []);
    assert_eq!(pool.outgrows(0), [kill(0), launch(1)]);
    assert_eq!(pool.outgrows(0), [], "once is enough");
    assert_eq!(pool.dies(0, Some(1)), [settle(1, Why::Outgrew(on(0)))]);
    assert_eq!(pool.is_ready(1), [dispatch(2, 1)]);
}

#[test]
fn an_answer_that_makes_it_out_of_such_a_worker_counts() {
    let mut pool = Story::of_one_worker(RULES);
    pool.submit(1, PLAIN);
    pool.outgrows(0);
    assert!(!pool.scheduler.is_doomed(call(1)));
    assert_eq!(pool.returns(0, 1), [deliver(1)]);
    assert_eq!(pool.dies(0, Some(1)), []);
}

#[test]
fn what_lay_ready_or_had_not_begun_there_is_not_to_blame() {
    let mut pool = Story::of_one_worker(Rules { credit: 2, ..RULES });
    pool.submit(1, PLAIN);
    pool.submit(2, PLAIN);
    assert_eq!(pool.outgrows(0), [recall(0), kill(0), launch(1)]);
    assert_eq!(pool.dies(0, None), [], "it had begun neither");
    assert_eq!(pool.is_ready(1), [dispatch(1, 1), dispatch_back(2, 1)]);
    assert_eq!((pool.returns(1, 1)), [deliver(1)]);
}

#[test]
fn an_idle_worker_that_is_too_large_goes_and_nobody_is_called_for_it() {
    let mut pool = Story::of_one_worker(RULES);
    assert_eq!(pool.outgrows(0), [kill(0)]);
    assert_eq!(pool.dies(0, None), []);
    assert_eq!(pool.submit(1, PLAIN), [launch(1)]);
}

#[test]
fn a_worker_that_outgrows_its_limit_before_it_serves_is_a_launch_that_has_failed() {
    let mut pool = Story::of(Rules { target: 1, launch_failures_max: 2, ..RULES });
    assert_eq!(pool.submit(1, PLAIN), [launch(0)]);
    assert_eq!(pool.outgrows(0), [kill(0), launch(1)]);
    assert_eq!(pool.is_ready(0), [], "it is over");
    assert_eq!(pool.dies(0, None), [], "it has been counted");
    assert_eq!(pool.outgrows(1), [kill(1), settle(1, Why::CannotLaunch(None))]);
}

#[test]
fn a_worker_that_outgrows_its_limit_while_it_leaves_is_killed() {
    let mut pool = Story::of_one_worker(Rules { calls_per_worker_max: Some(1), ..RULES });
    pool.submit(1, PLAIN);
    assert_eq!(pool.returns(0, 1), [deliver(1), stop(0)]);
    assert_eq!((pool.outgrows(0), pool.outgrows(0)), (vec![kill(0)], vec![]));
}

#[test]
fn any_other_reason_outdoes_that_of_memory_but_a_run_limit_does_not() {
    for (limit, why) in [(SECOND, Why::Outgrew(on(0))), (3 * SECOND, Why::Cancelled(Some(on(0))))] {
        let mut pool = Story::of_one_worker(RULES);
        pool.submit(1, Terms { run_limit: Some(limit), ..PLAIN });
        pool.outgrows(0);
        pool.wait(2 * SECOND);
        if limit > 2 * SECOND {
            assert_eq!(pool.cancel(1), []);
        }
        assert_eq!(pool.dies(0, Some(1)), [settle(1, why)]);
    }
}

#[test]
fn a_call_that_ran_too_long_before_its_worker_was_too_large_ran_too_long() {
    let mut pool = Story::of_one_worker(RULES);
    pool.submit(1, Terms { run_limit: Some(SECOND), ..PLAIN });
    assert_eq!(pool.wait(SECOND), [recall(0), kill(0)]);
    assert_eq!(pool.outgrows(0), []);
    assert_eq!(pool.dies(0, Some(1)), [settle(1, Why::RanTooLong(on(0)))]);
}

#[test]
fn a_worn_worker_gives_back_all_that_it_holds_and_leaves() {
    let mut pool = Story::of_one_worker(Rules { credit: 3, ..RULES });
    (1..=3).for_each(|id| drop(pool.submit(id, PLAIN)));
    assert_eq!(pool.returns(0, 1), [deliver(1), dispatch(3, 0)]);
    assert_eq!(pool.is_worn(0), [stop(0), launch(1)]);
    assert_eq!(pool.dies(0, None), []);
    assert_eq!(pool.is_ready(1), [dispatch_back(2, 1), dispatch_back(3, 1)], "at their old places");
    assert_eq!(pool.is_worn(0), [], "it is gone");
}

#[test]
fn a_worn_worker_without_calls_is_replaced_when_there_are_some() {
    let mut pool = Story::of_one_worker(RULES);
    assert_eq!(pool.is_worn(0), [stop(0)]);
    assert_eq!(pool.submit(1, PLAIN), [launch(1)]);
    assert_eq!(pool.wait(RULES.stop_grace), [kill(0)], "one that does not leave is killed");
}

#[test]
fn what_a_worn_worker_gives_back_is_tried_as_often_as_before() {
    let mut pool = Story::of_one_worker(RULES);
    pool.submit(1, PLAIN);
    for worker in 0..20 {
        let rest = pool.is_worn(worker);
        assert_eq!(rest, [stop(worker), launch(worker + 1)], "a chunk of which some items are done each time");
        assert_eq!(pool.is_ready(worker + 1).len(), 1);
    }
}
