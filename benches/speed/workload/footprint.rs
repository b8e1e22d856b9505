//! W7: what four idle workers hold, and what their parent holds for them.

use std::thread;
use std::time::Duration;

use super::meet;
use crate::absent::{Absent, Measured};
use crate::cell::Notes;
use crate::procfs;
use crate::scale::median;
use crate::system::System;

pub(super) fn measure<S: System>(notes: &Notes) {
    if let Err(why) = measure_all::<S>(notes) {
        notes.put("pss", Err(why));
    }
}

fn measure_all<S: System>(notes: &Notes) -> Measured<()> {
    let me = std::process::id();
    let (threads, descriptors) = (procfs::threads(me)?, procfs::descriptors(me)?);
    let system = S::start(WORKERS)?;
    let workers = meet(&system, WORKERS)?.pids;
    (0..100).try_for_each(|x| system.next(x).map(drop))?;
    // Whatever is done once more after a call has been done by now.
    thread::sleep(Duration::from_millis(100));

    let each = |look: fn(u32) -> Measured<f64>| -> Measured<f64> {
        if !S::HAS_PROCESSES {
            return Err(Absent::NotOffered);
        }
        Ok(median(workers.iter().map(|pid| look(*pid)).collect::<Measured<_>>()?))
    };
    notes.put("pss", each(pss));
    notes.put("private", each(private));
    notes.put("descriptors", each(procfs::descriptors));
    notes.put("parent_descriptors", Ok((procfs::descriptors(me)? - descriptors) / WORKERS as f64));
    notes.put("parent_threads", Ok(procfs::threads(me)? - threads));
    let others = procfs::children()?.into_iter().filter(|child| !workers.contains(child)).count();
    notes.put("other_processes", Ok(others as f64));
    system.stop();
    Ok(())
}

pub(crate) fn pss(pid: u32) -> Measured<f64> {
    procfs::memory(pid, "Pss:")
}

pub(crate) fn private(pid: u32) -> Measured<f64> {
    Ok(procfs::memory(pid, "Private_Clean:")? + procfs::memory(pid, "Private_Dirty:")?)
}

const WORKERS: usize = 4;
