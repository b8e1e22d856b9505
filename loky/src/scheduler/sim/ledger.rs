//! What a world remembers of every call and worker: only what the scheduler was told, and what it wanted done.
//!
//! A second bookkeeping, by other means: it never looks into the scheduler, and it decides nothing. `verdict` holds
//! each action against it, and `audit` the whole of it against the scheduler after each step.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::super::blame::DEATHS_BEFORE_BEGUN_MAX;
use super::super::{Event, Rules, Terms, Try};
pub(super) use super::workers::{Stage, WorkerRecord};
use crate::ids::{Attempt, CallKey, WorkerId};

/// Calls and workers are named by their place here.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) rules: Rules,
    pub(super) target: usize,
    pub(super) calls: Vec<CallRecord>,
    /// Calls that have not ended.
    pub(super) open: Vec<usize>,
    /// Slots that no call has, of those that were used.
    free_slots: Vec<u32>,
    pub(super) workers: Vec<WorkerRecord>,
    /// Whether there were more workers than there may be when something happened last.
    pub(super) had_surplus: bool,
    /// Workers that the scheduler still has to reckon with.
    pub(super) present: Vec<usize>,
    pub(super) shutdown: Option<Asked>,
    pub(super) warm_up_asked: bool,
    pub(super) is_finished: bool,
    /// When launches were wanted since the last one that succeeded.
    pub(super) launches: VecDeque<Instant>,
    /// How many have failed since, and when the last of them did.
    pub(super) failures: u32,
    pub(super) failed_at: Option<Instant>,
    pub(super) target_max: usize,
    /// How many workers have stayed though they were idle for long, at the most.
    pub(super) stayed: usize,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) at: Instant,
    pub(super) forced: bool,
    /// Nothing begins any more, but what has begun is finished.
    pub(super) is_interrupted: bool,
}

#[derive(Debug)]
pub(super) struct CallRecord {
    pub(super) id: CallKey,
    pub(super) terms: Terms,
    pub(super) holder: Option<usize>,
    pub(super) tries: Vec<Try>,
    /// Tries that have failed by a death and are counted.
    pub(super) charged: u32,
    pub(super) deaths_before_begun: u32,
    /// How often a worker has begun it, as only the world can know.
    pub(super) begun: u32,
    pub(super) is_cancelled: bool,
    /// It shall end by itself, by this moment if there is one; and whether its worker was told.
    pub(super) asked: Option<Option<Instant>>,
    pub(super) is_told: bool,
    /// It was submitted when a shutdown had been asked for.
    pub(super) is_late: bool,
    /// Its worker must die for it, whatever it still answers.
    pub(super) is_doomed: bool,
    pub(super) ran_too_long: bool,
    /// The worker that holds it, or held it when it had begun, is killed for its memory.
    pub(super) outgrew: bool,
    /// It was done when its worker was recalled, and its answer is on the way.
    pub(super) is_done: bool,
    /// The worker that runs it now, as only the world can know.
    pub(super) runner: Option<usize>,
    /// Its answer has just arrived.
    pub(super) is_answered: bool,
    /// When it began to run, as far as its run limit is concerned.
    pub(super) clock: Option<Instant>,
    pub(super) end: Option<End>,
}

/// What a call's end promises about the time after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// No worker has begun it, or will.
    NeverBegun,
    /// No worker runs it any more.
    Over,
}

impl Ledger {
    pub(super) fn new(rules: Rules) -> Self {
        let target = rules.target.max(1);
        Self {
            rules,
            target,
            calls: Vec::new(),
            open: Vec::new(),
            free_slots: Vec::new(),
            workers: Vec::new(),
            had_surplus: false,
            present: Vec::new(),
            shutdown: None,
            warm_up_asked: false,
            is_finished: false,
            launches: VecDeque::new(),
            failures: 0,
            failed_at: None,
            target_max: target,
            stayed: 0,
        }
    }

    /// The place of a call, if it was ever submitted.
    pub(super) fn find(&self, id: CallKey) -> Option<usize> {
        self.calls.binary_search_by_key(&id.id, |call| call.id.id).ok().filter(|&place| self.calls[place].id == id)
    }

    pub(super) fn is_open(&self, call: usize) -> bool {
        self.calls[call].end.is_none()
    }

    pub(super) fn is_forced(&self) -> bool {
        self.shutdown.is_some_and(|asked| asked.forced)
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.shutdown.is_some_and(|asked| asked.is_interrupted)
    }

    pub(super) fn has_call_over_at_once(&self) -> bool {
        self.open.iter().any(|&call| self.calls[call].is_over_at_once())
    }

    pub(super) fn count(&self, stage: Stage) -> usize {
        self.present.iter().filter(|&&worker| self.workers[worker].stage == stage).count()
    }

    pub(super) fn live(&self) -> usize {
        self.count(Stage::Launching) + self.count(Stage::Ready)
    }

