//! A call as a span of the program that has spawned it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tracing::field::Empty;
use tracing::level_filters::LevelFilter;
use tracing::{Dispatch, Span, dispatcher, info_span};

use crate::error::ErrorKind;
use crate::ids::CallId;

/// The span of a call; of none, if nothing listens where it was spawned. A clone is the same one, and what listens does not
/// hear of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace(Option<Arc<Call>>);

#[derive(Debug)]
struct Call {
    /// If that is not wanted: the span in which it was spawned.
    span: Span,
    is_own: bool,
    /// What listens where it was spawned.
    dispatch: Dispatch,
    spawned: Instant,
    /// How many microseconds later its worker had nothing else to do; 0 if it never came to that.
    queued: AtomicU64,
}

impl Trace {
    /// A call of `task` is being spawned on this thread.
    pub(crate) fn begin(task: &'static str) -> Self {
        if LevelFilter::current() == LevelFilter::OFF {
            return Self(None);
        }
        Self::begin_heard(task)
    }

    #[inline(never)]
    fn begin_heard(task: &'static str) -> Self {
        let dispatch = dispatcher::get_default(Dispatch::clone);
        let span = info_span!(
            target: "loky",
            "call",
            task,
            call = Empty,
            worker = Empty,
            pid = Empty,
            attempt = Empty,
            queue_us = Empty,
            run_us = Empty,
            decode_us = Empty,
            outcome = Empty,
        );
        let is_own = !span.is_disabled();
        let span = if is_own { span } else { Span::current() };
        Self(Some(Arc::new(Call { span, is_own, dispatch, spawned: Instant::now(), queued: AtomicU64::new(0) })))
    }

    pub(crate) const fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// What listens to it; `None` if nothing does.
    pub(super) fn dispatch(&self) -> Option<&Dispatch> {
        self.0.as_ref().map(|call| &call.dispatch)
    }

    /// In what its worker's spans and events are.
    pub(super) fn id(&self) -> Option<tracing::Id> {
        self.0.as_ref()?.span.id()
    }

    /// The span, if it is the call's own.
    fn own(&self) -> Option<&Span> {
        self.0.as_ref().filter(|call| call.is_own).map(|call| &call.span)
    }

    /// A worker that has it has nothing else to do now.
    pub(crate) fn begin_run(&self) {
        if let Some(call) = &self.0 {
            call.queued.store(micros(call.spawned.elapsed()), Ordering::Relaxed);
        }
    }

    /// It was sent to a worker.
    pub(super) fn sent(&self, call: CallId, [worker, pid, attempt]: [u64; 3]) {
        let Some(span) = self.own() else { return };
        span.record("call", call.raw()).record("worker", worker).record("pid", pid).record("attempt", attempt);
    }

    /// It has ended; `ran`: how long it ran, if it has told that.
    pub(super) fn ended(&self, ran: Duration, failure: Option<ErrorKind>) {
        let Some(span) = self.own() else { return };
        let queued = self.0.as_ref().map_or(0, |call| call.queued.load(Ordering::Relaxed));
        if queued > 0 {
            span.record("queue_us", queued);
        }
        if !ran.is_zero() {
            span.record("run_us", micros(ran));
        }
        match failure {
            Some(kind) => span.record("outcome", tracing::field::debug(kind)),
            None => span.record("outcome", "ok"),
        };
    }

    /// What `decode` makes of its result, which takes so long.
    #[inline]
    pub(crate) fn decoding<T>(&self, decode: impl FnOnce() -> T) -> T {
        let Some(span) = self.own() else { return decode() };
        let begun = Instant::now();
        let decoded = decode();
        span.record("decode_us", micros(begun.elapsed()));
        decoded
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
