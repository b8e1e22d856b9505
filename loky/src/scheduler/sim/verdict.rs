//! Holds each action against the ledger: may the scheduler want this now, and for the reason that it gives?

use std::time::Instant;

use super::super::{Action, Try, Why};
use super::ledger::{End, Ledger, Stage, WorkerRecord};
use crate::ids::{Attempt, CallKey, WorkerId};

impl Ledger {
    /// The scheduler wants this done.
    pub(super) fn wanted(&mut self, action: &Action, now: Instant) {
        assert!(!self.is_finished || self.may_follow_finished(action), "something follows `Finished`");
        match *action {
            Action::Launch { worker } => self.launch(worker, now),
            Action::Dispatch { call, attempt, worker } => self.dispatch(call, attempt, worker, now),
            Action::Recall { worker } => self.recall(worker, now),
            Action::AskToEnd { worker, call } => self.ask_to_end(worker.0 as usize, call),
            Action::Deliver { call } => self.deliver(call),
            Action::Settle { call, why } => self.settle(call, why, now),
            Action::Stop { worker } => self.stop(worker.0 as usize, now),
            Action::Kill { worker } => self.kill(worker.0 as usize, now),
            Action::Warmed => self.warmed(),
            Action::Finished => self.finished(),
        }
    }

    /// Who asks even then is answered.
    fn may_follow_finished(&self, action: &Action) -> bool {
        match *action {
            Action::Settle { call, why } => why == Why::ShutDown(None) && self.call(call).1.is_late,
            Action::Warmed => self.warm_up_asked,
            _ => false,
        }
    }

    fn launch(&mut self, id: WorkerId, now: Instant) {
        assert_eq!(id.0 as usize, self.workers.len(), "workers are numbered, and a number is never used again");
        assert!(!self.is_forced() && !self.is_interrupted(), "nothing is launched where nothing is to begin");
        assert!(self.live() < self.size(), "no more workers than the target and the spares");
        let is_missing = self.queued() > self.count(Stage::Launching) && self.live() < self.target;
        let needed = (self.busy() + self.queued()).min(self.target);
        let spares = if self.shutdown.is_none() { self.rules.spares } else { 0 };
        let is_needed = is_missing || self.live() < needed + spares;
        assert!(is_needed || self.warm_up_asked, "a launch that nobody needs");
        self.present.push(self.workers.len());
        self.workers.push(WorkerRecord::new(now, self.rules.hello_limit));
        self.check_storm(now);
    }

    /// Within one pause, without a success: as many as there may be at once, and again for each failure but the last.
    fn check_storm(&mut self, now: Instant) {
        self.launches.push_back(now);
        while self.launches.front().is_some_and(|&at| at + self.rules.launch_pause <= now) {
            self.launches.pop_front();
        }
        let most = self.target_max + self.rules.spares + self.rules.launch_failures_max as usize - 1;
        assert!(self.launches.len() <= most, "a storm: {} launches in one pause", self.launches.len());
    }

    fn dispatch(&mut self, id: CallKey, attempt: Attempt, worker: WorkerId, now: Instant) {
        let (place, call) = self.call(id);
        assert!(self.is_open(place) && call.holder.is_none(), "a call is held by one worker at a time");
        let is_open = !self.is_forced() && !self.is_interrupted();
        let is_given_up = call.is_cancelled || call.asked.is_some();
        assert!(!is_given_up && is_open, "a call that is to end is not dispatched");
        assert!(call.terms.deadline.is_none_or(|at| now < at), "a call is not dispatched after its deadline");
        assert_eq!(attempt.get(), call.charged + 1, "each try that failed is counted");
        for other in self.open.iter().filter(|&&other| other != place && self.calls[other].holder.is_none()) {
            let (other_rank, rank) = (self.calls[*other].terms.priority, call.terms.priority);
            assert!((other_rank, place) < (rank, *other), "the highest priority first, then the oldest");
        }
        for &other in self.present.iter().flat_map(|&worker| self.workers[worker].ahead()) {
            assert!(self.calls[other].terms.priority <= call.terms.priority, "a more urgent call has not started");
        }
        self.check_credit(worker.0 as usize);
        let tried = Try { worker, attempt };
        let record = &mut self.workers[worker.0 as usize];
        record.held.push(place);
        let is_first = record.held.len() == 1;
        if is_first {
            (record.started, record.moved) = (1, now);
        }
        let call = &mut self.calls[place];
        assert!(!call.tries.contains(&tried), "two dispatches of a call can be told apart: {call:?}");
        call.tries.push(tried);
        call.holder = Some(worker.0 as usize);
        call.clock = is_first.then_some(now);
        (call.is_doomed, call.ran_too_long, call.outgrew) = (false, false, false);
    }

