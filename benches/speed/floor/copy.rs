//! The floor of an echo by value: four copies through shared memory that is warm, and a word that says whose turn it
//! is. What is much longer than memory is kept for goes through a short ring that is warm, at which both sides are at
//! once, into numbers that nobody has touched.

use std::hint;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::thread;
use std::time::Instant;

use super::bare::{Forked, Shared, untouched};
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
            there.copy_out(0, &mut values);
            back.copy_in(0, &values);
            answered.store(turn, Release);
        }
    })?;
    let mut times = Vec::new();
    // The first one touches fresh memory everywhere.
    for turn in 1..=repeats as u64 + 1 {
        let begin = Instant::now();
        there.copy_in(0, &values);
        asked.store(turn, Release);
        wait(answered, turn);
        back.copy_out(0, &mut received);
        times.push(begin.elapsed().as_nanos() as f64);
    }
    times.remove(0);
    if received == values { Ok(median(times)) } else { failed("a wrong echo") }
}

/// The same, each time into numbers that nobody has touched.
pub(super) fn echo_afresh(bytes: usize, repeats: usize) -> Measured<f64> {
    let count = bytes / size_of::<f64>();
    let (there, back) = (Ring::new()?, Ring::new()?);
    let _other = Forked::begin(|| {
        for turn in 0.. {
            let values = there.receive(turn, count);
            back.send(turn, &values);
        }
    })?;
    let mut times = Vec::new();
    for turn in 0..repeats as u64 {
        let values: Vec<f64> = (1..=count).map(|i| i as f64).collect();
        let begin = Instant::now();
        there.send(turn, &values);
        let received = back.receive(turn, count);
        times.push(begin.elapsed().as_nanos() as f64);
        if received != values {
            return failed("a wrong echo");
        }
    }
    Ok(median(times))
}

/// Pieces on their way, and how many have been written and read.
struct Ring {
    pieces: Shared,
    turns: Shared,
}

impl Ring {
    fn new() -> Measured<Self> {
        Ok(Self { pieces: Shared::new(PIECES * PIECE * size_of::<f64>())?, turns: Shared::new(4096)? })
    }

    fn written(&self) -> &AtomicU64 {
        &self.turns.words()[0]
    }

    fn read(&self) -> &AtomicU64 {
        &self.turns.words()[16]
    }

    /// All `turn`s are of the same length.
    fn send(&self, turn: u64, values: &[f64]) {
        let mut number = turn * values.len().div_ceil(PIECE) as u64;
        for piece in values.chunks(PIECE) {
            while number - self.read().load(Acquire) == PIECES as u64 {
                thread::yield_now();
            }
            self.pieces.copy_in(place(number), piece);
            number += 1;
            self.written().store(number, Release);
        }
    }

    fn receive(&self, turn: u64, count: usize) -> Vec<f64> {
        let mut values = untouched(count);
        let mut number = turn * count.div_ceil(PIECE) as u64;
        for piece in values.chunks_mut(PIECE) {
            while self.written().load(Acquire) == number {
                thread::yield_now();
            }
            self.pieces.copy_out(place(number), piece);
            number += 1;
            self.read().store(number, Release);
        }
        values
    }
}

/// Where a piece lies.
fn place(number: u64) -> usize {
    number as usize % PIECES * PIECE
}

/// Numbers in a piece: 64 KiB.
const PIECE: usize = 8 << 10;
/// 8 MiB of them.
const PIECES: usize = 128;

fn wait(turns: &AtomicU64, turn: u64) {
    while turns.load(Acquire) != turn {
        hint::spin_loop();
    }
}
