//! Orders on their way to another machine, and outcomes on their way back.
//!
//! What has arrived is checked: whoever says it runs the same program, but what it says may still not be what it is.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::lengths::Lengths;
use super::super::printed::Printed;
use super::super::results::Results;
use super::{Captured, Error, ErrorKind, Extra, Items, Limits, Order, Outcome, Payload};
use crate::ids::{CallId, TaskId};
use crate::task::entry_of;
use crate::wire::body::{Encoded, Parcel};

/// An order as it travels, but for the bytes of its captures and of its arguments, which follow.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct OrderSaid {
    task: u64,
    /// How many bytes, of a closure.
    captures: Option<u64>,
    /// `None` of one item.
    items: Option<Lengths>,
    limits: Limits,
    tries_before: u32,
    is_chunk: bool,
    age: Duration,
}

/// An outcome as it travels, but for the bytes of its results, which follow.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct OutcomeSaid {
    lengths: Lengths,
    failures: Vec<(usize, Error)>,
    ran: Duration,
    end: Option<Error>,
    /// What the call has printed to both streams, and how much more it was.
    printed: Option<(Vec<u8>, Vec<u8>, usize)>,
}

impl Order {
    /// What travels, and the bytes that follow. It was tried so often elsewhere, and spawned so long ago.
    pub(crate) fn said(&self, tries: u32, age: Duration) -> (OrderSaid, Option<Arc<Parcel>>, Payload) {
        let limits = self.limits();
        let retries = limits.retries.map(|retries| retries.saturating_sub(tries));
        let captures = self.captures().map(in_one_piece);
        let said = OrderSaid {
            task: self.task.raw(),
            captures: captures.as_ref().map(|captures| captures.bytes.len() as u64),
            items: match self.items() {
                Items::One => None,
                Items::Many(lengths) => Some((**lengths).clone()),
            },
            limits: Limits { retries, ..limits },
            tries_before: self.tries_before().saturating_add(tries),
            is_chunk: self.is_chunk(),
            age,
        };
        (said, captures, self.payload.clone().in_one_piece())
    }

    /// The same as it has arrived. `None` if it cannot be one.
    pub(crate) fn heard(number: CallId, said: OrderSaid, bytes: &[u8]) -> Option<Self> {
        let task = TaskId::from_raw(said.task);
        let entry = entry_of(task)?;
        let (captures, arguments) = match said.captures {
            None => (None, bytes),
            Some(len) => {
                let (captures, arguments) = bytes.split_at_checked(usize::try_from(len).ok()?)?;
                let encoded = Encoded { bytes: captures.to_vec(), ..Encoded::NONE };
                (Some(Arc::new(Parcel::from(encoded))), arguments)
            }
        };
        let items = match said.items {
            None => Items::One,
            Some(lengths) if lengths.count() > 0 && lengths.are_of(arguments.len()) => Items::Many(Box::new(lengths)),
            Some(_) => return None,
        };
        let extra = Extra {
            captures,
            items,
            limits: said.limits,
            tries_before: said.tries_before,
            is_chunk: said.is_chunk,
            elsewhere: Some((number, said.age)),
            ..Extra::default()
        };
        Some(Self { task, entry, payload: Payload::copy(arguments), extra: Some(Box::new(extra)) })
    }
}

impl Outcome {
    /// What travels, and the bytes that follow. It comes from the machine `host`.
    pub(crate) fn said(mut self, host: &str) -> (OutcomeSaid, Payload) {
        let printed = std::mem::take(&mut self.printed).into_captured();
        let printed = (printed != Captured::default()).then_some((printed.stdout, printed.stderr, printed.cut));
        let (results, end) = match self.results.enclose_something() {
            true => (Results::default(), Some(self.end.unwrap_or_else(stays))),
            false => (self.results, self.end),
        };
        let ((lengths, mut failures), bytes) = results.into_said();
        failures.iter_mut().for_each(|(_, why)| *why = why.clone().with_host(host));
        let end = end.map(|why| why.with_host(host));
        (OutcomeSaid { lengths, failures, ran: self.ran, end, printed }, bytes)
    }

    /// The same as it has arrived, of a call of so many items. `None` if it cannot be one.
    pub(crate) fn heard(said: OutcomeSaid, bytes: Vec<u8>, items: usize) -> Option<Self> {
        let results = Results::from_said((said.lengths, said.failures), bytes, items)?;
        if said.end.is_none() && results.len() < items {
            return None;
        }
        let printed = match said.printed {
            Some((stdout, stderr, cut)) => Printed::of(Captured { stdout, stderr, cut }),
            None => Printed::default(),
        };
        Some(Self { results, ran: said.ran, end: said.end, printed, ..Self::default() })
    }
}

/// Why a result that encloses something stays where it is.
fn stays() -> Error {
    let what = "ran, but its result has a `loky::Shared` or a `loky::Fd` in it, which cannot leave its machine";
    Error::new(ErrorKind::Encode, what).having_run().with_advice("return a `Vec`, or a path on a shared file system")
}

fn in_one_piece(captures: &Arc<Parcel>) -> Arc<Parcel> {
    let Some(tail) = &captures.tail else { return Arc::clone(captures) };
    let bytes = [&captures.bytes[..], tail.bytes()].concat();
    Arc::new(Encoded { bytes, row: captures.row, tail: None, enclosed: captures.enclosed.clone() }.into())
}
