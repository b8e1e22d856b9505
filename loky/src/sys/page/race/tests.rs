//! Two mappings of one page: what the worker writes, its parent reads, and what is raced for has one winner.

use std::collections::HashSet;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::super::{Beginner, Page, Side};
use super::{AtomicU64, HALTED, ITEM_BITS, Ordering, RECALLED};

/// How often a halted worker looks.
const HALT_POLL: Duration = Duration::from_micros(100);

fn sides() -> (Page, Beginner) {
    let (parents, fd) = Page::create().unwrap();
    (parents, Beginner::new(&Page::map(&fd).unwrap()))
}

#[test]
fn two_mappings_show_the_same_numbers() {
    let (page, mut worker) = sides();
    assert!(page.begun().is(0));
    assert!(worker.begin(7, 3));
    assert!(page.begun().is(7) && page.begun().item == 3 && !page.begun().is(8));
    let far = (1 << 50) + 5;
    assert!(worker.begin(far, 0) && page.begun().is(far) && !page.begun().is(far + 1));
}

#[test]
fn a_halted_worker_begins_nothing_until_it_is_resumed() {
    let (page, mut worker) = sides();
    assert!(worker.begin(7, 3));
    assert!(page.halt().is(7));
    let worker = thread::spawn(move || worker.begin(7, 4));
    for _ in 0..20 {
        thread::sleep(HALT_POLL);
        assert!(!worker.is_finished(), "it waits");
    }
    page.resume();
    assert!(worker.join().unwrap());
    assert_eq!(page.begun().item, 4);
}

#[test]
fn a_worker_goes_on_within_its_call() {
    let (page, mut worker) = sides();
    assert!(worker.begin(7, 3));
    assert!(worker.go_on(4) && worker.go_on(5));
    assert!(page.begun().is(7) && page.begun().item == 5);
    assert!(page.recall(8).item == 5, "what has begun goes on");
    assert!(worker.go_on(6) && worker.go_on(7));
    assert!(page.begun().is(7) && page.begun().item == 7);
    assert!(!worker.begin(8, 0) && worker.begin(9, 0));
    assert!(page.begun().is(9) && page.begun().item == 0, "it is another call's, where it had gone on to");
}

#[test]
fn a_halted_worker_does_not_go_on_until_it_is_resumed() {
    let (page, mut worker) = sides();
    assert!(worker.begin(7, 3));
    assert!(worker.go_on(4));
    assert!(page.halt().item == 4);
    let worker = thread::spawn(move || worker.go_on(5));
    for _ in 0..20 {
        thread::sleep(HALT_POLL);
        assert!(!worker.is_finished() && page.begun().item == 4, "it waits");
    }
    page.resume();
    assert!(worker.join().unwrap());
    assert_eq!(page.begun().item, 5);
}

#[test]
fn a_recalled_call_is_dropped_unless_it_has_begun() {
    let (page, mut worker) = sides();
    assert!(worker.begin(1, 0));
    assert!(page.recall(3).is(1));
    assert!(worker.begin(1, 1), "what has begun goes on");
    assert!(!worker.begin(2, 0) && !worker.begin(3, 0) && worker.begin(4, 0));
    assert!(page.recall(5).is(4) && page.recall(6).is(4));
    assert!(!worker.begin(5, 0) && !worker.begin(6, 0) && worker.begin(7, 0));
    assert!(page.begun().is(7));
}

#[test]
fn a_worker_whose_word_was_overwritten_begins_nothing_and_waits_for_nobody() {
    for garbage in [0, 1, 8 << ITEM_BITS, HALTED, RECALLED, HALTED | RECALLED | 5, u64::MAX] {
        let (page, mut worker) = sides();
        assert!(worker.begin(7, 3) && !worker.is_damaged());
        page.race().begun.0.store(garbage, Ordering::SeqCst);
        assert!(!worker.begin(8, 0) && worker.is_damaged(), "{garbage:x}");
        assert!(!worker.go_on(4) && !worker.begin(9, 0), "{garbage:x}");
    }
}

#[test]
fn each_call_is_either_begun_or_taken_back() {
    const LAST: u64 = 50_000;
    let (page, mut worker) = sides();
    // No more is taken back than all that was sent, so nothing behind that begins meanwhile.
    let sent = Arc::new(AtomicU64::new(0));
    let mut is_begun = {
        let sent = Arc::clone(&sent);
        move |call| {
            while sent.load(Ordering::Acquire) < call {
                thread::yield_now();
            }
            worker.begin(call, 0)
        }
    };
    let working = thread::spawn(move || (1..=LAST).filter(|&call| is_begun(call)).collect::<HashSet<_>>());
    let mut taken_back = HashSet::new();
    for last in (10..=LAST).step_by(10) {
        sent.store(last, Ordering::Release);
        taken_back.extend(page.recall(last).call + 1..=last);
    }
    let begun = working.join().unwrap();
    assert!((1..=LAST).all(|call| begun.contains(&call) != taken_back.contains(&call)));
}
