//! The other half of W4: numbers that all processes share. What it costs to share them, and what a call costs that is
//! given them, for the first time and again.

use std::hint::black_box;
use std::time::Instant;

use crate::absent::{Absent, Measured, failed};
use crate::cell::Notes;
use crate::scale::{Scale, median};
use crate::system::{SharedNumbers, System};

/// The figures in the order in which they are measured.
pub(crate) const KEYS: [&str; 7] = [
    "shared_echo_first",
    "shared_echo_1m",
    "shared_put",
    "shared_sum_first",
    "shared_sum_again",
    "shared_sum_added",
    "shared_echo_512m",
];

/// How many calls, or other turns, are measured of each.
pub(crate) const FIRST: usize = 50;
pub(crate) const AGAIN: usize = 5000;
const SUMS: usize = 5;

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
            let [again, added] = sums(scale, shared.values(), || sum(&*shared, expected));
            notes.put("shared_sum_again", again);
            notes.put("shared_sum_added", added);
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

/// What `ask` takes, which adds `values` up elsewhere; and how much longer than doing so here, each time right before. Of
/// both the least: what is added is a thousandth of the whole, and anything else on the machine makes more of it.
pub(crate) fn sums(scale: Scale, values: &[f64], mut ask: impl FnMut() -> Measured<f64>) -> [Measured<f64>; 2] {
    let (mut serial, mut asked) = (Vec::new(), Vec::new());
    for _ in 0..scale.pick(SUMS, 2) {
        let begin = Instant::now();
        black_box(crate::tasks::sum(values));
        serial.push(begin.elapsed().as_nanos() as f64);
        asked.push(ask());
    }
    let asked = match asked.into_iter().collect::<Measured<Vec<f64>>>() {
        Ok(asked) => asked,
        Err(why) => return [Err(why), failed("nothing was asked")],
    };
    let least = |times: &[f64]| times.iter().copied().fold(f64::INFINITY, f64::min);
    let added = least(&asked) - least(&serial);
    [Ok(median(asked)), Ok(added.max(0.0))]
}

fn numbers(bytes: usize) -> Vec<f64> {
    (0..bytes / size_of::<f64>()).map(|i| i as f64).collect()
}
