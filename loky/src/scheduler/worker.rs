//! One worker that may still have a process: in which phase of its life it is, and which calls it holds.
//!
//! A worker goes from launching to ready, and then out by one of two doors: stopping (asked to leave) or killed. It
//! leaves the table when its death is known, or when a kill has shown no effect for so long that nobody waits for it.

use std::collections::VecDeque;
use std::time::Instant;

use super::Rules;
use super::pace::Pace;
use crate::ids::{CallKey, WorkerId};

/// A worker that may still have a process.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) id: WorkerId,
    pub(super) phase: Phase,
    /// What was dispatched and has neither been answered nor taken back, in that order: at most one of them runs.
    pub(super) held: VecDeque<CallKey>,
    /// How many of those, from the first on, count as started: the first one, and what a recall has shown to have
    /// begun.
    pub(super) started: usize,
    pub(super) pace: Pace,
    /// A recall is under way: what it holds will be known in a moment.
    pub(super) is_recalling: bool,
    /// Calls that it may hold for now. One more with each answer, one again after a recall: so no more is ever taken
    /// back than is answered.
    allowance: usize,
    /// What its pace makes of that.
    credit: usize,
    /// Calls that it has answered, and those that it holds, each counted for its items.
    served: u64,
    owed: u64,
}

/// Where in its life a worker is. Every phase but a busy one ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// A process was asked for. It must say hello in time, and then make itself ready, in time if there is a limit.
    Launching { until: Option<Instant> },
    /// It serves. Without calls it may stay until `leave_at`.
    Ready { leave_at: Option<Instant> },
    /// It was asked to leave; it has until `kill_at`.
    Stopping { kill_at: Instant },
    /// It was killed; from `forget_at` nobody waits for its death any more.
    Killed { forget_at: Instant },
}

/// Nobody knows yet how long the calls of a new worker are.
const ALLOWANCE_AT_FIRST: usize = 2;

impl Worker {
    pub(super) fn new(id: WorkerId, until: Instant, now: Instant) -> Self {
        let pace = Pace::new(now);
        Self {
            id,
            phase: Phase::Launching { until: Some(until) },
            held: VecDeque::new(),
            started: 0,
            is_recalling: false,
            allowance: ALLOWANCE_AT_FIRST,
            credit: pace.credit(),
            pace,
            served: 0,
            owed: 0,
        }
    }

    pub(super) fn is_launching(&self) -> bool {
        matches!(self.phase, Phase::Launching { .. })
    }

    pub(super) fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Ready { .. })
    }

    /// Whether it serves and has nothing to do.
    pub(super) fn is_idle(&self) -> bool {
        self.is_ready() && self.held.is_empty()
    }

    pub(super) fn is_killed(&self) -> bool {
        matches!(self.phase, Phase::Killed { .. })
    }

    /// Whether this is the call that it runs or will begin next, as far as is known.
    pub(super) fn is_at(&self, call: CallKey) -> bool {
        self.started.checked_sub(1).is_some_and(|last| self.held[last] == call)
    }

    /// Whether the call counts as started, as one of those that it holds.
    pub(super) fn has_started(&self, call: CallKey) -> bool {
        self.held.iter().take(self.started).any(|&held| held == call)
    }

    /// Calls that it holds ahead: nobody has seen them begin.
    pub(super) fn ahead(&self) -> usize {
        self.held.len() - self.started
    }

    /// Whether it has answered as many calls as one worker may.
    pub(super) fn is_worn(&self, rules: &Rules) -> bool {
        rules.calls_per_worker_max.is_some_and(|max| self.served >= max)
    }

    /// How many calls it holds, if it may hold one more and will live to answer it.
    pub(super) fn load(&self, rules: &Rules) -> Option<usize> {
        if !self.is_ready() || self.is_recalling {
            return None;
        }
        let left = rules.calls_per_worker_max.map_or(u64::MAX, |max| max.saturating_sub(self.served));
        let most = self.credit.min(self.allowance).min(rules.credit);
        let held = self.held.len();
        (held == 0 || (held < most && self.owed < left)).then_some(held)
    }

    pub(super) fn timer(&self) -> Option<Instant> {
        match self.phase {
            Phase::Launching { until } => until,
            Phase::Ready { leave_at } if self.held.is_empty() => leave_at,
            Phase::Ready { .. } => None,
            Phase::Stopping { kill_at } => Some(kill_at),
            Phase::Killed { forget_at } => Some(forget_at),
        }
    }

    /// It is given a call. Returns when that should be taken back at the latest, if it is the first that lies ready.
    pub(super) fn hold(&mut self, call: CallKey, items: u32, now: Instant) -> Option<Instant> {
        self.held.push_back(call);
        self.owed += u64::from(items);
        if self.started == 0 {
            self.started = 1;
            self.pace.begin(now);
        }
        (self.ahead() == 1).then(|| self.pace.recall_for_age(1))
    }

    /// It has answered a call that it held. Returns whether that was the first one.
    pub(super) fn answer(&mut self, call: CallKey, items: u32, now: Instant) -> bool {
        self.served += u64::from(items);
        self.owed -= u64::from(items);
        self.allowance = self.allowance.saturating_add(1);
        if self.pace.answered(now) {
            self.credit = self.pace.credit();
        }
        let place = self.held.iter().position(|&held| held == call).expect("only what is held is awaited");
        if place == 0 {
            self.held.pop_front();
        } else {
            self.held.remove(place);
        }
        let left = self.started - usize::from(place < self.started);
        self.started = left.max(1).min(self.held.len());
        place == 0
    }

    /// All that it holds beyond the first `begun`, which have `owed` items, is taken back; the youngest first.
    pub(super) fn give_back(&mut self, begun: usize, owed: u64) -> Vec<CallKey> {
        self.owed = owed;
        self.is_recalling = false;
        self.started = begun;
        self.allowance = 1;
        let mut taken: Vec<_> = self.held.drain(begun..).collect();
        taken.reverse();
        taken
    }
}

#[cfg(any(test, fuzzing))]
impl Worker {
    /// What it holds fits to its phase.
    pub(super) fn check(&self, rules: &Rules) {
        assert!(self.held.len() <= rules.credit.max(1), "a worker holds no more than its credit");
        assert!((1..=self.held.len()).contains(&self.started) || (self.held.is_empty() && self.started == 0));
        let may_hold = self.is_ready() || self.is_killed();
        assert!(may_hold || self.held.is_empty(), "only a worker that serves is given calls");
    }

    /// How many items the calls have that it holds.
    pub(super) fn owed(&self) -> u64 {
        self.owed
    }
}
