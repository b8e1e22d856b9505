//! Faults of our own, which these tests make.

use std::any::TypeId;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::Instant;

use super::super::Driver;
use super::super::landing::Landing;
use super::super::order::{Items, Limits, Order, OutcomeCell};
use super::super::played::Played;
use super::*;
use crate::config::Settings;
use crate::ids::TaskId;
use crate::task::{self, Entry, TaskRef};
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
    let (acted, has_told) = driver.try_act(|inner, _| {
        inner.take_in(order(), Some(&cell));
        panic!("a fault that this test makes");
    });
    let _: Result<(), _> = acted;
    let why = cell.take().expect("the handle resolves").take_single().unwrap_err();
    assert_eq!(why.kind(), ErrorKind::Shutdown);
    assert!(has_told && why.to_string().contains("tests::task") && why.to_string().contains("please report"));
    assert!(driver.wait_finished(Some(Instant::now())), "nobody waits for a pool that has failed");
    let later = driver.submit(&mut Some(order()), None, true).expect("it is taken in").expect("by this process");
    let Some(Landing::Here(mut outcome)) = driver.claim(later) else { panic!("and ended at once") };
    assert_eq!(outcome.take_single().unwrap_err().kind(), ErrorKind::Shutdown);
    let stats = driver.stats();
    assert_eq!((stats.submitted, stats.failed), (2, 2));
}

#[test]
fn what_ends_with_a_pool_that_has_failed_is_counted() {
    let mut played = Played::new(Settings { timings: Some(true), ..Settings::default_for(1) });
    played.say_hello(task::build().unwrap(), std::process::id());
    let cell = played.submit(1);
    played.begin(1, 0);
    let collapsed = panic::catch_unwind(AssertUnwindSafe(|| played.inner.collapse()));
    assert!(collapsed.is_ok() && played.outcome(&cell).is_some_and(|outcome| outcome.end.is_some()));
    let inner = &played.inner;
    assert_eq!((inner.counters.failed, inner.counters.deaths, inner.counters.deaths_by_cause.shutdown), (1, 1, 1));
    assert!(inner.workers.is_empty() && inner.outbox.chores.iter().any(|chore| matches!(chore, Chore::Discard(_))));
    #[cfg(feature = "tracing")]
    assert!(inner.has_notes(), "its spans are forgotten");
}
