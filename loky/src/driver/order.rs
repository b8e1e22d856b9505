//! What is asked of the driver, and what comes of it: a call of one item or many, and an outcome.

#[cfg(feature = "cluster")]
mod travel;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

#[cfg(feature = "cluster")]
pub(crate) use self::travel::{OrderSaid, OutcomeSaid, Unheard};
use super::captured::Captured;
use super::lengths::Lengths;
use super::printed::Printed;
use super::results::{Results, Value};
use crate::config::Settings;
use crate::error::{Error, ErrorKind};
use crate::ids::{CallId, TaskId};
use crate::logs::Trace;
use crate::oneshot::Cell;
use crate::scheduler::Terms;
use crate::shared::passing::Item;
use crate::task::{Entry, TaskRef};
use crate::transport::payload::Payload;
use crate::wire::body::Parcel;

/// A call, ready to be sent: a task, and the encoded arguments of each item. Small, for millions may wait.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) task: TaskId,
    entry: &'static Entry,
    /// The arguments of all items, one after the other.
    pub(crate) payload: Payload,
    /// `None` of a plain one.
    extra: Option<Box<Extra>>,
}

/// What only some orders have.
#[derive(Debug, Default)]
struct Extra {
    captures: Option<Arc<Parcel>>,
    items: Items,
    limits: Limits,
    tries_before: u32,
    is_chunk: bool,
    may_break_off: bool,
    trace: Trace,
    /// Of a call that was spawned elsewhere: its number, and how long ago that was.
    #[cfg(feature = "cluster")]
    elsewhere: Option<(CallId, Duration)>,
}

/// Of which items a call is made.
#[derive(Debug, Default)]
pub(crate) enum Items {
    /// One, with all of the payload.
    #[default]
    One,
    /// At least one, each with so many bytes of the payload.
    Many(Box<Lengths>),
}

/// What a call is limited by. Durations count from the submission, but for the timeout: that counts from the start of
/// the run.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Limits {
    pub(crate) timeout: Option<Duration>,
    pub(crate) queue_timeout: Option<Duration>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) retries: Option<u32>,
    pub(crate) priority: i32,
}

/// Where the outcome of a call lands. By its address: the place is small while the call waits.
pub(crate) type OutcomeCell = Cell<Box<Outcome>>;

/// What came of a call: the items that are done, and what ended it before the others were. No error, and fewer items than
/// it has, if it [has broken off](Order::that_may_break_off).
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) results: Results,
    /// How long the items ran together, if that was asked for.
    pub(crate) ran: Duration,
    pub(crate) end: Option<Error>,
    /// What it has printed, if that was kept.
    pub(super) printed: Printed,
    /// The span of the call.
    trace: Trace,
}

impl Order {
    pub(crate) fn new(task: TaskRef, payload: Payload, items: Items, limits: Limits) -> Self {
        let TaskRef { id, entry, captures } = task;
        let is_plain = captures.is_none() && matches!(items, Items::One) && limits.are_none();
        let extra = || Box::new(Extra { captures, items, limits, ..Extra::default() });
        Self { task: id, entry, payload, extra: (!is_plain).then(extra) }
    }

    /// The same as a part of something larger: it shall be told how long the items ran, and somebody waits for the
    /// outcome. The first item has been tried so often in earlier calls.
    pub(crate) fn into_chunk(mut self, tries_before: u32) -> Self {
        let extra = self.extra.get_or_insert_default();
        (extra.is_chunk, extra.tries_before) = (true, tries_before);
        self
    }

    /// The same as one whose last items may be left alone if those before them take long: then there are as many results
    /// as items that ran, and no error.
    pub(crate) fn that_may_break_off(mut self) -> Self {
        self.extra.get_or_insert_default().may_break_off = true;
        self
    }

    /// It is being spawned on this thread, and is a span of what listens there.
    pub(crate) fn traced(mut self) -> Self {
        let trace = Trace::begin(self.entry.name);
        if !trace.is_none() {
            self.extra.get_or_insert_default().trace = trace;
        }
        self
    }

    /// Its span.
    pub(crate) fn trace(&self) -> Trace {
        self.extra.as_ref().map(|extra| extra.trace.clone()).unwrap_or_default()
    }

    /// Whether it shall be told how long it ran.
    pub(super) fn is_measured(&self) -> bool {
        self.extra.as_ref().is_some_and(|extra| extra.is_chunk || !extra.trace.is_none())
    }

