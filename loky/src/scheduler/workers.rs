//! Every worker that may still have a process: in which phase of its life it is, and which calls it holds.
//!
//! A worker goes from launching to ready, and then out by one of two doors: stopping (asked to leave) or killed. It
//! leaves the table when its death is known, or when a kill has shown no effect for so long that nobody waits for it.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use super::Rules;
use super::calls::earliest;
use crate::ids::{Attempt, CallId, WorkerId};

/// A worker that may still have a process.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) phase: Phase,
    /// What was dispatched and has not been answered, in that order: at most the first one runs. A call may have ended
    /// and still be held.
    pub(super) held: VecDeque<(CallId, Attempt)>,
    /// Calls that it has answered.
    served: u64,
    /// Greater for the worker that became free later.
    freed: u64,
}

/// Where in its life a worker is. Every phase but a busy one ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// A process was asked for; it must say hello in time.
    Launching { until: Instant },
    /// It serves. Without calls it may stay until `leave_at`.
    Ready { leave_at: Option<Instant> },
    /// It was asked to leave; it has until `kill_at`.
    Stopping { kill_at: Instant },
    /// It was killed; from `forget_at` nobody waits for its death any more.
    Killed { forget_at: Instant },
}

impl Worker {
    pub(super) fn is_launching(&self) -> bool {
        matches!(self.phase, Phase::Launching { .. })
    }

    pub(super) fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Ready { .. })
    }

    pub(super) fn is_killed(&self) -> bool {
        matches!(self.phase, Phase::Killed { .. })
    }

    pub(super) fn is_idle(&self) -> bool {
        self.is_ready() && self.held.is_empty()
    }

    /// Whether this is the call that it runs, or will begin next.
    pub(super) fn is_first(&self, call: CallId) -> bool {
        self.held.front().is_some_and(|&(first, _)| first == call)
    }

    /// Whether it has answered as many calls as one worker may.
    pub(super) fn is_worn(&self, rules: &Rules) -> bool {
        rules.calls_per_worker_max.is_some_and(|max| self.served >= max)
    }

    /// Whether it may hold one call more, and will live to answer it.
    fn has_credit(&self, rules: &Rules) -> bool {
        let will_have_served = self.served.saturating_add(self.held.len() as u64);
        self.is_ready()
            && self.held.len() < rules.credit
            && rules.calls_per_worker_max.is_none_or(|max| will_have_served < max)
    }

    fn timer(&self) -> Option<Instant> {
        match self.phase {
            Phase::Launching { until } => Some(until),
            Phase::Ready { leave_at } if self.held.is_empty() => leave_at,
            Phase::Ready { .. } => None,
            Phase::Stopping { kill_at } => Some(kill_at),
            Phase::Killed { forget_at } => Some(forget_at),
        }
    }
}

/// All workers that may still have a process. A pool has few: walking over them is cheaper than any index.
#[derive(Debug, Default)]
pub(super) struct Workers {
    all: BTreeMap<WorkerId, Worker>,
    launched: u64,
    freed: u64,
}

impl Workers {
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn get(&self, id: WorkerId) -> Option<&Worker> {
        self.all.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: WorkerId) -> Option<&mut Worker> {
        self.all.get_mut(&id)
    }

    pub(super) fn add(&mut self, until: Instant) -> WorkerId {
        let id = WorkerId(self.launched);
        self.launched += 1;
        let phase = Phase::Launching { until };
        self.all.insert(id, Worker { phase, held: VecDeque::new(), served: 0, freed: 0 });
        id
    }

    pub(super) fn remove(&mut self, id: WorkerId) -> Option<Worker> {
        self.all.remove(&id)
    }

    /// Workers that serve or will: those that count against the size of the pool.
    pub(super) fn live(&self) -> usize {
        self.count(|worker| worker.is_launching() || worker.is_ready())
    }

    pub(super) fn launching(&self) -> usize {
        self.count(Worker::is_launching)
    }

    pub(super) fn ready(&self) -> usize {
        self.count(Worker::is_ready)
    }

    pub(super) fn idle(&self) -> usize {
        self.count(Worker::is_idle)
    }

    /// Those that serve and have something to do.
    pub(super) fn busy(&self) -> usize {
        self.count(|worker| worker.is_ready() && !worker.held.is_empty())
    }

    pub(super) fn ids(&self, is_wanted: impl Fn(&Worker) -> bool) -> Vec<WorkerId> {
        self.all.iter().filter(|(_, worker)| is_wanted(worker)).map(|(&id, _)| id).collect()
    }

    /// The worker that became idle last: it is the one whose caches are warm, and the others may reach their idle
    /// timeout.
    pub(super) fn idle_last_freed(&self) -> Option<WorkerId> {
        let idle = self.all.iter().filter(|(_, worker)| worker.is_idle());
        idle.max_by_key(|(_, worker)| worker.freed).map(|(&id, _)| id)
    }

    /// The worker that became idle first: the one to let go.
    pub(super) fn idle_first_freed(&self) -> Option<WorkerId> {
        let idle = self.all.iter().filter(|(_, worker)| worker.is_idle());
        idle.min_by_key(|(_, worker)| worker.freed).map(|(&id, _)| id)
    }

    /// A worker that may hold one call more, the one with the fewest first.
    pub(super) fn with_credit(&self, rules: &Rules) -> Option<WorkerId> {
        let open = self.all.iter().filter(|(_, worker)| !worker.is_idle() && worker.has_credit(rules));
        open.min_by_key(|(_, worker)| worker.held.len()).map(|(&id, _)| id)
    }

    /// The worker has answered a call that it held.
    pub(super) fn answered(&mut self, id: WorkerId, call: CallId) {
        if let Some(worker) = self.all.get_mut(&id) {
            worker.held.retain(|&(held, _)| held != call);
            worker.served += 1;
        }
    }

    /// The worker has nothing to do from now on.
    pub(super) fn free(&mut self, id: WorkerId, leave_at: Option<Instant>) {
        self.freed += 1;
        if let Some(worker) = self.all.get_mut(&id) {
            worker.freed = self.freed;
            worker.phase = Phase::Ready { leave_at };
        }
    }

    pub(super) fn next_timer(&self) -> Option<Instant> {
        self.all.values().map(Worker::timer).fold(None, earliest)
    }

    /// A worker whose phase has lasted long enough.
    pub(super) fn due(&self, now: Instant) -> Option<(WorkerId, Phase)> {
        let is_due = |worker: &Worker| worker.timer().is_some_and(|at| at <= now);
        self.all.iter().find(|(_, worker)| is_due(worker)).map(|(&id, worker)| (id, worker.phase))
    }

    fn count(&self, is_counted: impl Fn(&Worker) -> bool) -> usize {
        self.all.values().filter(|worker| is_counted(worker)).count()
    }
}

#[cfg(test)]
impl Workers {
    pub(super) fn iter(&self) -> impl Iterator<Item = (WorkerId, &Worker)> {
        self.all.iter().map(|(&id, worker)| (id, worker))
    }
}

#[cfg(test)]
impl Worker {
    /// What it holds fits to its phase.
    pub(super) fn check(&self, rules: &Rules) {
        assert!(self.held.len() <= rules.credit, "a worker holds no more than its credit");
        let may_hold = self.is_ready() || self.is_killed();
        assert!(may_hold || self.held.is_empty(), "only a worker that serves is given calls");
    }
}
