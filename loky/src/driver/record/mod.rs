//! Notes when calls are spawned, sent, begun and ended: the one seam between the driver and all that shows what happens.
//!
//! Only if somebody looks: a pool that keeps no timings has no record, and each note is a branch. Notes are taken under
//! the driver's lock, and cost no more than a look at the clock and a few words of memory; whoever writes text, files or
//! metrics has them from a [`ledger`] and does that outside ([`scribe`]).
//!
//! When a call began and how long it ran is what its worker says; it is believed as far as it is possible. Of a worker
//! that cannot say it any more, it is known when it could have begun, and when its death was heard.

mod files;
mod ledger;
mod past;
mod scribe;

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use self::ledger::Ledger;
pub(super) use self::past::Past;
use self::scribe::Scribe;
use super::inner::{Inner, Pending};
use super::{Driver, clock, evidence};
use crate::config::Settings;
use crate::env;
use crate::error::Error;
use crate::ids::{Attempt, CallKey, WorkerId};
use crate::observe::{Ended, Ending, Fact, Failure, Run, Sample, TaskStats, Tasks};
use crate::scheduler::{Try, Why};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// Of the calls that have not ended, each in its own slot.
    times: Vec<Times>,
    tasks: Tasks,
    /// Where facts go, if anybody shows them.
    ledger: Option<Arc<Ledger>>,
    scribe: Option<JoinHandle<()>>,
    /// The last sample, and when bytes were counted for it.
    sampled: (u64, Sample),
    /// Whether errors are shown in words.
    tells_failures: bool,
}

/// When what happened to one call; zero for what has not.
#[derive(Clone, Copy, Debug, Default)]
struct Times {
    spawned: u64,
    /// Since when it could begin: then it was spawned, or its last try has ended.
    queued: u64,
    /// Of the last try: when it was sent, to whom, and what was said of its run.
    sent: u64,
    began: u64,
    ended: u64,
    worker: Option<(WorkerId, usize, u32)>,
    attempt: u32,
}

/// Bytes are counted so seldom, in nanoseconds.
const COUNT_EVERY: u64 = 1_000_000;

impl Record {
    /// `None` if nobody looks.
    pub(super) fn of(settings: &Settings) -> Option<Box<Self>> {
        let (has_trace, has_report) = (env::trace().is_some(), env::report().is_some());
        let is_shown = has_trace || has_report || cfg!(feature = "metrics");
        let is_wanted = settings.timings.unwrap_or(is_shown) || has_trace || has_report;
        let record = || Self { ledger: is_shown.then(Arc::default), tells_failures: has_report, ..Self::default() };
        is_wanted.then(|| Box::new(record()))
    }

    pub(super) fn tasks(&self) -> Vec<TaskStats> {
        self.tasks.stats()
    }

    /// For how long the call has waited.
    pub(super) fn waited(&self, call: CallKey) -> Option<Duration> {
        let times = self.times.get(call.slot as usize)?;
        Some(Duration::from_nanos(clock::moment().saturating_sub(times.spawned)))
    }

    /// A worker says when the call began, and how long it ran.
    pub(super) fn told_time(&mut self, call: CallKey, began: u64, nanos: u64) {
        if let Some(times) = self.times.get_mut(call.slot as usize) {
            (times.began, times.ended) = (began, began.saturating_add(nanos));
        }
    }

    fn tell(&self, fact: Fact) {
        if let Some(ledger) = &self.ledger {
            ledger.add(fact);
        }
    }
}

impl Driver {
    /// What is noted is shown from now on, if that is wanted: the pool has its first call.
    pub(super) fn begin_record(&self) {
        let (ledger, name) = {
            let inner = self.inner.lock();
            let ledger = inner.record.as_ref().and_then(|record| record.ledger.clone());
            (ledger, inner.settings.name.clone())
        };
        let Some(ledger) = ledger else { return };
        let scribe = Scribe::start(ledger, &name);
        if let Some(record) = &mut self.inner.lock().record {
            record.ledger = record.ledger.take().filter(|_| scribe.is_some());
            record.scribe = scribe;
        }
    }

    /// The pool has ended: what is left to be shown is shown.
    pub(super) fn end_record(&self) {
        let mut inner = self.inner.lock();
        let Some(record) = &mut inner.record else { return };
        record.ledger.take().into_iter().for_each(|ledger| ledger.end());
        let scribe = record.scribe.take();
        drop(inner);
        // One that has panicked has said so.
        let _ = scribe.map(JoinHandle::join);
    }
}

