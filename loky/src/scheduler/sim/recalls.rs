//! What the ledger knows of recalls: who may be asked for one, what it gives back, and that there are no storms.

use std::time::{Duration, Instant};

use super::super::blame::DEATHS_BEFORE_BEGUN_MAX;
use super::ledger::{CallRecord, Ledger, Stage, WorkerRecord};
use crate::ids::{CallKey, WorkerId};

/// Whoever lies ready behind another for this long and longer may be taken back, whoever idles.
const LATE: Duration = Duration::from_millis(2);

impl Ledger {
    /// The scheduler wants a worker's calls back.
    pub(super) fn recall(&mut self, id: WorkerId, now: Instant) {
        let worker = id.0 as usize;
        let record = &self.workers[worker];
        assert!(
            record.stage == Stage::Ready && !record.is_recalling,
            "only a worker that serves is recalled: {record:?}"
        );
        let may_end = |&call: &usize| self.calls[call].must_end(now) || self.calls[call].asked.is_some();
        let must_one_end = record.held.iter().any(may_end);
        if !must_one_end && !self.is_forced() && !self.is_interrupted() {
            assert!(!record.ahead().is_empty(), "nothing is there to be taken back");
            assert!(self.has_reason(record, now), "calls are taken back for a reason: {record:?}");
        }
        // What was taken back last time may only come again as answers come, so this bounds both.
        assert!(record.ahead().len() <= record.answers, "a storm: more is taken back than was answered: {record:?}");
        self.workers[worker].is_recalling = true;
    }

    /// Something has happened. What is wanted because of a surplus may be wanted of several workers, and only the
    /// first of them be one too many.
    pub(super) fn note_surplus(&mut self) {
        self.had_surplus = self.has_surplus();
    }

    fn has_surplus(&self) -> bool {
        self.live() > self.size() || self.busy() > self.target
    }

    fn has_reason(&self, record: &WorkerRecord, now: Instant) -> bool {
        let is_unqueued = |&call: &usize| self.calls[call].terms.queue_deadline.is_some_and(|at| at <= now);
        let is_idle = |&worker: &usize| {
            let other = &self.workers[worker];
            other.stage == Stage::Ready && other.held.is_empty()
        };
        let level = self.calls[record.ahead()[0]].terms.priority;
        let is_higher = |&call: &usize| self.calls[call].holder.is_none() && self.calls[call].terms.priority > level;
        record.ahead().iter().any(is_unqueued)
            || (self.present.iter().any(is_idle) && self.busy() < self.target)
            || self.open.iter().any(is_higher)
            || (self.count(Stage::Ready) > 1 && record.moved + LATE <= now)
            || self.had_surplus
            || self.has_surplus()
            || record.is_link_closed
            || record.has_outgrown
    }

    /// The scheduler is about to be told what was taken back.
    pub(super) fn recalled(&mut self, worker: usize, begun: Option<usize>, now: Instant) {
        let (held, moved) = (&self.workers[worker].held, self.workers[worker].moved);
        let started = self.workers[worker].started;
        let begun = held.iter().position(|&call| begun == Some(call)).map_or(0, |place| place + 1);
        let taken = self.workers[worker].held.split_off(begun);
        let first = taken.first().filter(|_| begun == 0);
        let is_late = first.is_some_and(|_| moved + self.rules.stop_grace <= now);
        let is_overrun = first.is_some_and(|&first| self.has_only_overrun(first, now));
        for &call in &taken {
            let is_overrun = begun == 0 && self.has_only_overrun(call, now);
            assert!(self.calls[call].runner != Some(worker), "what has begun is not taken back");
            self.calls[call].taken_back(is_overrun);
        }
        let record = &mut self.workers[worker];
        (record.is_recalling, record.is_stuck) = (false, is_late || is_overrun);
        (record.started, record.answers) = (begun, 0);
        if begun == 0 && record.stage == Stage::Ready {
            record.since = now;
        }
        if let Some((&last, done)) = self.workers[worker].held.split_last().filter(|(_, done)| !done.is_empty()) {
            for &call in done {
                (self.calls[call].is_done, self.calls[call].clock) = (true, None);
            }
            if begun > started {
                self.calls[last].clock = Some(now);
            }
        }
    }

    /// Its run limit has come, and it need not end for any other reason.
    pub(super) fn has_only_overrun(&self, call: usize, now: Instant) -> bool {
        let is_forced = self.is_forced();
        let call = &self.calls[call];
        let is_late = call.terms.deadline.is_some_and(|at| at <= now);
        call.is_overrun(now) && !call.is_cancelled && !call.is_asked_in_vain(now) && !is_late && !is_forced
    }

    /// A worker begins a call: only the world can see that.
    pub(super) fn begun(&mut self, id: CallKey, worker: usize) {
        let place = self.find(id).expect("the scheduler knows no call that was not submitted");
        let record = &self.workers[worker];
        let is_lost = record.stage == Stage::Abandoned;
        if !is_lost && record.ahead().contains(&place) {
            let level = self.calls[place].terms.priority;
            let is_higher = |&call: &usize| self.is_queued(call) && self.calls[call].terms.priority > level;
            assert!(!self.open.iter().any(is_higher), "no call begins before one of a higher priority");
        }
        let call = &mut self.calls[place];
        let may_begin = call.end.is_none() && call.holder == Some(worker) && !call.is_done;
        assert!(may_begin || is_lost, "nobody begins what another holds, or what has ended: {call:?}");
        let is_alone = call.runner.is_none_or(|runner| self.workers[runner].stage == Stage::Abandoned);
        assert!(is_alone || is_lost, "no call runs twice at the same time: {call:?}");
        (call.begun, call.runner) = (call.begun + 1, Some(worker));
        assert!(call.begun <= 1 + call.terms.retries, "a call is begun no more often than it may: {call:?}");
    }

    /// The worker is done with the call, or dead.
    pub(super) fn runs_no_more(&mut self, id: CallKey, worker: usize) {
        if let Some(place) = self.find(id) {
            self.calls[place].runner.take_if(|runner| *runner == worker);
        }
    }

    /// Whether the call has not started.
    fn is_queued(&self, call: usize) -> bool {
        self.calls[call].holder.is_none_or(|worker| self.workers[worker].ahead().contains(&call))
    }

    /// What lies ready is as urgent as anything else that has not started.
    pub(super) fn audit_ahead(&self) {
        let queued = self.open.iter().filter(|&&call| self.is_queued(call));
        let most = queued.map(|&call| self.calls[call].terms.priority).max();
        for &worker in &self.present {
            let record = &self.workers[worker];
            assert!(!record.is_recalling, "a recall is answered at once");
            let is_urgent = |&call: &usize| Some(self.calls[call].terms.priority) == most;
            assert!(record.ahead().iter().all(is_urgent), "only the most urgent calls lie ready: {record:?}");
            assert!(
                record.ahead().is_empty() || record.stage == Stage::Ready,
                "{record:?} will not begin what it holds"
            );
        }
    }
}

impl CallRecord {
    pub(super) fn taken_back(&mut self, is_overrun: bool) {
        (self.holder, self.clock, self.outgrew) = (None, None, false);
        self.deaths_before_begun += u32::from(is_overrun);
        self.ran_too_long |= is_overrun;
        if self.deaths_before_begun >= DEATHS_BEFORE_BEGUN_MAX {
            self.charged += 1;
            self.deaths_before_begun = 0;
        }
    }
}
