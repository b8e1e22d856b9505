//! The floor of balance: two processes that take the next task from a shared counter.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use super::bare::{Forked, Shared};
use crate::absent::Measured;
use crate::tasks;

pub(super) fn efficiency(burns: &[u64]) -> Measured<f64> {
    let shared = Shared::new(4096)?;
    let taken = &shared.words()[0];
    let work = || {
        while let Some(nanoseconds) = burns.get(taken.fetch_add(1, Relaxed) as usize) {
            tasks::burn(*nanoseconds);
        }
    };
    let begin = Instant::now();
    let workers = [Forked::begin(work)?, Forked::begin(work)?];
    workers.into_iter().try_for_each(Forked::wait)?;
    let passed = begin.elapsed();
    Ok(burns.iter().sum::<u64>() as f64 / 2.0 / passed.as_nanos() as f64 * 100.0)
}
