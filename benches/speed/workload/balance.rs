//! W5: how much of two processors is left for the tasks themselves, with equal ones, with a few long ones among
//! them, and with many short ones that are mapped over.

use std::time::Instant;

use crate::absent::Measured;
use crate::cell::Notes;
use crate::scale::Scale;
use crate::system::System;

pub(super) fn measure<S: System>(scale: Scale, notes: &Notes) {
    for (key, burns) in lists(scale) {
        let burn = if key == MAPPED { S::burn_mapped } else { S::burn_all };
        notes.put(key, efficiency::<S>(&burns, burn));
    }
}

fn efficiency<S: System>(burns: &[u64], burn: fn(&S, &[u64]) -> Measured<()>) -> Measured<f64> {
    let system = S::start(2)?;
    burn(&system, &[100_000; 20])?;
    let begin = Instant::now();
    burn(&system, burns)?;
    let passed = begin.elapsed();
    system.stop();
    Ok(burns.iter().sum::<u64>() as f64 / 2.0 / passed.as_nanos() as f64 * 100.0)
}

/// How long each task burns, in nanoseconds.
pub(crate) fn lists(scale: Scale) -> [(&'static str, Vec<u64>); 3] {
    let tasks = scale.pick(2000, 200);
    let mut skewed = vec![MILLISECOND / 10; tasks];
    // Spread over the first nine tenths, so that an ideal schedule still ends on both at once.
    (0..LONG_ONES).for_each(|nth| skewed[nth * tasks * 9 / 10 / LONG_ONES] = scale.pick(100, 10) * MILLISECOND);
    let short = vec![MILLISECOND / 10; tasks * 10];
    [("efficiency_uniform", vec![MILLISECOND; tasks]), ("efficiency_skewed", skewed), (MAPPED, short)]
}

const MAPPED: &str = "efficiency_mapped";
const MILLISECOND: u64 = 1_000_000;
const LONG_ONES: usize = 12;
