//! A worker that is played writes at whatever moment.

use std::io::Write;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::super::order::{Items, Limits, Order, OutcomeCell};
use super::super::played::Played;
use super::*;
use crate::config::Settings;
use crate::ids::{Attempt, TaskId};
use crate::sys::affinity;
use crate::sys::page::Beginner;
use crate::task::{Entry, TaskRef};
use crate::transport::payload::Payload;

static ENTRY: Entry = Entry::generic("the::task");

/// Long enough for the driver to be at it.
const MOMENT: Duration = Duration::from_micros(20);

const ROUNDS: u32 = 500;

/// One that has been given a call.
fn given() -> (Played, WorkerId) {
    let mut played = Played::new(Settings::default_for(1));
    played.inner.settings.output = Output::Prefix;
    let task = TaskRef::function(TaskId::registered(0), &ENTRY);
    let order = Order::new(task, Payload::copy(&[]), Items::One, Limits::default());
    let call = played.inner.calls.insert(Pending::new(order, Some(Arc::new(OutcomeCell::new()))));
    let id = played.id;
    played.inner.body(id).unwrap().given.push(call, Attempt::FIRST, 0..1, false);
    (played, id)
}

/// Both share a processor, so the worker begins and writes between any two steps of a driver that looks for output.
#[test]
fn what_a_call_writes_as_soon_as_it_has_begun_is_its_own() {
    affinity::restrict(&affinity::affinity().unwrap()[..1]).unwrap();
    for _ in 0..ROUNDS {
        let (mut played, worker) = given();
        let mut beginner = Beginner::new(&played.inner.body(worker).unwrap().page);
        let mut error = played.error.try_clone().unwrap();
        let writing = thread::spawn(move || {
            thread::sleep(MOMENT);
            assert!(beginner.begin(1, 0));
            error.write_all(b"a line\n").unwrap();
        });
        while played.inner.outlets.is_empty() {
            played.inner.hear_output(worker, Stream::Error);
        }
        writing.join().unwrap();
        let line = played.inner.outlets.of(Stream::Error).next_piece();
        assert_eq!(String::from_utf8_lossy(&line), "[0 the::task] a line\n");
    }
}
