//! What a cluster knows, under its one lock, and what is told when the lock is released.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::config::Settings;
use crate::driver::{Order, Outcome, OutcomeCell};
use crate::ids::CallId;
use crate::node::AgentId;
use crate::node::fleet::Fleet;
use crate::node::lease::Moment;
use crate::node::wire::Wire;
use crate::observe::{Counters, PoolStats};
use crate::oneshot::{Cell, Watcher};

/// See the module.
#[derive(Debug)]
pub(super) struct State {
    pub(super) fleet: Fleet,
    /// Those that have not ended.
    pub(super) calls: HashMap<CallId, Pending>,
    /// Where handles find their outcomes.
    pub(super) handles: HashMap<CallId, Arc<OutcomeCell>>,
    /// The agents that have the pool, also those that are silent.
    pub(super) agents: BTreeMap<AgentId, Member>,
    /// How many workers one machine has, as far as that is known beforehand.
    pub(super) workers_each: usize,
    pub(super) counters: Counters,
    /// Bytes of arguments that no agent has had.
    pub(super) waiting_bytes: usize,
    /// Who waits for room in the queue.
    pub(super) watchers: Vec<Watcher>,
    /// Who waits for all workers to be ready.
    pub(super) warm: Vec<Arc<Cell<()>>>,
    told: Told,
}

/// A call that has not ended.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) order: Order,
    pub(super) cell: Arc<OutcomeCell>,
    pub(super) spawned_at: Moment,
    /// Whether any agent has had it.
    pub(super) is_sent: bool,
}

/// An agent that has the pool.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) wire: Arc<Wire>,
    /// Whether it was asked to start all workers, and has not said that they are there.
    pub(super) is_warming: bool,
    /// Whether it was told to end the pool: by force, or not.
    pub(super) closing: Option<bool>,
}

/// What is done once the lock is released.
#[derive(Debug, Default)]
pub(super) struct Told {
    outcomes: Vec<(Arc<OutcomeCell>, Box<Outcome>)>,
    cells: Vec<Arc<Cell<()>>>,
    watchers: Vec<Watcher>,
    is_finished: bool,
}

impl State {
    pub(super) fn new(settings: &Settings, patience: Duration, now: Moment) -> Self {
        Self {
            fleet: Fleet::new(patience, now),
            calls: HashMap::new(),
            handles: HashMap::new(),
            agents: BTreeMap::new(),
            workers_each: settings.workers,
            counters: Counters::default(),
            waiting_bytes: 0,
            watchers: Vec::new(),
            warm: Vec::new(),
            told: Told::default(),
        }
    }

    /// How many agents there are that can be given anything.
    pub(super) fn members(&self) -> usize {
        self.fleet.len()
    }

    /// The outcome of a call that is over.
    pub(super) fn end(&mut self, pending: Pending, outcome: Box<Outcome>) {
        if !pending.is_sent {
            self.waiting_bytes -= pending.order.bytes();
        }
        let has_failed = outcome.end.is_some() || outcome.results.has_failure();
        *(if has_failed { &mut self.counters.failed } else { &mut self.counters.succeeded }) += 1;
        self.told.outcomes.push((pending.cell, outcome));
    }

    /// Somebody may find room.
    pub(super) fn tell_room(&mut self) {
        self.told.watchers.append(&mut self.watchers);
    }

    pub(super) fn tell_warm(&mut self) {
        self.told.cells.append(&mut self.warm);
    }

    pub(super) fn tell_finished(&mut self) {
        self.told.is_finished = true;
    }

    pub(super) fn take_told(&mut self) -> Told {
        std::mem::take(&mut self.told)
    }

    pub(super) fn stats(&self, name: &str) -> PoolStats {
        let (slots, queued) = (self.fleet.slots(), self.fleet.queued());
        let running = self.fleet.open().saturating_sub(queued);
        PoolStats {
            name: name.to_string(),
            target: slots,
            live: slots,
            idle: slots.saturating_sub(running),
            queued,
            running,
            submitted: self.counters.submitted,
            succeeded: self.counters.succeeded,
            failed: self.counters.failed,
            ..PoolStats::default()
        }
    }
}

impl Told {
    /// Returns whether the pool has finished.
    pub(super) fn deliver(self) -> bool {
        self.outcomes.into_iter().for_each(|(cell, outcome)| cell.complete(outcome));
        self.cells.into_iter().for_each(|cell| cell.complete(()));
        self.watchers.into_iter().for_each(Watcher::tell);
        self.is_finished
    }
}
