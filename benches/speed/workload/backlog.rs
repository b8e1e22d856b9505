//! W8: calls that have to wait because the only worker is busy: what it takes to spawn them, and what they hold.

use std::mem;
use std::time::Instant;

use crate::absent::Measured;
use crate::cell::Notes;
use crate::gate::Gate;
use crate::procfs;
use crate::scale::Scale;
use crate::system::System;

pub(super) fn measure<S: System>(scale: Scale, notes: &Notes) {
    match fill::<S>(scale.pick(1_000_000, 10_000).min(S::BACKLOG_MAX)) {
        Ok((nanoseconds, bytes)) => {
            notes.put("submit", Ok(nanoseconds));
            notes.put("pending_bytes", Ok(bytes));
        }
        Err(why) => notes.put("submit", Err(why)),
    }
}

/// Nanoseconds and bytes of each call.
fn fill<S: System>(calls: usize) -> Measured<(f64, f64)> {
    let system = S::start(1)?;
    system.next(1)?;
    let gate = Gate::open()?;
    let visit = system.visits(gate.name(), 1)?;
    let visitor = gate.welcome(1)?;
    let before = procfs::memory(std::process::id(), "Rss:")?;
    let begin = Instant::now();
    let backlog = system.backlog(calls)?;
    let passed = begin.elapsed();
    let after = procfs::memory(std::process::id(), "Rss:")?;
    // Left to the end of the process, which is near: to serve them all is another workload.
    mem::forget((backlog, visitor, visit));
    mem::forget(system);
    Ok((passed.as_nanos() as f64 / calls as f64, (after - before) / calls as f64))
}
