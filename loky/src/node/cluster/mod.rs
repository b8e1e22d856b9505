//! What a pool has instead of a driver where its workers are on many machines: the same requests, and the same outcomes.
//!
//! All decisions are the fleet's. What happens is told to it under one lock, what follows is handed to wires and cells, and
//! outcomes are delivered once the lock is released. Whoever waits parks: the hub is a thread of its own.

mod answers;
mod members;
mod requests;
mod settle;
mod state;

use std::sync::Arc;
use std::time::Instant;

use self::state::State;
use super::hub::Hub;
use super::lease::Moment;
use super::message::PoolId;
use crate::config::Settings;
use crate::driver::{Callback, Callbacks, Landing, OutcomeCell, belongs_to};
use crate::error::{Error, ErrorKind};
use crate::ids::CallKey;
use crate::observe::PoolStats;
use crate::oneshot::{Cell, Watcher};
use crate::sync::{Mutex, park, park_timeout};
use crate::sys::clock;
use crate::sys::own_pid::own_pid;

/// See the module.
#[derive(Debug)]
pub(crate) struct Cluster {
    /// The process that it belongs to: a forked child has a copy of it that it must not touch.
    pid: u32,
    id: PoolId,
    settings: Settings,
    hub: Arc<Hub>,
    state: Mutex<State>,
    callbacks: Callbacks,
    finished: Cell<()>,
}

impl Cluster {
    pub(crate) fn new(settings: Settings, hub: &Arc<Hub>) -> Arc<Self> {
        let id = hub.next_pool();
        let cluster = Arc::new(Self {
            pid: own_pid(),
            id,
            state: Mutex::new(State::new(&settings, hub.patience(), clock::since_boot())),
            settings,
            hub: Arc::clone(hub),
            callbacks: Callbacks::default(),
            finished: Cell::new(),
        });
        hub.enter(Arc::clone(&cluster));
        cluster
    }

    pub(super) const fn id(&self) -> PoolId {
        self.id
    }

    /// Tells the fleet, and does what follows.
    fn act<T>(&self, work: impl FnOnce(&mut State, Moment) -> T) -> T {
        let now = clock::since_boot();
        let mut state = self.state.lock();
        let next_before = state.fleet.next_timeout();
        let done = work(&mut state, now);
        self.perform(&mut state, now);
        let is_sooner = state.fleet.next_timeout().is_some_and(|at| next_before.is_none_or(|before| at < before));
        let told = state.take_told();
        drop(state);
        if is_sooner {
            self.hub.ring();
        }
        if told.deliver() {
            self.finished.complete(());
        }
        done
    }

    /// Blocks until `is_done` or `until`. Once `watch` was called, whoever makes `is_done` true must unpark this thread.
    pub(crate) fn wait(&self, until: Option<Instant>, is_done: impl Fn() -> bool, watch: impl Fn()) -> bool {
        loop {
            watch();
            if is_done() {
                return true;
            }
            match until.map(|until| until.saturating_duration_since(Instant::now())) {
                None => park(),
                Some(left) if left.is_zero() => return false,
                Some(left) => park_timeout(left),
            }
        }
    }

    /// Waits until a shutdown that was asked for is through and nothing of the pool is left on any machine.
    pub(crate) fn wait_finished(&self, until: Option<Instant>) -> bool {
        if self.is_foreign() {
            return true;
        }
        if !self.wait(until, || self.finished.is_done(), || self.finished.watch(Watcher::this_thread())) {
            return false;
        }
        self.callbacks.end();
        true
    }

    pub(crate) fn is_shutting_down(&self) -> bool {
        !self.is_foreign() && self.state.lock().fleet.is_shutting_down()
    }

    pub(crate) fn run_callback(&self, callback: Callback) {
        self.callbacks.run(callback);
    }

    /// Workers wanted in all: those of the agents that are there, and of those that are still expected.
    pub(crate) fn target(&self) -> usize {
        if self.is_foreign() {
            return 0;
        }
        let (expected, state) = (self.hub.expected(), self.state.lock());
        let missing = expected.saturating_sub(state.members());
        (state.fleet.slots() + missing * state.workers_each).max(1)
    }

    pub(crate) fn check_process(&self) -> Result<(), Error> {
        if self.is_foreign() { Err(belongs_to(self.pid)) } else { Ok(()) }
    }

    fn is_foreign(&self) -> bool {
        own_pid() != self.pid
    }

    /// What is known here: of the processes on other machines, it is how many there are.
    pub(crate) fn stats(&self) -> PoolStats {
        if self.is_foreign() { PoolStats::default() } else { self.state.lock().stats(&self.settings.name) }
    }

    /// Whether the outcome is there for the handle.
    pub(crate) fn has_outcome(&self, call: CallKey) -> bool {
        !self.is_foreign() && self.state.lock().handles.get(&call.id).is_none_or(|cell| cell.is_done())
    }

    /// What kind of failure the call has ended in, if it has ended; the inner `None` is a result.
    pub(crate) fn ended_in(&self, call: CallKey) -> Option<Option<ErrorKind>> {
        self.cell_of(call)?.look(|outcome| outcome.kind_of_failure())
    }

    /// Where to watch for the outcome. `None` in a forked child, and where the handle has taken it.
    pub(crate) fn cell_of(&self, call: CallKey) -> Option<Arc<OutcomeCell>> {
        if self.is_foreign() { None } else { self.state.lock().handles.get(&call.id).cloned() }
    }

    /// The handle takes the outcome, or the place where it will be, and asks no more.
    pub(crate) fn claim(&self, call: CallKey) -> Option<Landing> {
        if self.is_foreign() {
            return None;
        }
        self.state.lock().handles.remove(&call.id).map(Landing::Cell)
    }

    /// The handle is gone.
    pub(crate) fn let_go(&self, call: CallKey) {
        if !self.is_foreign() {
            let cell = self.state.lock().handles.remove(&call.id);
            // What a call has printed is shown at the latest here.
            drop(cell);
        }
    }
}