    fn check_credit(&self, worker: usize) {
        let record = &self.workers[worker];
        assert_eq!(record.stage, Stage::Ready, "only a worker that serves is given calls");
        assert!(!record.is_link_closed, "a worker that nobody can reach is given no calls");
        assert!(self.has_credit(record), "a worker holds no more than its credit, and answers no more than its share");
        let is_loaded = !record.held.is_empty();
        let is_surplus = self.live() > self.size() || self.busy() > self.target;
        assert!(!is_loaded || !is_surplus, "a busy worker is not loaded if one is to go");
        assert!(is_loaded || self.busy() < self.target, "no more are busy than the target");
        assert!(
            !self.workers.iter().any(|record| record.is_recalling),
            "nothing is dispatched before a recall is over"
        );
    }

    pub(super) fn has_credit(&self, record: &WorkerRecord) -> bool {
        let share = self.rules.calls_per_worker_max.map_or(u64::MAX, |max| max.max(1));
        let owed: u64 = record.held.iter().map(|&call| u64::from(self.calls[call].terms.items)).sum();
        record.held.len() < self.rules.credit.max(1) && record.served + owed < share
    }

    fn ask_to_end(&mut self, worker: usize, id: CallKey) {
        let (place, call) = self.call(id);
        assert!(self.is_open(place) && call.asked.is_some() && !call.is_told, "who is asked is told once: {call:?}");
        let record = &self.workers[worker];
        assert!(record.stage == Stage::Ready && record.held.last() == Some(&place), "another one is meant: {record:?}");
        assert!(call.begun > 0, "only who has begun can hear it: {call:?}");
        self.calls[place].is_told = true;
    }

    fn deliver(&mut self, id: CallKey) {
        let (place, call) = self.call(id);
        assert!(self.is_open(place), "a call ends once");
        assert!(call.is_answered, "only what a worker has just answered is delivered");
        assert!(!call.is_doomed, "an answer that comes too late is not delivered");
        self.calls[place].is_answered = false;
        self.end(place, End::Over);
    }

    fn settle(&mut self, id: CallKey, why: Why, now: Instant) {
        let (place, call) = self.call(id);
        assert!(self.is_open(place), "a call ends once");
        assert!(!call.is_answered || call.is_doomed, "an answer in time is the call's result");
        self.check_reason(place, why, now);
        assert!(
            call.holder.is_none(),
            "a call ends when its worker is dead, has answered, or has given it back: {call:?}"
        );
        let end = if tried(why).is_none() { End::NeverBegun } else { End::Over };
        self.check_claim(place, tried(why));
        self.calls[place].is_answered = false;
        self.end(place, end);
    }

    fn check_reason(&self, place: usize, why: Why, now: Instant) {
        let call = &self.calls[place];
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        let is_true = match why {
            Why::Crashed(_) => call.charged > call.terms.retries,
            Why::Cancelled(_) => call.is_cancelled || call.asked.is_some(),
            Why::RanTooLong(_) => call.ran_too_long,
            Why::Outgrew(_) => call.outgrew,
            Why::QueuedTooLong => is_due(call.terms.queue_deadline),
            Why::DeadlinePassed(_) => is_due(call.terms.deadline),
            Why::CannotLaunch(_) => self.live() == 0 && self.has_given_up(now),
            Why::ShutDown(_) => self.is_forced() || self.is_interrupted() || call.is_late,
        };
        assert!(is_true, "{why:?} is not so: {call:?}");
    }

