//! The tasks: the same functions for every contestant.

use std::time::Duration;

use loky::Shared;
use nix::sys::signal::{Signal, raise};
use nix::time::{ClockId, clock_gettime};

use crate::gate;

#[loky::task]
pub(crate) fn next(x: u64) -> u64 {
    std::hint::black_box(x) + 1
}

#[loky::task]
pub(crate) fn echo(values: Vec<f64>) -> Vec<f64> {
    values
}

#[loky::task]
pub(crate) fn echo_shared(values: Shared<f64>) -> Shared<f64> {
    values
}

#[loky::task]
pub(crate) fn sum_shared(values: Shared<f64>) -> f64 {
    sum(&values)
}

/// One number after the other, as whoever asks for a sum writes it.
pub(crate) fn sum(values: &[f64]) -> f64 {
    values.iter().sum()
}

/// Uses processor time, not time that passes: so nothing is lost between two of these if the sum is right.
#[loky::task]
pub(crate) fn burn(nanoseconds: u64) {
    let end = nanoseconds_of(ClockId::CLOCK_THREAD_CPUTIME_ID) + nanoseconds;
    while nanoseconds_of(ClockId::CLOCK_THREAD_CPUTIME_ID) < end {
        for step in 0..200 {
            std::hint::black_box(step);
        }
    }
}

#[loky::task]
pub(crate) fn visit(gate: String) {
    gate::visit(&gate).expect("the gate is open");
}

/// Says when, and dies.
#[loky::task]
pub(crate) fn die(last_words: String) {
    gate::leave(&last_words, now()).expect("the last words are awaited");
    loop {
        // The standard library handles the first one, and takes its handler away.
        raise(Signal::SIGSEGV).expect("a process may send signals to itself");
    }
}

#[loky::task]
pub(crate) fn sleep(time: Duration) {
    std::thread::sleep(time);
}

/// The clock that all processes of the machine share.
pub(crate) fn now() -> u64 {
    nanoseconds_of(ClockId::CLOCK_MONOTONIC)
}

fn nanoseconds_of(clock: ClockId) -> u64 {
    let time = Duration::from(clock_gettime(clock).expect("every Linux has this clock"));
    time.as_nanos().try_into().expect("no machine has been up for 500 years")
}
