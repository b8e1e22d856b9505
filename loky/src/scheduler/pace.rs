//! How fast a worker answers, and how many calls it should hold for that.
//!
//! Measured is the time that a worker was busy, divided by the answers that came in that time. Answers are heard in
//! batches, many of them at one moment, so a single one says nothing: a sample is taken from whole batches that span
//! long enough. What is asked for is a share of time, not of calls, as in guided self-scheduling (Polychronopoulos and
//! Kuck, 1987) and the chunk sizes of its successors; but too large a share is no harm here, since it is taken back.

use std::time::{Duration, Instant};

use super::later;

/// How much work a worker holds ahead: hundreds of times what it takes to wake whoever sends more, which is woken when
/// half of it is done; and short against whatever a person notices.
const WORK_AHEAD: Duration = Duration::from_millis(8);

/// Calls that one worker holds at most. Calls shorter than a microsecond gain nothing from more: a round trip is
/// amortized over a hundred of them by then, and each one held is one more to take back.
pub(super) const CREDIT_MAX: usize = 256;

/// A call that is longer than this gains nothing from lying ready: a round trip is less than a thousandth of it.
const LONG: Duration = Duration::from_millis(20);

/// The shortest busy time that says something.
const SAMPLE: Duration = Duration::from_micros(20);

/// How long an estimate may be wrong before a worker counts as late: a processor that is taken away for a moment, or a
/// batch of answers that has not been heard.
const MARGIN: Duration = Duration::from_micros(25);

/// What is taken back saves at least this, or it is not worth what a recall and a round trip cost (20 and 5 us or so).
const WORTH: Duration = Duration::from_micros(50);

/// While nobody idles: how late a worker must be before calls behind a long one are given to others.
const LATE: Duration = Duration::from_millis(2);

/// By when whoever watches must look again while somebody idles and calls lie ready elsewhere.
pub(super) const WATCH: Duration = Duration::from_micros(75);

/// What is known of one worker.
#[derive(Debug)]
pub(super) struct Pace {
    /// The moving average of the time per call; `None` before the first sample.
    per_call: Option<Duration>,
    /// Since when it is on the call that it runs, as far as is known: since the last answer or, if it had nothing to
    /// do, since a call came.
    since: Instant,
    /// Of the sample under way.
    busy: Duration,
    answers: u32,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self { per_call: None, since: now, busy: Duration::ZERO, answers: 0 }
    }

    /// A call has come to a worker that had nothing to do.
    pub(super) fn begin(&mut self, now: Instant) {
        self.since = now;
    }

    /// An answer has come. Returns whether the estimate is a new one.
    pub(super) fn answered(&mut self, now: Instant) -> bool {
        let is_sampled = now > self.since && self.take_sample(now);
        self.answers += 1;
        is_sampled
    }

    /// Since when it is on the call that it runs.
    pub(super) fn since(&self) -> Instant {
        self.since
    }

    /// How many calls it should hold, the one that it runs included. One ahead is never wrong for long, so it is also
    /// what a worker gets that nothing is known of.
    pub(super) fn credit(&self) -> usize {
        match self.per_call {
            Some(long) if long >= LONG => 1,
            None => 2,
            Some(per_call) => {
                let share = WORK_AHEAD.as_nanos() / per_call.as_nanos().max(1);
                usize::try_from(share).map_or(CREDIT_MAX, |share| share.clamp(2, CREDIT_MAX))
            }
        }
    }

    /// When calls that lie ready are to be taken back from a worker that holds so many, if somebody idles; it may be
    /// in the past. At once if there is much left to do, or if the worker should have done it all by now. In between
    /// it will have done it before anybody else could.
    pub(super) fn recall_for_idle(&self, held: usize, now: Instant) -> Instant {
        let done = self.done(held);
        if self.per_call.is_none() || done >= later(now, WORTH) { now } else { later(done, MARGIN) }
    }

    /// Whether it should have answered so many calls by now; or nobody knows when it should.
    pub(super) fn is_late(&self, held: usize, now: Instant) -> bool {
        self.per_call.is_none() || later(self.done(held), MARGIN) <= now
    }

    /// The same while nobody idles: calls behind a long one must not wait for ever while younger ones are served.
    pub(super) fn recall_for_age(&self, held: usize) -> Instant {
        later(self.done(held), LATE)
    }

    /// When it should have answered so many calls.
    fn done(&self, held: usize) -> Instant {
        let calls = u32::try_from(held).unwrap_or(u32::MAX);
        later(self.since, self.per_call.unwrap_or_default().saturating_mul(calls))
    }

    fn take_sample(&mut self, now: Instant) -> bool {
        let is_enough = self.busy >= SAMPLE && self.answers > 0;
        if is_enough {
            let sample = self.busy / self.answers;
            self.per_call = Some(self.per_call.map_or(sample, |before| (before + sample) / 2));
            (self.busy, self.answers) = (Duration::ZERO, 0);
        }
        self.busy += now.saturating_duration_since(self.since);
        self.since = now;
        is_enough
    }
}
