//! What a workload asks of a pool, whoever made it.

mod ours;
mod procspawn;
mod rayon;

use std::any::Any;
use std::time::Duration;

pub(crate) use ours::Loky;
pub(crate) use procspawn::Procspawn;
pub(crate) use rayon::Rayon;

use crate::absent::{Absent, Measured};

/// Waits for what was spawned.
pub(crate) type Pending<'a> = Box<dyn FnOnce() -> Measured<()> + 'a>;

/// How a crash among other calls went.
pub(crate) struct Crash {
    /// When its error was there, by `tasks::now`.
    pub(crate) seen: u64,
    /// Of the good calls around it, how many have no result.
    pub(crate) lost: usize,
}

/// Numbers that all processes share.
pub(crate) trait SharedNumbers {
    /// One call that returns them.
    fn echo(&self) -> Measured<()>;

    /// One call that adds them up.
    fn sum(&self) -> Measured<f64>;

    /// The same numbers, in this process.
    fn values(&self) -> &[f64];
}

pub(crate) trait System: Sized {
    /// Whether its workers are processes, to be looked at.
    const HAS_PROCESSES: bool = true;
    /// How many calls may wait at once.
    const BACKLOG_MAX: usize = 1_000_000;
    /// Whether long values travel in less than seconds.
    const IS_FAST_BY_VALUE: bool = true;

    fn start(workers: usize) -> Measured<Self>;

    /// The same with workers that are copies of a process, which is started with the first of them.
    fn start_copies(_workers: usize) -> Measured<Self> {
        Err(Absent::NotOffered)
    }

    /// Ends it, and waits for that.
    fn stop(self);

    /// One call of `next`, waited for.
    fn next(&self, x: u64) -> Measured<u64>;

    /// So many calls of `next`, each with a handle; the sum of the results.
    fn next_each(&self, calls: u64) -> Measured<u64>;

    /// The same in the way that is meant for many.
    fn next_mapped(&self, calls: u64) -> Measured<u64>;

    /// Spawns so many calls of `visit`.
    fn visits(&self, gate: &str, visits: usize) -> Measured<Pending<'_>>;

    fn echo(&self, values: Vec<f64>) -> Measured<Vec<f64>>;

    /// Numbers that are not sent each time, since all processes share them.
    fn share(&self, _values: &[f64]) -> Measured<Box<dyn SharedNumbers + '_>> {
        Err(Absent::NotOffered)
    }

    /// A call of `burn` for each, all waited for.
    fn burn_all(&self, nanoseconds: &[u64]) -> Measured<()>;

    /// The same in the way that is meant for many.
    fn burn_mapped(&self, _nanoseconds: &[u64]) -> Measured<()> {
        Err(Absent::NotOffered)
    }

    /// A call that dies amid others that burn.
    fn crash(&self, _burns: &[u64], _last_words: &str) -> Measured<Crash> {
        Err(Absent::NotOffered)
    }

    /// A call that sleeps for hours, with a time limit; returns when its error is there.
    fn hang(&self, _limit: Duration) -> Measured<()> {
        Err(Absent::NotOffered)
    }

    /// Spawns so many calls of `next` while all workers are busy, and waits for none. What has to be kept is returned.
    fn backlog(&self, calls: usize) -> Measured<Box<dyn Any>>;

    /// Gets the pool again, as any part of a program would that does not have it at hand.
    fn again(&self) -> Measured<()> {
        Err(Absent::NotOffered)
    }

    fn resize(&self, _workers: usize) -> Measured<()> {
        Err(Absent::NotOffered)
    }
}
