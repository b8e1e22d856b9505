//! Looks at processes from outside, as the kernel tells it in `/proc`.

use std::fs;

use crate::absent::{Measured, failed};
use crate::machine::TICKS;

/// A field of `/proc/PID/smaps_rollup`, in bytes.
pub(crate) fn memory(pid: u32, field: &str) -> Measured<f64> {
    number(&format!("/proc/{pid}/smaps_rollup"), field).map(|kib| kib * 1024.0)
}

pub(crate) fn threads(pid: u32) -> Measured<f64> {
    number(&format!("/proc/{pid}/status"), "Threads:")
}

pub(crate) fn descriptors(pid: u32) -> Measured<f64> {
    Ok(fs::read_dir(format!("/proc/{pid}/fd"))?.count() as f64)
}

/// The living children of this process.
pub(crate) fn children() -> Measured<Vec<u32>> {
    let mut children = Vec::new();
    for thread in fs::read_dir("/proc/self/task")? {
        // A thread may be gone by now, and its children are another's then.
        let text = fs::read_to_string(thread?.path().join("children")).unwrap_or_default();
        children.extend(text.split_ascii_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
    }
    Ok(children)
}

/// Seconds of processor time that these have used.
pub(crate) fn cpu_seconds(pids: &[u32]) -> Measured<f64> {
    let mut ticks = 0.0;
    for pid in pids {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // The name may itself hold parentheses and spaces; the fields after it may not.
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_ascii_whitespace();
        // utime and stime are the 12th and 13th after the name.
        ticks += fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum::<f64>();
    }
    Ok(ticks / TICKS)
}

fn number(path: &str, field: &str) -> Measured<f64> {
    let text = fs::read_to_string(path)?;
    let value = text.lines().find_map(|line| line.strip_prefix(field)?.split_ascii_whitespace().next()?.parse().ok());
    value.map_or_else(|| failed(format!("{path} has no {field}")), Ok)
}
