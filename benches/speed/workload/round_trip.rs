//! W2: one call there and back, with one worker that is warm, with one that rests, and what resting costs.

use std::thread;
use std::time::{Duration, Instant};

use super::meet;
use crate::absent::{Measured, failed};
use crate::cell::Notes;
use crate::procfs;
use crate::scale::{Scale, median, p99};
use crate::system::System;

pub(super) fn measure<S: System>(scale: Scale, notes: &Notes) {
    if let Err(why) = measure_all::<S>(scale, notes) {
        notes.put("round_trip", Err(why));
    }
}

fn measure_all<S: System>(scale: Scale, notes: &Notes) -> Measured<()> {
    let system = S::start(1)?;
    let mut pids = meet(&system, 1)?.pids;
    pids.push(std::process::id());
    pids.dedup();
    for x in 0..scale.pick(1000, 100) {
        system.next(x)?;
    }

    let warm = times(&system, scale.pick(10_000, 500), Duration::ZERO)?;
    notes.put("round_trip", Ok(median(warm.clone())));
    notes.put("round_trip_p99", Ok(p99(warm)));

    let (rested, cores) = cores_busy(&pids, || times(&system, scale.pick(500, 50), REST))?;
    notes.put("round_trip_rested", Ok(median(rested)));
    notes.put("cores_sparse", Ok(cores));

    let rest = scale.pick(Duration::from_secs(1), Duration::from_millis(200));
    let idle = || {
        thread::sleep(rest);
        Ok(())
    };
    notes.put("cores_idle", cores_busy(&pids, idle).map(|((), cores)| cores));
    system.stop();
    Ok(())
}

/// Of each call by itself, so that the slowest can be told; reading the clock is part of it.
fn times<S: System>(system: &S, calls: usize, rest: Duration) -> Measured<Vec<f64>> {
    let begin = Instant::now();
    let mut times = Vec::with_capacity(calls);
    while times.len() < calls && begin.elapsed() < LONG_ENOUGH {
        if !rest.is_zero() {
            thread::sleep(rest);
        }
        let begin = Instant::now();
        let result = system.next(7)?;
        times.push(begin.elapsed().as_nanos() as f64);
        if result != 8 {
            return failed(format!("a wrong result: {result}"));
        }
    }
    Ok(times)
}

fn cores_busy<T>(pids: &[u32], work: impl FnOnce() -> Measured<T>) -> Measured<(T, f64)> {
    let (begin, before) = (Instant::now(), procfs::cpu_seconds(pids)?);
    let done = work()?;
    Ok((done, (procfs::cpu_seconds(pids)? - before) / begin.elapsed().as_secs_f64()))
}

const REST: Duration = Duration::from_millis(1);
const LONG_ENOUGH: Duration = Duration::from_secs(2);