impl Times {
    /// What its worker did for it in this try, if that has not been told. Nothing ran before it was sent, or before
    /// the run `before` had ended.
    fn run(&self, before: u64, now: u64) -> Option<Run> {
        let (_, index, pid) = self.worker.filter(|_| self.sent > 0)?;
        let earliest = self.sent.max(before).min(now);
        let began = if self.began > 0 { self.began.clamp(earliest, now) } else { earliest };
        let ended = if self.ended > 0 { self.ended.clamp(began, now) } else { now };
        Some(Run { index, pid, attempt: self.attempt, queued: self.queued.min(began), began, ended })
    }
}

impl Inner {
    #[inline]
    pub(super) fn note_spawned(&mut self, call: CallKey) {
        if self.record.is_some() {
            self.spawned_at(call, clock::moment());
        }
    }

    #[inline(never)]
    fn spawned_at(&mut self, call: CallKey, now: u64) {
        let Some(record) = &mut self.record else { return };
        let slot = call.slot as usize;
        if record.times.len() <= slot {
            record.times.resize(slot + 1, Times::default());
        }
        record.times[slot] = Times { spawned: now, queued: now, ..Times::default() };
    }

    /// Calls have come or gone: how long is the queue now?
    #[inline]
    pub(super) fn note_queue(&mut self) {
        if self.record.as_ref().is_some_and(|record| record.ledger.is_some()) {
            self.sample(clock::moment());
        }
    }

    /// The call is about to be sent.
    #[inline]
    pub(super) fn note_dispatched(&mut self, call: CallKey, attempt: Attempt, worker: WorkerId) {
        if self.record.is_some() {
            self.dispatched_at(call, attempt, worker, clock::moment());
        }
    }

    #[inline(never)]
    fn dispatched_at(&mut self, call: CallKey, attempt: Attempt, worker: WorkerId, now: u64) {
        if self.record.as_ref().is_some_and(|record| record.times[call.slot as usize].ended > 0) {
            // Its worker has given it up half way, and somebody else goes on.
            self.end_try(call, now);
        }
        let (index, pid) = evidence::place(self, worker);
        let Some(record) = &mut self.record else { return };
        let times = &mut record.times[call.slot as usize];
        let Times { spawned, queued, .. } = *times;
        let worker = Some((worker, index, pid));
        *times = Times { spawned, queued, sent: now, worker, attempt: attempt.get(), ..Times::default() };
    }

    /// The call has been delivered.
    #[inline]
    pub(super) fn note_delivered(&mut self, call: CallKey, pending: &Pending) {
        if self.record.is_none() {
            return;
        }
        let failure = pending.outcome.as_ref().and_then(|outcome| outcome.results.any_failure());
        let is_only = pending.order.items().len() == 1;
        let ending = match failure {
            _ if pending.has_succeeded() => Ending::Succeeded,
            Some(error) if is_only => Ending::Failed(Some(error.kind())),
            _ => Ending::Failed(None),
        };
        self.ended((call, pending.done()), pending, ending, true, failure);
    }

    /// The call has been settled with this error.
    #[inline]
    pub(super) fn note_settled(&mut self, call: CallKey, pending: &Pending, why: Why, error: &Error) {
        let Some(record) = &self.record else { return };
        let attempt = record.times.get(call.slot as usize).map_or(0, |times| times.attempt);
        let has_run = why.tried().is_some_and(|Try { attempt: tried, .. }| tried.get() == attempt);
        let items = pending.order.items().len();
        self.ended((call, items), pending, Ending::Failed(Some(error.kind())), has_run, Some(error));
    }

    #[inline(never)]
    fn ended(
        &mut self,
        (call, items): (CallKey, usize),
        pending: &Pending,
        ending: Ending,
        has_run: bool,
        why: Option<&Error>,
    ) {
        let now = clock::moment();
        let run = if has_run { self.run_of(call, now) } else { None };
        let Some(record) = &self.record else { return };
        let failure = why.filter(|_| record.tells_failures).map(|error| {
            Box::new(Failure { text: error.to_string(), stderr_tail: error.stderr_tail().map(str::to_string) })
        });
        self.tell_end(call, pending.order.task_name(), items, (run, ending, failure), now);
        self.sample(now);
    }