    fn has_given_up(&self, now: Instant) -> bool {
        let is_paused = self.failed_at.is_some_and(|at| now < at + self.rules.launch_pause);
        is_paused && self.failures >= self.rules.launch_failures_max
    }

    /// Whether the call may have run is told truly.
    fn check_claim(&self, place: usize, tried: Option<Try>) {
        let call = &self.calls[place];
        match tried {
            None => assert!(call.begun == 0, "it had begun: {call:?}"),
            Some(tried) => {
                assert!(call.tries.contains(&tried), "a try that was not made: {tried:?}");
                assert!(call.may_have_begun() || call.is_answered, "it cannot have begun: {call:?}");
            }
        }
    }

    fn stop(&mut self, worker: usize, now: Instant) {
        let record = &self.workers[worker];
        assert!(record.stage == Stage::Ready && record.held.is_empty(), "only an idle worker is asked to leave");
        let is_used_up = self.rules.calls_per_worker_max.is_some_and(|max| record.served >= max);
        let may_stay = self.shutdown.is_none() && self.count(Stage::Ready) <= self.rules.min_workers;
        let has_idled = !may_stay && self.rules.idle_timeout.is_some_and(|timeout| record.since + timeout <= now);
        let is_over = self.shutdown.is_some() && self.open.is_empty();
        let is_worn = is_used_up || record.is_worn;
        assert!(is_worn || has_idled || is_over || self.live() > self.size(), "a worker is let go for a reason");
        self.enter(worker, Stage::Stopping, now);
    }

    fn kill(&mut self, worker: usize, now: Instant) {
        let record = &self.workers[worker];
        let has_reason = match record.stage {
            Stage::Launching => {
                let is_over = self.shutdown.is_some() && self.open.is_empty();
                let is_due = record.until.is_some_and(|at| at <= now);
                is_due || record.is_link_closed || record.has_outgrown || is_over
            }
            Stage::Ready => {
                let last = record.held[..record.started].last();
                let must_end = last.is_some_and(|&last| self.calls[last].must_end(now));
                record.is_link_closed || record.is_stuck || record.has_outgrown || must_end
            }
            Stage::Stopping => record.has_outgrown || record.until.is_some_and(|at| at <= now),
            Stage::Killed | Stage::Dead | Stage::Abandoned => panic!("a worker is killed once"),
        };
        assert!(has_reason || self.is_forced(), "a worker is killed for a reason: {record:?}");
        if self.workers[worker].stage == Stage::Launching && !self.is_forced() {
            self.launch_failed(now);
        }
        self.enter(worker, Stage::Killed, now);
    }

    fn enter(&mut self, worker: usize, stage: Stage, now: Instant) {
        let wait = match stage {
            Stage::Stopping => self.rules.stop_grace,
            _ => self.rules.kill_grace,
        };
        let record = &mut self.workers[worker];
        (record.stage, record.since, record.until, record.is_on_errand) = (stage, now, Some(now + wait), false);
    }

    fn warmed(&mut self) {
        assert!(self.warm_up_asked, "a warm-up is answered once");
        let is_ready = self.count(Stage::Ready) >= self.size();
        assert!(is_ready || self.shutdown.is_some() || self.count(Stage::Launching) == 0, "not yet");
        self.warm_up_asked = false;
    }

    fn finished(&mut self) {
        assert!(!self.is_finished, "once");
        assert!(self.shutdown.is_some() && self.open.is_empty() && self.present.is_empty(), "there is still something");
        self.is_finished = true;
    }

    fn call(&self, id: CallKey) -> (usize, &super::ledger::CallRecord) {
        let place = self.find(id).expect("the scheduler knows no call that was not submitted");
        (place, &self.calls[place])
    }
}

/// The try that the end of a call names.
const fn tried(why: Why) -> Option<Try> {
    match why {
        Why::Crashed(tried) | Why::RanTooLong(tried) | Why::Outgrew(tried) => Some(tried),
        Why::Cancelled(tried) | Why::DeadlinePassed(tried) | Why::CannotLaunch(tried) | Why::ShutDown(tried) => tried,
        Why::QueuedTooLong => None,
    }
}
