//! The floor of an echo by value: four copies through shared memory that is warm, and a word that says whose turn it
//! is.

use std::hint;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::time::Instant;

use super::bare::{Forked, Shared};
use crate::absent::{Measured, failed};
use crate::scale::median;

pub(super) fn echo(bytes: usize, repeats: usize) -> Measured<f64> {
    let (there, back, turns) = (Shared::new(bytes)?, Shared::new(bytes)?, Shared::new(4096)?);
    let (asked, answered) = (&turns.words()[0], &turns.words()[16]);
    let values: Vec<f64> = (1..=bytes / size_of::<f64>()).map(|i| i as f64).collect();
    let mut received = vec![0.0; values.len()];
    let _other = Forked::begin(|| {
        let mut values = vec![0.0; bytes / size_of::<f64>()];
        for turn in 1.. {
            wait(asked, turn);
            there.copy_out(&mut values);
            back.copy_in(&values);
            answered.store(turn, Release);
        }
    })?;
    let mut times = Vec::new();
    // The first one touches fresh memory everywhere.
    for turn in 1..=repeats as u64 + 1 {
        let begin = Instant::now();
        there.copy_in(&values);
        asked.store(turn, Release);
        wait(answered, turn);
        back.copy_out(&mut received);
        times.push(begin.elapsed().as_nanos() as f64);
    }
    times.remove(0);
    if received == values { Ok(median(times)) } else { failed("a wrong echo") }
}

fn wait(turns: &AtomicU64, turn: u64) {
    while turns.load(Acquire) != turn {
        hint::spin_loop();
    }
}
