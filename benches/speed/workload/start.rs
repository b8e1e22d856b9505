//! W1: from nothing to the first result, and to an answer of every worker. The end of the pool is not timed.

use std::time::Instant;

use super::meet;
use crate::absent::{Measured, failed};
use crate::cell::Notes;
use crate::scale::Scale;
use crate::system::System;

pub(super) fn measure<S: System>(scale: Scale, notes: &Notes) {
    for (workers, key) in [(1, "first_of_1"), (2, "first_of_2")] {
        notes.put(key, scale.median_of(9, || first_result::<S>(workers)));
    }
    for (workers, key, repeats) in [(2, "all_of_2", 9), (8, "all_of_8", 5), (32, "all_of_32", 3)] {
        notes.put(key, scale.median_of(repeats, || all_answered(S::start, workers)));
    }
    for (workers, key, repeats) in [(8, "copies_of_8", 9), (32, "copies_of_32", 5)] {
        notes.put(key, scale.median_of(repeats, || all_answered(S::start_copies, workers)));
    }
}

fn first_result<S: System>(workers: usize) -> Measured<f64> {
    let begin = Instant::now();
    let system = S::start(workers)?;
    let result = system.next(41)?;
    let passed = begin.elapsed();
    system.stop();
    if result == 42 { Ok(passed.as_nanos() as f64) } else { failed(format!("a wrong result: {result}")) }
}

fn all_answered<S: System>(start: fn(usize) -> Measured<S>, workers: usize) -> Measured<f64> {
    let begin = Instant::now();
    let system = start(workers)?;
    let visitors = meet(&system, workers)?;
    system.stop();
    if S::HAS_PROCESSES && visitors.pids.len() != workers {
        return failed(format!("{} workers came instead of {workers}", visitors.pids.len()));
    }
    Ok(visitors.complete.duration_since(begin).as_nanos() as f64)
}
