//! What carries out the calls of a pool: a driver, whose workers are on this machine, or a cluster, whose workers are on many.
//!
//! Both take the same requests. Without the feature `cluster` there is one kind only, and the choice costs nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

#[cfg(feature = "progress")]
use crate::bars::Own;
use crate::config::Settings;
use crate::driver::{Callback, Driver, Landing, Order, OutcomeCell};
use crate::error::{Error, ErrorKind};
use crate::ids::CallKey;
#[cfg(feature = "cluster")]
use crate::node::{self, Cluster};
use crate::observe::PoolStats;
use crate::oneshot::{Cell, Watcher};

/// See the module.
#[derive(Clone, Debug)]
pub(crate) enum Engine {
    Local(Arc<Driver>),
    #[cfg(feature = "cluster")]
    Cluster(Arc<Cluster>),
}

/// Asks whichever it is.
macro_rules! ask {
    ($engine:expr, $one:ident => $asked:expr) => {
        match $engine {
            Engine::Local($one) => $asked,
            #[cfg(feature = "cluster")]
            Engine::Cluster($one) => $asked,
        }
    };
}

impl Engine {
    /// Starts nothing.
    pub(super) fn new(settings: Settings) -> Self {
        #[cfg(feature = "cluster")]
        if let Some(hub) = node::hub().filter(|_| !settings.is_local) {
            return Self::Cluster(Cluster::new(settings, hub));
        }
        Self::Local(Driver::new(settings))
    }

    /// An error if a pool with these settings cannot have workers where it would have them.
    #[cfg(feature = "cluster")]
    pub(super) fn check(settings: &Settings) -> Result<(), Error> {
        match settings.that_stays() {
            Some(setting) if node::hub().is_some() && !settings.is_local => {
                let what = format!("a pool whose workers are on many machines cannot be built with `{setting}`");
                let advice = "a pool that is `.local()` can have it";
                Err(Error::new(ErrorKind::Config, what).with_advice(advice))
            }
            _ => Ok(()),
        }
    }

    /// The same: all workers are on this machine.
    #[cfg(not(feature = "cluster"))]
    pub(super) const fn check(_settings: &Settings) -> Result<(), Error> {
        Ok(())
    }

    /// Whether both are the same one.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Local(one), Self::Local(other)) => Arc::ptr_eq(one, other),
            #[cfg(feature = "cluster")]
            (Self::Cluster(one), Self::Cluster(other)) => Arc::ptr_eq(one, other),
            #[cfg(feature = "cluster")]
            _ => false,
        }
    }

    pub(super) fn submit(
        &self,
        order: &mut Option<Order>,
        cell: Option<&Arc<OutcomeCell>>,
        heed_limit: bool,
    ) -> Option<Result<CallKey, Error>> {
        ask!(self, one => one.submit(order, cell, heed_limit))
    }

    pub(super) fn has_room(&self, bytes: usize, watcher: impl FnOnce() -> Option<Watcher>) -> bool {
        ask!(self, one => one.has_room(bytes, watcher))
    }

    pub(super) fn wait(&self, until: Option<Instant>, is_done: impl Fn() -> bool, watch: impl Fn()) -> bool {
        ask!(self, one => one.wait(until, is_done, watch))
    }

    /// The same, where it is this call whose end may make `is_done` true.
    pub(super) fn wait_for(
        &self,
        awaited: Option<CallKey>,
        until: Option<Instant>,
        is_done: impl Fn() -> bool,
        watch: impl Fn(),
    ) -> bool {
        match self {
            Self::Local(driver) => driver.wait_for(awaited, until, is_done, watch),
            #[cfg(feature = "cluster")]
            Self::Cluster(cluster) => cluster.wait(until, is_done, watch),
        }
    }

    /// Somebody waits for the ends of these calls who does not drive.
    pub(super) fn await_calls(&self, calls: impl IntoIterator<Item = CallKey>) {
        match self {
            Self::Local(driver) => driver.await_calls(calls),
            // It tells at once whatever comes.
            #[cfg(feature = "cluster")]
            Self::Cluster(_) => {}
        }
    }

    /// Takes in what workers have said, if nobody has yet.
    pub(super) fn catch_up(&self) {
        match self {
            Self::Local(driver) => driver.catch_up(),
            // The hub listens at all times.
            #[cfg(feature = "cluster")]
            Self::Cluster(_) => {}
        }
    }

    pub(super) fn resize_to_processors(&self, cpus: usize) {
        match self {
            Self::Local(driver) => driver.resize_to_processors(cpus),
            // Each machine has its own.
            #[cfg(feature = "cluster")]
            Self::Cluster(_) => {}
        }
    }

    #[cfg(feature = "progress")]
    pub(super) fn at_work(&self) -> (usize, Vec<Own>) {
        match self {
            Self::Local(driver) => driver.at_work(),
            #[cfg(feature = "cluster")]
            Self::Cluster(cluster) => (cluster.stats().running, Vec::new()),
        }
    }

    pub(super) fn cancel(&self, call: CallKey) -> bool {
        ask!(self, one => one.cancel(call))
    }

    pub(super) fn cancel_all(&self, calls: impl IntoIterator<Item = CallKey>) {
        ask!(self, one => one.cancel_all(calls));
    }

    pub(super) fn ask_to_end(&self, call: CallKey, grace: Duration) -> bool {
        ask!(self, one => one.ask_to_end(call, grace))
    }

    pub(super) fn has_started(&self, call: CallKey) -> Option<bool> {
        ask!(self, one => one.has_started(call))
    }

    pub(super) fn has_outcome(&self, call: CallKey) -> bool {
        ask!(self, one => one.has_outcome(call))
    }

    pub(super) fn ended_in(&self, call: CallKey) -> Option<Option<ErrorKind>> {
        ask!(self, one => one.ended_in(call))
    }

    pub(super) fn cell_of(&self, call: CallKey) -> Option<Arc<OutcomeCell>> {
        ask!(self, one => one.cell_of(call))
    }

    pub(super) fn claim(&self, call: CallKey) -> Option<Landing> {
        ask!(self, one => one.claim(call))
    }

    pub(super) fn claim_at_end(&self, call: CallKey) -> Option<Landing> {
        match self {
            Self::Local(driver) => driver.claim_at_end(call),
            #[cfg(feature = "cluster")]
            Self::Cluster(cluster) => cluster.claim(call),
        }
    }

    pub(super) fn let_go(&self, call: CallKey) {
        ask!(self, one => one.let_go(call));
    }

    pub(super) fn run_callback(&self, callback: Callback) {
        ask!(self, one => one.run_callback(callback));
    }

    pub(super) fn check_process(&self) -> Result<(), Error> {
        ask!(self, one => one.check_process())
    }

    pub(super) fn target(&self) -> usize {
        ask!(self, one => one.target())
    }

    pub(super) fn resize(&self, workers: usize) {
        ask!(self, one => one.resize(workers));
    }

    pub(super) fn warm_up(&self) -> Result<Arc<Cell<()>>, Error> {
        ask!(self, one => one.warm_up())
    }

    pub(super) fn stats(&self) -> PoolStats {
        ask!(self, one => one.stats())
    }

    pub(super) fn ask_shutdown(&self, is_forced: bool) {
        ask!(self, one => one.ask_shutdown(is_forced));
    }

    pub(super) fn wait_finished(&self, until: Option<Instant>) -> bool {
        ask!(self, one => one.wait_finished(until))
    }

    pub(super) fn is_shutting_down(&self) -> bool {
        ask!(self, one => one.is_shutting_down())
    }
}
