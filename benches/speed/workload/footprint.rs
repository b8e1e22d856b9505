//! W7: what four idle workers hold, and what their parent holds for them.

use std::thread;
use std::time::Duration;

use super::meet;
use crate::absent::{Absent, Measured, outcome};
use crate::cell::Notes;
use crate::procfs;
use crate::scale::median;
use crate::system::System;

pub(super) fn measure<S: System>(notes: &Notes) {
    for (keys, measured) in [(KEYS, of_started::<S>()), (KEYS_OF_COPIES, of_copies::<S>())] {
        match measured {
            Ok(figures) => keys.iter().zip(figures).for_each(|(key, figure)| notes.put(key, figure)),
            Err(why) => {
                let why = outcome(Err(why));
                keys.iter().for_each(|key| notes.put_outcome(key, &why));
            }
        }
    }
}

fn of_started<S: System>() -> Measured<Vec<Measured<f64>>> {
    let me = std::process::id();
    let (threads, descriptors) = (procfs::threads(me)?, procfs::descriptors(me)?);
    let (system, workers) = begin(S::start)?;
    let others = procfs::children()?.into_iter().filter(|child| !workers.contains(child)).count();
    let figures = vec![
        each::<S>(&workers, pss),
        each::<S>(&workers, private),
        each::<S>(&workers, procfs::descriptors),
        Ok((procfs::descriptors(me)? - descriptors) / WORKERS as f64),
        Ok(procfs::threads(me)? - threads),
        Ok(others as f64),
    ];
    system.stop();
    Ok(figures)
}

fn of_copies<S: System>() -> Measured<Vec<Measured<f64>>> {
    let (system, workers) = begin(S::start_copies)?;
    let figures = vec![each::<S>(&workers, pss), each::<S>(&workers, private)];
    system.stop();
    Ok(figures)
}

/// A pool whose workers have done something and are idle now.
fn begin<S: System>(start: fn(usize) -> Measured<S>) -> Measured<(S, Vec<u32>)> {
    let system = start(WORKERS)?;
    let workers = meet(&system, WORKERS)?.pids;
    (0..100).try_for_each(|x| system.next(x).map(drop))?;
    // Whatever is done once more after a call has been done by now.
    thread::sleep(Duration::from_millis(100));
    Ok((system, workers))
}

fn each<S: System>(workers: &[u32], look: fn(u32) -> Measured<f64>) -> Measured<f64> {
    if !S::HAS_PROCESSES {
        return Err(Absent::NotOffered);
    }
    Ok(median(workers.iter().map(|pid| look(*pid)).collect::<Measured<_>>()?))
}

pub(crate) fn pss(pid: u32) -> Measured<f64> {
    procfs::memory(pid, "Pss:")
}

pub(crate) fn private(pid: u32) -> Measured<f64> {
    Ok(procfs::memory(pid, "Private_Clean:")? + procfs::memory(pid, "Private_Dirty:")?)
}

const WORKERS: usize = 4;
const KEYS: &[&str] = &["pss", "private", "descriptors", "parent_descriptors", "parent_threads", "other_processes"];
const KEYS_OF_COPIES: &[&str] = &["pss_of_copy", "private_of_copy"];
