//! Faults of our own, and the end of a pool while somebody waits.

use std::any::TypeId;
use std::sync::mpsc;

use super::super::inner::Pending;
use super::super::landing::Landing;
use super::super::order::{Items, Limits, Order, OutcomeCell};
use super::*;
use crate::config::Settings;
use crate::ids::TaskId;
use crate::task::{Entry, TaskRef};
use crate::transport::payload::Payload;

static ENTRY: Entry = Entry::new("tests::task", TypeId::of::<u8>, |_, _| Ok(()));

fn order() -> Order {
    let task = TaskRef::function(TaskId::registered(0), &ENTRY);
    Order::new(task, Payload::copy(&[]), Items::One, Limits::default())
}

#[test]
fn crash_48_a_fault_of_our_own_resolves_every_handle_and_ends_the_pool() {
    let driver = Driver::new(Settings::default_for(1));
    let cell = Arc::new(OutcomeCell::new());
    let pending = Pending::new(order(), Some(Arc::clone(&cell)));
    let (acted, has_told) = driver.try_act(|inner, _| {
        inner.calls.insert(pending);
        panic!("a fault that this test makes");
    });
    let _: Result<(), _> = acted;
    let why = cell.take().expect("the handle resolves").into_single().unwrap_err();
    assert_eq!(why.kind(), ErrorKind::Shutdown);
    assert!(has_told && why.to_string().contains("tests::task") && why.to_string().contains("please report"));
    assert!(driver.wait_finished(Some(Instant::now())), "nobody waits for a pool that has failed");
    let later = driver.submit(&mut Some(order()), None, true).expect("it is taken in").expect("by this process");
    let Some(Landing::Here(outcome)) = driver.claim(later) else { panic!("and ended at once") };
    assert_eq!(outcome.into_single().unwrap_err().kind(), ErrorKind::Shutdown);
}
/// Whoever ends the pool still has the outcome in its hand when the background thread closes it, and would find no
/// bell to ring.
#[test]
fn a_waiter_that_sleeps_when_its_pool_is_closed_is_not_left_behind() {
    let driver = Driver::new(Settings::default_for(1));
    driver.start().expect("there is room for a thread");
    let (cell, (end, ended)) = (Arc::new(OutcomeCell::new()), mpsc::channel());
    let waiter = (Arc::clone(&driver), Arc::clone(&cell));
    let waiter = thread::spawn(move || {
        let (driver, cell) = waiter;
        let is_done = driver.wait(None, || cell.is_done(), || cell.watch(Watcher::this_thread()));
        end.send(is_done).expect("somebody listens");
    });
    while !driver.inner.lock().duty.is_for_waiter() {
        thread::yield_now();
    }
    driver.finished.complete(());
    while driver.inner.lock().bell.is_some() {
        driver.call_background();
    }
    cell.complete(Box::default());
    driver.interrupt();
    assert_eq!(ended.recv_timeout(Duration::from_secs(30)), Ok(true));
    waiter.join().expect("it has not panicked");
}
