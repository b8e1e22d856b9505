//! W3: as many calls as can be of a task that does nothing: each with a handle of its own, and mapped over a range.

use std::time::Instant;

use crate::absent::{Measured, failed};
use crate::cell::Notes;
use crate::scale::Scale;
use crate::system::System;

pub(super) fn measure<S: System>(scale: Scale, notes: &Notes) {
    notes.put("calls_each", rate::<S>(scale, S::next_each));
    notes.put("calls_mapped", rate::<S>(scale, S::next_mapped));
}

fn rate<S: System>(scale: Scale, run: fn(&S, u64) -> Measured<u64>) -> Measured<f64> {
    let system = S::start(2)?;
    timed(&system, run, 200)?;
    let seconds_each = timed(&system, run, 1000)? / 1000.0;
    let most = scale.pick(1_000_000, 10_000);
    let fits = |calls: &u64| *calls <= most && seconds_each * (*calls as f64) < 2.0;
    let calls = [1_000_000, 100_000, 10_000].into_iter().find(fits).unwrap_or(1000);
    let rate = scale.median_of(3, || Ok(calls as f64 / timed(&system, run, calls)?));
    system.stop();
    rate
}

fn timed<S: System>(system: &S, run: fn(&S, u64) -> Measured<u64>, calls: u64) -> Measured<f64> {
    let begin = Instant::now();
    let sum = run(system, calls)?;
    let passed = begin.elapsed().as_secs_f64();
    if sum == calls * (calls + 1) / 2 { Ok(passed) } else { failed(format!("a wrong sum: {sum}")) }
}
