//! W9: getting the pool again, and changing its size.

use std::thread;
use std::time::{Duration, Instant};

use super::meet;
use crate::absent::Measured;
use crate::cell::Notes;
use crate::scale::Scale;
use crate::system::System;

pub(super) fn measure<S: System>(scale: Scale, notes: &Notes) {
    notes.put("again", again::<S>(scale));
    notes.put("grow", scale.median_of(5, || grow_and_shrink(S::start).map(|(grow, _)| grow)));
    notes.put("grow_copies", scale.median_of(9, || grow_and_shrink(S::start_copies).map(|(grow, _)| grow)));
    notes.put("shrink", scale.median_of(5, || grow_and_shrink(S::start).map(|(_, shrink)| shrink)));
}

fn again<S: System>(scale: Scale) -> Measured<f64> {
    let system = S::start(2)?;
    system.next(1)?;
    let times = scale.pick(10_000, 1000);
    let begin = Instant::now();
    (0..times).try_for_each(|_| system.again())?;
    let passed = begin.elapsed();
    system.stop();
    Ok(passed.as_nanos() as f64 / f64::from(times))
}

/// From two workers to four that have answered, and back to two and one call.
fn grow_and_shrink<S: System>(start: fn(usize) -> Measured<S>) -> Measured<(f64, f64)> {
    let system = start(2)?;
    meet(&system, 2)?;
    // Whatever is done once more after the first calls, such as to make a zygote ready, has been done by now.
    thread::sleep(Duration::from_millis(20));
    let begin = Instant::now();
    system.resize(4)?;
    let grown = meet(&system, 4)?.complete.duration_since(begin);
    let begin = Instant::now();
    system.resize(2)?;
    system.next(1)?;
    let shrunk = begin.elapsed();
    system.stop();
    Ok((grown.as_nanos() as f64, shrunk.as_nanos() as f64))
}
