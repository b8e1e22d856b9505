//! W4: numbers there and back, in the natural way: a `Vec<f64>` as argument and as result.

use std::time::Instant;

use super::shared;
use crate::absent::{Absent, Measured, failed};
use crate::cell::Notes;
use crate::scale::Scale;
use crate::system::System;

/// In bytes, and how often each is sent.
pub(crate) const SIZES: [(&str, usize, usize); 4] =
    [("echo_1k", 1 << 10, 2000), ("echo_64k", 64 << 10, 500), ("echo_1m", 1 << 20, 50), ("echo_64m", 64 << 20, 5)];

/// The same of what takes long even once; less of it to see that it is alive.
pub(crate) fn longest(scale: Scale) -> (&'static str, usize, usize) {
    ("echo_512m", scale.pick(512 << 20, 16 << 20), 1)
}

pub(super) fn measure<S: System>(scale: Scale, notes: &Notes) {
    match S::start(1) {
        Ok(system) => {
            for (key, bytes, repeats) in SIZES {
                notes.put(key, scale.median_of(repeats, || echo(&system, bytes)));
            }
            let (key, bytes, repeats) = longest(scale);
            let is_offered = S::IS_FAST_BY_VALUE.then_some(()).ok_or(Absent::NotOffered);
            notes.put(key, is_offered.and_then(|()| scale.median_of(repeats, || echo(&system, bytes))));
            shared::measure(&system, scale, notes);
            system.stop();
        }
        Err(why) => notes.put("echo_1k", Err(why)),
    }
}

fn echo<S: System>(system: &S, bytes: usize) -> Measured<f64> {
    let values: Vec<f64> = (0..bytes / size_of::<f64>()).map(|i| i as f64).collect();
    let last = values.last().copied();
    let begin = Instant::now();
    let back = system.echo(values)?;
    let passed = begin.elapsed();
    if back.last().copied() == last { Ok(passed.as_nanos() as f64) } else { failed("a wrong echo") }
}
