//! The end of a pool while somebody waits.

use std::sync::mpsc;
use std::time::Duration;

use super::super::order::OutcomeCell;
use super::*;
use crate::config::Settings;

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
