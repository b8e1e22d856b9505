//! No worker is needed for an end: calls are taken in and ended by hand.

use std::any::TypeId;
use std::thread;

use super::super::order::{Items, Limits, Order};
use super::*;
use crate::config::Settings;
use crate::error::ErrorKind;
use crate::ids::TaskId;
use crate::sys::stdio::Stream;
use crate::task::{Entry, TaskRef};
use crate::transport::payload::Payload;

static ENTRY: Entry = Entry::new("tests::task", TypeId::of::<u8>, |_, _| Ok(()));

/// A call that has a handle.
fn spawned(driver: &Driver) -> CallKey {
    let task = TaskRef::function(TaskId::registered(0), &ENTRY);
    let order = Order::new(task, Payload::copy(&[]), Items::One, Limits::default());
    driver.inner.lock().calls.insert(Pending::new(order, None))
}

/// Ends it. Returns how many outcomes there are that nobody will read.
fn end(driver: &Driver, call: CallKey) -> usize {
    let ended = driver.act(|inner, _| {
        let pending = inner.calls.take(call).expect("it has not ended");
        let left = inner.outbox.end(pending, Some(Error::new(ErrorKind::Cancelled, "ended")));
        inner.calls.leave(call, left);
        inner.outbox.unread.len()
    });
    assert!(driver.inner.lock().outbox.unread.is_empty(), "what nobody reads is not kept");
    ended
}

fn is_read(outcome: Option<Box<Outcome>>) -> bool {
    outcome.is_some_and(|mut outcome| outcome.take_single().is_err_and(|why| why.kind() == ErrorKind::Cancelled))
}

#[test]
fn an_outcome_stays_in_its_slot_until_the_handle_takes_it_once() {
    let driver = Driver::new(Settings::default_for(1));
    let call = spawned(&driver);
    assert!(!driver.has_outcome(call));
    assert_eq!(end(&driver, call), 0);
    assert!(driver.has_outcome(call) && spawned(&driver).slot != call.slot, "the slot is still its own");
    let Some(Landing::Here(outcome)) = driver.claim(call) else { panic!("nobody has asked for a cell") };
    assert!(is_read(Some(outcome)));
    assert!(driver.claim(call).is_none() && driver.cell_of(call).is_none(), "it is given once");
    assert_eq!(spawned(&driver).slot, call.slot);
}

#[test]
fn whoever_asks_before_is_told_in_a_cell() {
    let driver = Driver::new(Settings::default_for(1));
    let (watched, claimed) = (spawned(&driver), spawned(&driver));
    let cell = driver.cell_of(watched).unwrap();
    let Some(Landing::Cell(place)) = driver.claim(claimed) else { panic!("it has not ended") };
    assert_eq!([watched, claimed].map(|call| end(&driver, call)), [0, 0]);
    assert!(cell.is_done() && driver.has_outcome(watched) && is_read(place.take()));
    assert_eq!(spawned(&driver).slot, claimed.slot, "whose outcome was claimed before is kept no longer");
    let Some(Landing::Cell(same)) = driver.claim(watched) else { panic!("there is a cell already") };
    assert!(Arc::ptr_eq(&cell, &same) && is_read(same.take()));
}

#[test]
fn whoever_asks_for_a_cell_afterwards_finds_the_outcome_in_it() {
    let driver = Driver::new(Settings::default_for(1));
    let call = spawned(&driver);
    end(&driver, call);
    let cell = driver.cell_of(call).unwrap();
    assert!(driver.has_outcome(call) && Arc::ptr_eq(&cell, &driver.cell_of(call).unwrap()) && is_read(cell.take()));
}

#[test]
fn nothing_is_kept_for_a_handle_that_is_gone() {
    let driver = Driver::new(Settings::default_for(1));
    let (before, after) = (spawned(&driver), spawned(&driver));
    driver.let_go(before);
    assert!(driver.inner.lock().calls.get(before).is_some_and(Pending::is_detached));
    assert_eq!((end(&driver, before), end(&driver, after)), (1, 0));
    driver.let_go(after);
    assert!(driver.claim(before).is_none() && driver.claim(after).is_none());
    assert_eq!([spawned(&driver), spawned(&driver)].map(|call| call.slot), [after.slot, before.slot]);
}

#[test]
fn a_waiter_that_drives_takes_the_outcome_out_of_its_slot() {
    let driver = Driver::new(Settings::default_for(1));
    let call = spawned(&driver);
    thread::scope(|scope| {
        scope.spawn(|| end(&driver, call));
        let Some(Landing::Here(outcome)) = driver.claim_at_end(call) else { panic!("nobody else drives") };
        assert!(is_read(Some(outcome)));
    });
    assert_eq!(spawned(&driver).slot, call.slot, "nothing is left there");
}

#[test]
fn what_was_printed_before_an_end_is_shown_before_its_outcome_is_taken() {
    let driver = Driver::new(Settings::default_for(1));
    let call = spawned(&driver);
    end(&driver, call);
    driver.inner.lock().outlets.of(Stream::Error).add(b"(a task has printed this)\n");
    assert!(driver.claim(call).is_some() && driver.inner.lock().outlets.is_empty());
}