    /// The worker that has begun this call is dead, and the call goes on without it.
    pub(super) fn note_cut_short(&mut self, cut: Option<Cut>) {
        let Some(Cut { call, times }) = cut else { return };
        let Some(pending) = self.calls.get(call) else { return };
        let (task, items, now) = (pending.order.task_name(), pending.order.items().len(), clock::moment());
        let Some(record) = &mut self.record else { return };
        // It may have been sent to another worker meanwhile.
        let current = std::mem::replace(&mut record.times[call.slot as usize], times);
        let run = self.run_of(call, now);
        self.tell_end(call, task, items, (run, Ending::TriedAgain, None), now);
        let Some(record) = &mut self.record else { return };
        let is_sent = current.attempt != times.attempt;
        let waiting = Times { spawned: times.spawned, ..Times::default() };
        record.times[call.slot as usize] = Times { queued: now, ..if is_sent { current } else { waiting } };
    }

    /// What is to be remembered of the call that a dead worker has begun, until it is known what becomes of it.
    pub(super) fn about_to_cut(&mut self, begun: Option<CallKey>) -> Option<Cut> {
        let call = begun?;
        let left = self.record.as_mut()?.times.get_mut(call.slot as usize)?;
        let times = *left;
        // It is not its worker that has given it up.
        left.ended = 0;
        Some(Cut { call, times })
    }

    fn end_try(&mut self, call: CallKey, now: u64) {
        let Some(pending) = self.calls.get(call) else { return };
        let (task, items) = (pending.order.task_name(), pending.order.items().len());
        let run = self.run_of(call, now);
        self.tell_end(call, task, items, (run, Ending::Continued, None), now);
        if let Some(record) = &mut self.record {
            record.times[call.slot as usize].queued = now;
        }
    }

    /// What the last try of the call comes to, which is then told.
    fn run_of(&mut self, call: CallKey, now: u64) -> Option<Run> {
        let times = self.record.as_mut()?.times.get_mut(call.slot as usize)?;
        let past = times.worker.and_then(|(worker, ..)| self.workers.get_mut(&worker)).map(|worker| &mut worker.past);
        let run = times.run(past.as_ref().map_or(0, |past| past.last_ended), now);
        times.sent = 0;
        if let Some((past, run)) = past.zip(run) {
            past.ran(&run);
        }
        run
    }

    fn tell_end(
        &mut self,
        call: CallKey,
        task: &'static str,
        items: usize,
        (run, ending, failure): (Option<Run>, Ending, Option<Box<Failure>>),
        now: u64,
    ) {
        let Some(record) = &mut self.record else { return };
        let items = u32::try_from(items).unwrap_or(u32::MAX);
        if let Some(run) = run {
            record.tasks.add(task, items, run.spans());
        }
        if record.ledger.is_some() {
            let spawned = record.times.get(call.slot as usize).map_or(now, |times| times.spawned);
            let call = call.id.raw();
            record.tell(Fact::Ended(Ended { call, task, items, spawned, at: now, run, ending, failure }));
        }
    }

    /// Tells how things are. Bytes are counted now and then only, worker by worker.
    #[inline(never)]
    pub(super) fn sample(&mut self, now: u64) {
        let Some(Record { ledger: Some(ledger), sampled, .. }) = self.record.as_deref() else { return };
        let &(counted, Sample { sent, received, .. }) = sampled;
        let is_due = now.saturating_sub(counted) >= COUNT_EVERY || self.calls.len() == 0;
        let (counted, [sent, received]) = if is_due { (now, self.traffic()) } else { (counted, [sent, received]) };
        let queued = self.scheduler.queued();
        let running = self.calls.len().saturating_sub(queued);
        let (live, idle) = (self.scheduler.live(), self.scheduler.idle());
        let sample = Sample { queued, running, live, idle, sent, received };
        ledger.add_sample(now, sample);
        self.record.iter_mut().for_each(|record| record.sampled = (counted, sample));
    }
}

/// A call whose worker is dead.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    call: CallKey,
    times: Times,
}

impl Why {
    /// The last try that may have begun.
    fn tried(self) -> Option<Try> {
        match self {
            Self::Crashed(tried) | Self::RanTooLong(tried) | Self::Outgrew(tried) => Some(tried),
            Self::Cancelled(tried)
            | Self::DeadlinePassed(tried)
            | Self::CannotLaunch(tried)
            | Self::ShutDown(tried) => tried,
            Self::QueuedTooLong => None,
        }
    }
}
