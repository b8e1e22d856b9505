//! What is asked of the driver, and what comes of it: a call of one item or many, and an outcome.

use std::time::{Duration, Instant};

use super::captured::Captured;
use super::lengths::Lengths;
use super::printed::Printed;
use super::results::{Results, Value};
use crate::config::Settings;
use crate::error::Error;
use crate::oneshot::Cell;
use crate::scheduler::Terms;
use crate::shared::passing::Item;
use crate::task::TaskRef;
use crate::transport::payload::Payload;

/// A call, ready to be sent: a task, and the encoded arguments of each item.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) task: TaskRef,
    /// The arguments of all items, one after the other.
    pub(crate) payload: Payload,
    pub(crate) items: Items,
    /// `None` of a call that is limited by nothing.
    limits: Option<Box<Limits>>,
    /// Tries that the first item has already had in earlier calls.
    pub(crate) tries_before: u32,
    /// Whether it shall be told how long the items ran.
    pub(crate) is_measured: bool,
    /// Whether somebody waits for the outcome, and should not wait longer than it takes.
    pub(crate) is_awaited: bool,
}

/// Of which items a call is made.
#[derive(Debug)]
pub(crate) enum Items {
    /// One, with all of the payload.
    One,
    /// At least one, each with so many bytes of the payload.
    Many(Box<Lengths>),
}

/// What a call is limited by. Durations count from the submission, but for the timeout: that counts from the start of
/// the run.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limits {
    pub(crate) timeout: Option<Duration>,
    pub(crate) queue_timeout: Option<Duration>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) retries: Option<u32>,
    pub(crate) priority: i32,
}

/// Where the outcome of a call lands. By its address: the place is small while the call waits.
pub(crate) type OutcomeCell = Cell<Box<Outcome>>;

/// What came of a call: the items that are done, and what ended it before the others were.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) results: Results,
    /// How long the items ran together, if that was asked for.
    pub(crate) ran: Duration,
    pub(crate) end: Option<Error>,
    /// What it has printed, if that was kept.
    pub(super) printed: Printed,
}

impl Order {
    pub(crate) fn new(task: TaskRef, payload: Payload, items: Items, limits: Limits) -> Self {
        let limits = (!limits.are_none()).then(|| Box::new(limits));
        Self { task, payload, items, limits, tries_before: 0, is_measured: false, is_awaited: false }
    }

    pub(super) fn limits(&self) -> Limits {
        self.limits.as_deref().copied().unwrap_or_default()
    }

    /// Whether it is one item of which nothing more is asked than its result, and that is not a closure's.
    pub(super) fn is_plain(&self) -> bool {
        let is_said_all = self.task.captures.is_none() && self.tries_before == 0 && !self.is_measured;
        matches!(self.items, Items::One) && is_said_all && self.limits().timeout.is_none()
    }

    /// Whether all that the scheduler has to know of it is that it is there.
    pub(super) fn is_on_plain_terms(&self) -> bool {
        self.limits.is_none() && matches!(self.items, Items::One)
    }

    /// Whether its end, or that of an item, may come by the clock: then it is heard of at once what it has done.
    pub(super) fn is_timed(&self) -> bool {
        self.limits.as_ref().is_some_and(|limits| limits.are_timed())
    }

    /// Whether anything goes with it beside its bytes.
    #[inline]
    pub(super) fn has_enclosed(&self) -> bool {
        let of_captures = || self.task.captures.as_ref().is_some_and(|captures| !captures.enclosed.is_empty());
        !self.payload.enclosed().is_empty() || of_captures()
    }

    /// What goes with it beside its bytes.
    pub(super) fn enclosed(&self) -> impl Iterator<Item = &Item> {
        let captures = self.task.captures.as_ref().map_or(&[][..], |captures| captures.enclosed.items());
        captures.iter().chain(self.payload.enclosed().items())
    }

    /// Where the arguments of item number `first` begin in the payload.
    pub(super) fn offset_of(&self, first: usize) -> usize {
        match &self.items {
            Items::One => 0,
            Items::Many(lengths) => lengths.start(first),
        }
    }

    /// What the scheduler is told.
    pub(super) fn terms(&self, now: Instant) -> Terms {
        let limits = self.limits();
        Terms {
            priority: limits.priority,
            retries: limits.retries.unwrap_or(0),
            run_limit: limits.timeout,
            queue_deadline: limits.queue_timeout.and_then(|limit| now.checked_add(limit)),
            deadline: limits.deadline.and_then(|limit| now.checked_add(limit)),
            items: u32::try_from(self.items.len()).unwrap_or(u32::MAX),
        }
    }
}

impl Items {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::One => 1,
            Self::Many(lengths) => lengths.count(),
        }
    }

    /// How many bytes each of them has, if they are alike.
    pub(super) fn alike(&self) -> Option<usize> {
        match self {
            Self::One => None,
            Self::Many(lengths) => lengths.alike(),
        }
    }
}

impl Limits {
    fn are_timed(&self) -> bool {
        self.timeout.or(self.queue_timeout).or(self.deadline).is_some()
    }

    fn are_none(&self) -> bool {
        !self.are_timed() && self.retries.unwrap_or(0) == 0 && self.priority == 0
    }

    /// The same, with the defaults of `task` and then of the pool where nothing was asked for.
    pub(crate) fn or_defaults(self, task: &TaskRef, pool: &Settings) -> Self {
        let task = task.entry;
        let task_retries = (task.retries > 0).then_some(task.retries);
        Self {
            timeout: self.timeout.or(task.timeout).or(pool.timeout),
            retries: self.retries.or(task_retries).or(Some(pool.retries)),
            ..self
        }
    }
}

impl Outcome {
    /// A call that ended before it began.
    pub(crate) fn failed(why: Error) -> Self {
        Self { end: Some(why), ..Self::default() }
    }

    /// Prints what the call has printed, on the calling thread, as if the task had run there. For whoever receives the
    /// outcome, before anything else.
    pub(crate) fn show_printed(&mut self) {
        std::mem::take(&mut self.printed).show();
    }

    /// What the call has printed, which is then not printed by anybody else.
    pub(crate) fn take_captured(&mut self) -> Captured {
        std::mem::take(&mut self.printed).into_captured()
    }

    /// The result of a call of one item.
    pub(crate) fn into_single(self) -> Result<Value, Error> {
        match self.end {
            Some(why) => Err(why),
            None => self.results.into_single().expect("a call that was not cut short has all its results"),
        }
    }
}