    /// Whether this worker has this try of the call in its hands.
    pub(super) fn is_current(&self, worker: WorkerId, call: CallKey, attempt: Attempt) -> Option<(usize, usize)> {
        let (place, call) = (worker.0 as usize, self.find(call)?);
        let is_held = self.workers.get(place)?.held.contains(&call);
        (is_held && self.calls[call].tries.last() == Some(&Try { worker, attempt })).then_some((place, call))
    }

    /// The scheduler is about to be told this.
    pub(super) fn told(&mut self, event: &Event, now: Instant) {
        match *event {
            Event::Submitted { call, terms } => self.submitted(call, terms),
            Event::Cancelled { call } => {
                if let Some(call) = self.find(call) {
                    self.calls[call].is_cancelled = true;
                }
            }
            Event::AskedToEnd { call, kill_at } => {
                if let Some(call) = self.find(call) {
                    let before = self.calls[call].asked.flatten();
                    self.calls[call].asked = Some(before.into_iter().chain(kill_at).min());
                }
            }
            // Stories tell of it.
            #[cfg(feature = "cluster")]
            Event::WantedBack { .. } => unreachable!("no world wants a call back"),
            Event::WorkerReady { worker } => self.ready(worker.0 as usize, now),
            Event::GivenTime { worker, limit } => self.given_time(worker.0 as usize, limit, now),
            Event::LaunchFailed { worker } => self.died(worker.0 as usize, None, now),
            Event::Progressed { worker, call, attempt } => self.progressed(self.is_current(worker, call, attempt), now),
            Event::Returned { worker, call, attempt } => {
                if let Some((worker, call)) = self.is_current(worker, call, attempt) {
                    self.answered(worker, call, now);
                }
            }
            Event::WorkerDied { worker, begun } => {
                self.died(worker.0 as usize, begun.and_then(|call| self.find(call)), now);
            }
            Event::Recalled { worker, begun } => {
                let is_asked = self.workers.get(worker.0 as usize).is_some_and(|record| record.is_recalling);
                if is_asked {
                    self.recalled(worker.0 as usize, begun.and_then(|call| self.find(call)), now);
                }
            }
            Event::Outgrew { worker } => self.outgrew(worker.0 as usize),
            Event::Worn { worker } => self.worn(worker.0 as usize, now),
            // It is exempt from the bound on launches that this ledger keeps; a story tells of it.
            Event::LaunchCutShort { .. } => unreachable!("no world cuts a launch short"),
            Event::LinkClosed { worker } => {
                if let Some(worker) = self.workers.get_mut(worker.0 as usize) {
                    worker.is_link_closed = true;
                }
            }
            Event::Resized { target } => {
                self.target = target.max(1);
                self.target_max = self.target_max.max(self.target);
            }
            Event::WarmUpAsked => self.warm_up_asked = true,
            Event::ShutdownAsked { forced } => self.shutdown_asked(forced, now),
            Event::Interrupted => self.interrupted(now),
        }
    }

    /// The scheduler is about to be told the time: it will give up killed workers whose death it has not seen.
    pub(super) fn told_time(&mut self, now: Instant) {
        let (workers, grace) = (&self.workers, self.rules.kill_grace);
        let is_lost = |&worker: &usize| workers[worker].stage == Stage::Killed && workers[worker].since + grace <= now;
        let lost: Vec<_> = self.present.iter().copied().filter(is_lost).collect();
        for worker in lost {
            let last = self.workers[worker].held.last().copied();
            self.bury(worker, last, Stage::Abandoned);
        }
    }

    pub(super) fn end(&mut self, call: usize, end: End) {
        self.calls[call].end = Some(end);
        self.open.retain(|&open| open != call);
        self.free_slots.push(self.calls[call].id.slot);
    }

    /// Where the next call is to lie; slots are used again at once.
    pub(super) fn free_slot(&mut self) -> u32 {
        self.free_slots.pop().unwrap_or(self.open.len() as u32)
    }

    /// Calls that have not started, wherever they are.
    pub(super) fn queued(&self) -> usize {
        let waiting = self.open.iter().filter(|&&call| self.calls[call].holder.is_none()).count();
        waiting + self.present.iter().map(|&worker| self.workers[worker].ahead().len()).sum::<usize>()
    }

    fn submitted(&mut self, id: CallKey, terms: Terms) {
        self.open.push(self.calls.len());
        self.calls.push(CallRecord {
            id,
            terms,
            holder: None,
            tries: Vec::new(),
            charged: 0,
            deaths_before_begun: 0,
            begun: 0,
            is_cancelled: false,
            asked: None,
            is_told: false,
            is_late: self.shutdown.is_some(),
            is_doomed: false,
            ran_too_long: false,
            outgrew: false,
            is_done: false,
            runner: None,
            is_answered: false,
            clock: None,
            end: None,
        });
    }

