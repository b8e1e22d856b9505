//! The floor: the same workloads by bare system calls and shared memory, with no library between them and the kernel.
//!
//! Nothing here could be used by a program: no errors, no types, no limits. That is what makes it a floor.

mod bare;
mod copy;
mod counter;
mod death;
mod exec;
mod heap;
mod idle;
mod ping;
mod rings;
mod shared;
mod zygote;

use crate::absent::{Absent, Measured};
use crate::cell::Notes;
use crate::scale::Scale;
use crate::workload;

/// In a process that the floor may have started: does what it was started for. `false`: it was not.
pub(crate) fn has_served(argument: Option<&str>) -> bool {
    match argument {
        Some(exec::ANSWER) => exec::answer(),
        Some(zygote::COPY) => zygote::copy(),
        _ => return false,
    }
    true
}

pub(crate) fn measure(workload: &str, scale: Scale, notes: &Notes) {
    match workload {
        "W1" => start(scale, notes),
        "W2" => round_trip(scale, notes),
        "W3" => {
            notes.put("calls_each", rings::rate(scale, 1));
            notes.put("calls_mapped", rings::rate(scale, 64));
        }
        "W4" => {
            echo(scale, notes);
            shared::measure(scale, notes);
        }
        "W5" => {
            workload::balance_lists(scale).iter().for_each(|(key, burns)| notes.put(key, counter::efficiency(burns)))
        }
        "W6" => {
            notes.put("crash_to_error", scale.median_of(20, death::seen_after));
            none(notes, &["lost", "served_after", "hung_over_limit"]);
        }
        "W7" => {
            ["pss", "pss_of_copy"].iter().for_each(|key| notes.put(key, idle::median_of_four(workload::pss)));
            ["private", "private_of_copy"]
                .iter()
                .for_each(|key| notes.put(key, idle::median_of_four(workload::private)));
            none(notes, &["descriptors", "parent_descriptors", "parent_threads", "other_processes"]);
        }
        "W8" => {
            let (time, bytes) = split(heap::fill(scale.pick(1_000_000, 10_000)));
            notes.put("submit", time);
            notes.put("pending_bytes", bytes);
        }
        _ => {
            notes.put("again", Ok(heap::lock_and_clone()));
            notes.put("grow", scale.median_of(5, || exec::all_answered(2)));
            notes.put("grow_copies", scale.median_of(9, || zygote::more(2)));
            none(notes, &["shrink"]);
        }
    }
}

fn start(scale: Scale, notes: &Notes) {
    for key in ["first_of_1", "first_of_2"] {
        notes.put(key, scale.median_of(9, || exec::all_answered(1)));
    }
    for (processes, key, repeats) in [(2, "all_of_2", 9), (8, "all_of_8", 5), (32, "all_of_32", 3)] {
        notes.put(key, scale.median_of(repeats, || exec::all_answered(processes)));
    }
    for (copies, key, repeats) in [(8, "copies_of_8", 9), (32, "copies_of_32", 5)] {
        notes.put(key, scale.median_of(repeats, || zygote::all_answered(copies)));
    }
}

fn round_trip(scale: Scale, notes: &Notes) {
    let (median, p99) = split(ping::spinning(scale.pick(10_000, 500)));
    notes.put("round_trip", median);
    notes.put("round_trip_p99", p99);
    notes.put("round_trip_rested", ping::piped_after_a_rest(scale.pick(500, 50)));
    none(notes, &["cores_sparse", "cores_idle"]);
}

fn echo(scale: Scale, notes: &Notes) {
    for (key, bytes, repeats) in workload::ECHO_SIZES {
        notes.put(key, copy::echo(bytes, scale.pick(repeats, 2)));
    }
    let (key, bytes, repeats) = workload::longest_echo(scale);
    notes.put(key, copy::echo_afresh(bytes, repeats));
}

fn none(notes: &Notes, keys: &[&str]) {
    keys.iter().for_each(|key| notes.put(key, Err(Absent::NotOffered)));
}

fn split(both: Measured<(f64, f64)>) -> (Measured<f64>, Measured<f64>) {
    match both {
        Ok((one, other)) => (Ok(one), Ok(other)),
        Err(Absent::NotOffered) => (Err(Absent::NotOffered), Err(Absent::NotOffered)),
        Err(Absent::Failed(why)) => (Err(Absent::Failed(why.clone())), Err(Absent::Failed(why))),
    }
}
