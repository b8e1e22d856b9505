//! The other half of W4: numbers that all processes share. What it costs to share them, and what a call costs that is
//! given them, for the first time and again.

use std::time::Instant;

use crate::absent::{Absent, Measured, failed};
use crate::cell::Notes;
use crate::scale::Scale;
use crate::system::{SharedNumbers, System};

/// The figures in the order in which they are measured.
pub(crate) const KEYS: [&str; 6] =
    ["shared_echo_first", "shared_echo_1m", "shared_put", "shared_sum_first", "shared_sum_again", "shared_echo_512m"];

/// How many calls, or other turns, are measured of each.
pub(crate) const FIRST: usize = 50;
pub(crate) const AGAIN: usize = 5000;
pub(crate) const SUMS: usize = 3;

pub(crate) fn some_values() -> Vec<f64> {
    numbers(1 << 20)
}

pub(crate) fn many_values(scale: Scale) -> Vec<f64> {
    numbers(scale.pick(512 << 20, 4 << 20))
}

pub(super) fn measure<S: System>(system: &S, scale: Scale, notes: &Notes) {
    if let Err(Absent::NotOffered) = system.share(&[1.0]).map(drop) {
        return KEYS.iter().for_each(|key| notes.put(key, Err(Absent::NotOffered)));
    }
    let some = some_values();
    notes.put("shared_echo_first", scale.median_of(FIRST, || first(system, &some)));
    notes.put("shared_echo_1m", system.share(&some).and_then(|shared| echo(&*shared, scale)));
    let many = many_values(scale);
    let begin = Instant::now();
    let shared = system.share(&many);
    let put = begin.elapsed().as_nanos() as f64;
    match shared {
        Ok(shared) => {
            notes.put("shared_put", Ok(put));
            let expected = crate::tasks::sum(&many);
            drop(many);
            notes.put("shared_sum_first", sum(&*shared, expected));
            notes.put("shared_sum_again", scale.median_of(SUMS, || sum(&*shared, expected)));
            notes.put("shared_echo_512m", echo(&*shared, scale));
        }
        Err(why) => notes.put("shared_put", Err(why)),
    }
}

fn first(system: &impl System, values: &[f64]) -> Measured<f64> {
    let shared = system.share(values)?;
    let begin = Instant::now();
    shared.echo()?;
    Ok(begin.elapsed().as_nanos() as f64)
}

fn echo(shared: &dyn SharedNumbers, scale: Scale) -> Measured<f64> {
    shared.echo()?;
    scale.median_of(AGAIN, || {
        let begin = Instant::now();
        shared.echo()?;
        Ok(begin.elapsed().as_nanos() as f64)
    })
}

fn sum(shared: &dyn SharedNumbers, expected: f64) -> Measured<f64> {
    let begin = Instant::now();
    let sum = shared.sum()?;
    let passed = begin.elapsed();
    if sum == expected { Ok(passed.as_nanos() as f64) } else { failed("a wrong sum") }
}

fn numbers(bytes: usize) -> Vec<f64> {
    (0..bytes / size_of::<f64>()).map(|i| i as f64).collect()
}