    pub(crate) fn task_name(&self) -> &'static str {
        self.entry.name
    }

    pub(crate) fn entry(&self) -> &'static Entry {
        self.entry
    }

    pub(crate) fn items(&self) -> &Items {
        self.extra.as_ref().map_or(&Items::One, |extra| &extra.items)
    }

    pub(super) fn captures(&self) -> Option<&Arc<Parcel>> {
        self.extra.as_ref()?.captures.as_ref()
    }

    /// How many bytes of arguments it has.
    pub(crate) fn bytes(&self) -> usize {
        self.payload.len()
    }

    pub(crate) fn limits(&self) -> Limits {
        self.extra.as_ref().map(|extra| extra.limits).unwrap_or_default()
    }

    /// Tries that the first item has already had in earlier calls.
    pub(super) fn tries_before(&self) -> u32 {
        self.extra.as_ref().map_or(0, |extra| extra.tries_before)
    }

    /// Whether it is one of those that [a larger whole](Self::into_chunk) consists of.
    pub(super) fn is_chunk(&self) -> bool {
        self.extra.as_ref().is_some_and(|extra| extra.is_chunk)
    }

    pub(super) fn may_break_off(&self) -> bool {
        self.extra.as_ref().is_some_and(|extra| extra.may_break_off)
    }

    /// Whether it is one item of which nothing more is asked than its result, and that is not a closure's.
    pub(super) fn is_plain(&self) -> bool {
        self.extra.as_ref().is_none_or(|extra| {
            let is_said_all = extra.captures.is_none() && extra.tries_before == 0 && !extra.is_chunk;
            matches!(extra.items, Items::One) && is_said_all && extra.limits.timeout.is_none() && extra.trace.is_none()
        })
    }

    /// Whether all that the scheduler has to know of it is that it is there.
    pub(super) fn is_on_plain_terms(&self) -> bool {
        self.extra.as_ref().is_none_or(|extra| matches!(extra.items, Items::One) && extra.limits.are_none())
    }

    /// Whether its end, or that of an item, may come by the clock: then it is heard of at once what it has done.
    pub(super) fn is_timed(&self) -> bool {
        self.extra.as_ref().is_some_and(|extra| extra.limits.are_timed())
    }

    /// Whether anything goes with it beside its bytes.
    #[inline]
    pub(super) fn has_enclosed(&self) -> bool {
        !self.payload.enclosed().is_empty() || self.has_captured()
    }

    /// Whether to drop it may take long.
    #[inline]
    pub(super) fn is_heavy(&self) -> bool {
        self.payload.is_heavy() || self.has_captured()
    }

    /// Whether anything goes with its captures beside their bytes.
    #[inline]
    fn has_captured(&self) -> bool {
        self.captures().is_some_and(|captures| !captures.enclosed.is_empty())
    }

    /// What goes with it beside its bytes.
    pub(crate) fn enclosed(&self) -> impl Iterator<Item = &Item> {
        let captures = self.captures().map_or(&[][..], |captures| captures.enclosed.items());
        captures.iter().chain(self.payload.enclosed())
    }

    /// Where the arguments of item number `first` begin in the payload.
    pub(super) fn offset_of(&self, first: usize) -> usize {
        match self.items() {
            Items::One => 0,
            Items::Many(lengths) => lengths.start(first),
        }
    }

    /// Its number, if it has one: that of a call that was spawned elsewhere.
    #[cfg(feature = "cluster")]
    pub(super) fn number(&self) -> Option<CallId> {
        Some(self.extra.as_ref()?.elsewhere?.0)
    }

    /// The same: nothing comes from elsewhere.
    #[cfg(not(feature = "cluster"))]
    pub(super) const fn number(&self) -> Option<CallId> {
        None
    }

    /// How long ago it was spawned, if that was elsewhere.
    #[cfg(feature = "cluster")]
    fn age(&self) -> Duration {
        self.extra.as_ref().and_then(|extra| extra.elsewhere).map_or(Duration::ZERO, |(_, age)| age)
    }

    /// The same: nothing comes from elsewhere.
    #[cfg(not(feature = "cluster"))]
    const fn age(&self) -> Duration {
        Duration::ZERO
    }

    /// What the scheduler is told.
    pub(super) fn terms(&self, now: Instant) -> Terms {
        let limits = self.limits();
        let spawned = now.checked_sub(self.age()).unwrap_or(now);
        Terms {
            priority: limits.priority,
            retries: limits.retries.unwrap_or(0),
            run_limit: limits.timeout,
            queue_deadline: limits.queue_timeout.and_then(|limit| spawned.checked_add(limit)),
            deadline: limits.deadline.and_then(|limit| spawned.checked_add(limit)),
            items: u32::try_from(self.items().len()).unwrap_or(u32::MAX),
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
        self.printed.show();
    }

    /// What the call has printed, which is then not printed by anybody else.
    pub(crate) fn take_captured(&mut self) -> Captured {
        std::mem::take(&mut self.printed).into_captured()
    }

    /// Takes over the span of its call, which is open until what has come of it is decoded, or gone.
    pub(crate) fn keep(&mut self, trace: Trace) {
        self.trace = trace;
    }

    /// The span of its call.
    pub(crate) fn take_trace(&mut self) -> Trace {
        std::mem::take(&mut self.trace)
    }

    /// What kind of failure a call of one item has ended in, if it has no result.
    pub(crate) fn kind_of_failure(&self) -> Option<ErrorKind> {
        self.end.as_ref().or_else(|| self.results.single_failure()).map(Error::kind)
    }

    /// The result of a call of one item, which is then here no more.
    pub(crate) fn take_single(&mut self) -> Result<Value, Error> {
        match self.end.take() {
            Some(why) => Err(why),
            None => {
                let results = std::mem::take(&mut self.results);
                results.into_single().expect("a call that was not cut short has all its results")
            }
        }
    }
}