    fn ready(&mut self, worker: usize, now: Instant) {
        let Some(record) = self.workers.get_mut(worker) else { return };
        if record.stage == Stage::Launching {
            (record.stage, record.since, record.until) = (Stage::Ready, now, None);
            self.launches.clear();
            self.failures = 0;
        }
    }

    fn given_time(&mut self, worker: usize, limit: Option<Duration>, now: Instant) {
        let grace = self.rules.stop_grace;
        let Some(record) = self.workers.get_mut(worker) else { return };
        record.until = match record.stage {
            Stage::Launching => limit.map(|limit| now + limit),
            Stage::Stopping => Some(now + limit.unwrap_or(grace)),
            _ => return,
        };
        record.is_on_errand = true;
    }

    pub(super) fn launch_failed(&mut self, now: Instant) {
        self.failures += 1;
        self.failed_at = Some(now);
    }

    fn progressed(&mut self, current: Option<(usize, usize)>, now: Instant) {
        let Some((worker, call)) = current else { return };
        let record = &self.workers[worker];
        if record.stage == Stage::Ready && record.held[..record.started].last() == Some(&call) {
            self.calls[call].clock = Some(now);
        }
    }

    fn answered(&mut self, worker: usize, call: usize, now: Instant) {
        let record = &mut self.workers[worker];
        record.held.retain(|&held| held != call);
        record.started = (record.started - 1).max(1).min(record.held.len());
        record.served += u64::from(self.calls[call].terms.items);
        record.answers += 1;
        record.moved = now;
        if record.stage == Stage::Ready {
            record.since = now;
            if let (&[next, ..], 1) = (&record.held[..], record.started) {
                self.calls[next].clock = Some(now);
            }
        }
        if self.is_open(call) {
            self.calls[call].holder = None;
            self.calls[call].is_answered = true;
        }
    }

    fn died(&mut self, worker: usize, begun: Option<usize>, now: Instant) {
        if self.workers.get(worker).is_some_and(|record| record.stage == Stage::Launching) {
            self.launch_failed(now);
        }
        self.bury(worker, begun, Stage::Dead);
    }

    fn bury(&mut self, worker: usize, begun: Option<usize>, stage: Stage) {
        let Some(record) = self.workers.get_mut(worker) else { return };
        if record.is_gone() {
            return;
        }
        record.stage = stage;
        self.present.retain(|&present| present != worker);
        let held = std::mem::take(&mut self.workers[worker].held);
        self.workers[worker].started = 0;
        let begun = held.iter().position(|&call| begun == Some(call));
        for (place, &call) in held.iter().enumerate() {
            if self.is_open(call) {
                let is_begun = begun.is_some_and(|last| place <= last);
                self.calls[call].released(is_begun, place == 0);
            }
        }
    }

    fn shutdown_asked(&mut self, forced: bool, now: Instant) {
        if self.shutdown.is_none_or(|asked| forced && !asked.forced) {
            let is_interrupted = self.is_interrupted();
            self.shutdown = Some(Asked { at: now, forced, is_interrupted });
        }
    }

    fn interrupted(&mut self, now: Instant) {
        let asked = self.shutdown.get_or_insert(Asked { at: now, forced: false, is_interrupted: true });
        asked.is_interrupted = true;
    }
}

impl CallRecord {
    /// Whether some worker may have begun it, for all that the scheduler can know.
    pub(super) fn may_have_begun(&self) -> bool {
        self.begun > 0 || self.charged > 0
    }

    /// It must end, or has ended, without an answer.
    pub(super) fn must_end(&self, now: Instant) -> bool {
        let is_late = self.terms.deadline.is_some_and(|at| at <= now);
        let has_outgrown = self.outgrew && self.holder.is_none();
        let is_given_up = self.is_cancelled || self.is_asked_in_vain(now);
        self.end.is_some() || is_given_up || is_late || has_outgrown || self.is_overrun(now)
    }

    /// It was asked to end, its grace is over, and its answer not known to be on the way.
    pub(super) fn is_asked_in_vain(&self, now: Instant) -> bool {
        !self.is_done && self.asked.flatten().is_some_and(|at| at <= now)
    }

    /// Its run limit has come.
    pub(super) fn is_overrun(&self, now: Instant) -> bool {
        self.clock.zip(self.terms.run_limit).is_some_and(|(began, limit)| began + limit <= now)
    }

    /// Its worker is gone.
    fn released(&mut self, is_begun: bool, is_first: bool) {
        (self.holder, self.clock) = (None, None);
        self.deaths_before_begun += u32::from(is_first && !is_begun);
        if is_begun || self.deaths_before_begun >= DEATHS_BEFORE_BEGUN_MAX {
            self.charged += 1;
            self.deaths_before_begun = 0;
        } else {
            self.outgrew = false;
        }
    }
}
