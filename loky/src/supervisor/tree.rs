//! The processes below a process: found in `/proc`, stopped first, then killed.
//!
//! What is found is a snapshot of something that moves. So each process is stopped when it is found, and the search is
//! repeated until it brings nothing new: a stopped process starts no others. Out of reach is what has left the tree: a
//! process whose own parent has ended belongs to whoever adopts it. A worker adopts the orphans of its descendants, so
//! within a living worker's tree nothing is lost.

use std::collections::HashSet;
use std::fs;

use crate::sys::process;

/// Rounds of searching, each of which must find something new for there to be another one.
const ROUNDS_MAX: usize = 100;

/// Kills every process below `root`, but not `root` itself, which must be stopped or must be the caller.
pub(crate) fn kill_descendants(root: u32) {
    let mut found = HashSet::new();
    for _ in 0..ROUNDS_MAX {
        let new: Vec<_> = descendants(root).into_iter().filter(|pid| !found.contains(pid)).collect();
        if new.is_empty() {
            break;
        }
        new.iter().for_each(|&pid| process::stop_pid(pid));
        found.extend(new);
    }
    found.into_iter().for_each(process::kill_pid);
}

/// Kills everything below this process and collects it, until nothing is left below; for a process that is about to
/// end and adopts orphans.
pub(crate) fn kill_own_descendants() {
    let me = std::process::id();
    for _ in 0..ROUNDS_MAX {
        let children = children(me);
        if children.is_empty() {
            return;
        }
        kill_descendants(me);
        children.into_iter().for_each(process::reap_pid);
    }
}

/// Collects what has ended below this process and was left to it: the same is to be seen here twice, as `seen` keeps it, since
/// whoever has started a process may be about to collect it.
#[cfg(feature = "cluster")]
pub(crate) fn reap_adopted(seen: &mut HashSet<u32>) {
    let ended: HashSet<_> = children(std::process::id()).into_iter().filter(|&pid| has_ended(pid)).collect();
    ended.intersection(seen).for_each(|&pid| process::reap_pid(pid));
    *seen = ended;
}

#[cfg(feature = "cluster")]
fn has_ended(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rfind(')').is_some_and(|end| stat[end + 1..].trim_start().starts_with('Z'))
}

fn descendants(root: u32) -> Vec<u32> {
    let mut found = children(root);
    let mut next = 0;
    while let Some(&pid) = found.get(next) {
        found.extend(children(pid));
        next += 1;
    }
    found
}

/// The children of every thread of a process; none of a process that is gone.
fn children(pid: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let lists = threads.flatten().map(|thread| fs::read_to_string(thread.path().join("children")));
    let mut found = Vec::new();
    for list in lists {
        match list {
            Ok(list) => found.extend(list.split_ascii_whitespace().filter_map(|pid| pid.parse::<u32>().ok())),
            // A thread that has just ended, or a kernel without these lists.
            Err(_) => return children_by_scan(pid),
        }
    }
    found
}

/// The same by asking every process for its parent.
fn children_by_scan(parent: u32) -> Vec<u32> {
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = processes.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|&pid| parent_of(pid) == Some(parent)).collect()
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything, parentheses and spaces included.
    let after_name = &stat[stat.rfind(')')? + 1..];
    after_name.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_of_this_process_is_found_in_proc() {
        assert_eq!(parent_of(std::process::id()), Some(process::parent_pid()));
        assert_eq!(parent_of(u32::MAX), None);
    }
}
