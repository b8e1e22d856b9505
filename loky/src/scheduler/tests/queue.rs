//! The backlog: its order, its bounds, and that a slot is used again.

use super::*;

#[test]
fn an_old_key_finds_nothing_where_another_call_lies_now() {
    let mut pool = Story::of_one_worker(RULES);
    let in_slot = |id: u64| CallKey { id: CallId::from_raw(id), slot: 0 };
    pool.tell(Event::Submitted { call: in_slot(1), terms: PLAIN });
    pool.tell(Event::Returned { worker: WorkerId(0), call: in_slot(1), attempt: Attempt::FIRST });
    pool.tell(Event::Submitted { call: in_slot(2), terms: PLAIN });
    assert_eq!(pool.tell(Event::Cancelled { call: in_slot(1) }), []);
    let late = Event::Returned { worker: WorkerId(0), call: in_slot(1), attempt: Attempt::FIRST };
    assert_eq!(pool.tell(late), []);
    assert_eq!([1, 2].map(|id| pool.scheduler.has_started(in_slot(id))), [None, Some(true)]);
}

#[test]
fn calls_leave_from_anywhere_and_the_others_keep_their_order() {
    let mut pool = Story::of_one_worker(RULES);
    let priority = |id| [0, 5, -5][id as usize % 3];
    (0..=30).for_each(|id| drop(pool.submit(id, Terms { priority: priority(id), ..PLAIN })));
    (1..=30).step_by(4).for_each(|id| drop(pool.cancel(id)));
    assert_eq!(pool.scheduler.queued(), 22);
    let mut left: Vec<_> = (1..=30).filter(|id| id % 4 != 1).collect();
    left.sort_by_key(|&id| (-priority(id), id));
    let mut last = 0;
    for id in left {
        assert_eq!(pool.returns(0, last), [deliver(last), dispatch(id, 0)]);
        last = id;
    }
}

#[test]
fn calls_that_return_take_their_old_places_in_whatever_order_they_come() {
    let mut pool = Story::of(Rules { target: 4, ..RULES });
    (1..=8).for_each(|id| drop(pool.submit(id, PLAIN)));
    (0..4).for_each(|worker| drop(pool.is_ready(worker)));
    for worker in [2, 0, 3, 1] {
        assert_eq!(pool.dies(worker, None).len(), 1, "another one is launched");
    }
    let next = [1, 2, 3, 4, 5, 6, 7, 8]
        .map(|id| if id <= 4 { pool.is_ready(id + 3) } else { pool.returns(4, if id == 5 { 1 } else { id - 1 }) });
    for (id, wanted) in (1..).zip(next) {
        assert!(matches!(wanted.last(), Some(&Action::Dispatch { call: next, .. }) if next == call(id)), "{wanted:?}");
    }
}
