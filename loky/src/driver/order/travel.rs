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
use crate::shared::passing::{Arrival, Enclosed};
use crate::shared::segment::Segment;
use crate::shared::travel::{NameSaid, numbers};
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
    may_break_off: bool,
    age: Duration,
    /// What its captures and its arguments enclose, by numbers.
    enclosed: [Vec<u64>; 2],
}

/// Why an order that has arrived cannot be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unheard {
    /// It is none.
    Wrong,
    /// There is no memory for what it encloses.
    Lacks,
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
    /// What the results enclose, with how many bytes each; those come behind the results.
    enclosed: Vec<(NameSaid, u64)>,
}

impl Order {
    /// What travels, and the bytes that follow. It was tried so often elsewhere, and spawned so long ago.
    pub(crate) fn said(&self, tries: u32, age: Duration) -> (OrderSaid, Option<Arc<Parcel>>, Payload) {
        let captures = self.captures().map(in_one_piece);
        let said = OrderSaid {
            task: self.task.raw(),
            captures: captures.as_ref().map(|captures| captures.bytes.len() as u64),
            items: match self.items() {
                Items::One => None,
                Items::Many(lengths) => Some((**lengths).clone()),
            },
            // Machines that were lost are no crashes of its own.
            limits: self.limits(),
            tries_before: self.tries_before().saturating_add(tries),
            is_chunk: self.is_chunk(),
            may_break_off: self.may_break_off(),
            age,
            enclosed: [
                self.captures().map(|captures| numbers(captures.enclosed.items())).unwrap_or_default(),
                numbers(self.payload.enclosed()),
            ],
        };
        (said, captures, self.payload.clone().in_one_piece())
    }

    /// The same as it has arrived. `find` finds what it encloses.
    pub(crate) fn heard(
        number: CallId,
        said: OrderSaid,
        bytes: &[u8],
        find: impl Fn(u64) -> Option<Arc<Segment>>,
    ) -> Result<Self, Unheard> {
        let task = TaskId::from_raw(said.task);
        let entry = entry_of(task).ok_or(Unheard::Wrong)?;
        let enclose = |numbers: &[u64]| {
            let segments: Option<Vec<_>> = numbers.iter().map(|&number| find(number)).collect();
            segments.map(Enclosed::of).ok_or(Unheard::Lacks)
        };
        let len = said.captures.map_or(Some(0), |len| usize::try_from(len).ok());
        let (captures, arguments) = len.and_then(|len| bytes.split_at_checked(len)).ok_or(Unheard::Wrong)?;
        let items = match said.items {
            None => Items::One,
            Some(lengths) if lengths.count() > 0 && lengths.are_of(arguments.len()) => Items::Many(Box::new(lengths)),
            Some(_) => return Err(Unheard::Wrong),
        };
        let [of_captures, of_arguments] = &said.enclosed;
        let captures = match said.captures {
            None => None,
            Some(_) => {
                let enclosed = enclose(of_captures)?;
                Some(Arc::new(Parcel::from(Encoded { bytes: captures.to_vec(), enclosed, ..Encoded::NONE })))
            }
        };
        let payload = match of_arguments.is_empty() {
            true => Payload::copy(arguments),
            false => {
                let enclosed = enclose(of_arguments)?;
                Encoded { bytes: arguments.to_vec(), enclosed, ..Encoded::NONE }.into()
            }
        };
        let extra = Extra {
            captures,
            items,
            limits: said.limits,
            tries_before: said.tries_before,
            is_chunk: said.is_chunk,
            may_break_off: said.may_break_off,
            elsewhere: Some((number, said.age)),
            ..Extra::default()
        };
        Ok(Self { task, entry, payload, extra: Some(Box::new(extra)) })
    }
}

impl Outcome {
    /// What travels, and what follows: the results, and what they enclose. It comes from the machine `host`.
    pub(crate) fn said(mut self, host: &str) -> (OutcomeSaid, Payload, Vec<Arc<Segment>>) {
        let printed = std::mem::take(&mut self.printed).into_captured();
        let printed = (printed != Captured::default()).then_some((printed.stdout, printed.stderr, printed.cut));
        let (results, arrivals) = self.results.split();
        let (results, enclosed, end) = match arrivals.map_or(Ok(Vec::new()), |arrivals| arrivals.said()) {
            Ok(enclosed) => (results, enclosed, self.end),
            Err(why) => (Results::default(), Vec::new(), Some(self.end.unwrap_or_else(|| stays(&why)))),
        };
        let ((lengths, mut failures), bytes) = results.into_said();
        failures.iter_mut().for_each(|(_, why)| *why = why.clone().with_host(host));
        let end = end.map(|why| why.with_host(host));
        let (names, segments): (Vec<_>, Vec<_>) =
            enclosed.into_iter().map(|(name, segment)| ((name, segment.contents().len() as u64), segment)).unzip();
        (OutcomeSaid { lengths, failures, ran: self.ran, end, printed, enclosed: names }, bytes, segments)
    }

    /// The same as it has arrived, of this call. `None` if it cannot be one.
    pub(crate) fn heard(said: OutcomeSaid, mut bytes: Vec<u8>, order: &Order) -> Option<Self> {
        let items = order.items().len();
        let mut arrivals = Vec::new();
        for &(name, len) in said.enclosed.iter().rev() {
            let start = bytes.len().checked_sub(usize::try_from(len).ok()?)?;
            // Without memory for it, the result cannot be decoded, and says so.
            arrivals.extend(Arrival::heard(name, &bytes[start..]));
            bytes.truncate(start);
        }
        let mut results = Results::from_said((said.lengths, said.failures), bytes, items)?;
        let is_whole = results.len() == items || order.may_break_off() && results.len() > 0;
        if said.end.is_none() && !is_whole {
            return None;
        }
        if !arrivals.is_empty() {
            results.enclose(arrivals);
        }
        let printed = match said.printed {
            Some((stdout, stderr, cut)) => Printed::of(Captured { stdout, stderr, cut }),
            None => Printed::default(),
        };
        Some(Self { results, ran: said.ran, end: said.end, printed, ..Self::default() })
    }
}

/// Why a result with what it encloses stays where it is.
fn stays(why: &str) -> Error {
    let what = format!("ran, but what its result encloses cannot leave its machine: {why}");
    Error::new(ErrorKind::Encode, what)
        .having_run()
        .with_advice("return what is in it, or a path on a shared file system")
}

fn in_one_piece(captures: &Arc<Parcel>) -> Arc<Parcel> {
    let Some(tail) = &captures.tail else { return Arc::clone(captures) };
    let bytes = [&captures.bytes[..], tail.bytes()].concat();
    Arc::new(Encoded { bytes, row: captures.row, tail: None, enclosed: captures.enclosed.clone() }.into())
}
