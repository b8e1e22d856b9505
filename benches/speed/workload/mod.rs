//! The workloads: what is asked of a pool, and what is read off the clock meanwhile.

mod backlog;
mod balance;
mod crash;
mod echo;
mod footprint;
mod reuse;
mod round_trip;
pub(crate) mod shared;
mod start;
mod tiny;

pub(crate) use balance::lists as balance_lists;
pub(crate) use echo::{SIZES as ECHO_SIZES, longest as longest_echo};
pub(crate) use footprint::{private, pss};

use crate::absent::Measured;
use crate::cell::Notes;
use crate::gate::{Gate, Visitors};
use crate::scale::Scale;
use crate::system::System;

pub(crate) fn measure<S: System>(workload: &str, scale: Scale, notes: &Notes) {
    match workload {
        "W1" => start::measure::<S>(scale, notes),
        "W2" => round_trip::measure::<S>(scale, notes),
        "W3" => tiny::measure::<S>(scale, notes),
        "W4" => echo::measure::<S>(scale, notes),
        "W5" => balance::measure::<S>(scale, notes),
        "W6" => crash::measure::<S>(scale, notes),
        "W7" => footprint::measure::<S>(notes),
        "W8" => backlog::measure::<S>(scale, notes),
        _ => reuse::measure::<S>(scale, notes),
    }
}

/// Calls as many workers as that to a gate: each comes while all others wait there, so none comes twice.
fn meet<S: System>(system: &S, workers: usize) -> Measured<Visitors> {
    let gate = Gate::open()?;
    let pending = system.visits(gate.name(), workers)?;
    std::thread::scope(|scope| {
        // Beside the thread that waits for the calls, as the library drives them in whoever waits.
        let welcome = scope.spawn(|| {
            let mut visitors = gate.welcome(workers)?;
            visitors.let_go();
            Ok(visitors)
        });
        pending()?;
        welcome.join().expect("this thread does not panic")
    })
}
