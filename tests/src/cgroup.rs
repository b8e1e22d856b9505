//! A memory cgroup of a case's own, to be starved in. Not everywhere can one be made: it takes rights.

use std::path::{Path, PathBuf};
use std::{fs, process};

use crate::{ms, within};

/// A cgroup that may have so much memory; removed in the end.
#[derive(Debug)]
pub struct MemoryCgroup(PathBuf);

/// Where hierarchies with the memory controller are mounted as a rule, and the file for the limit.
const PLACES: [(&str, &str); 2] =
    [("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")];

impl MemoryCgroup {
    /// A new one of this name; none, and a word about it, where that is not allowed.
    pub fn new(name: &str, limit: u64) -> Option<Self> {
        let name = format!("loky-tests-{}-{name}", process::id());
        let made = PLACES.into_iter().find_map(|(place, file)| Self::at(&Path::new(place).join(&name), file, limit));
        if made.is_none() {
            println!("SKIPPED: no memory cgroup can be made on this machine");
        }
        made
    }

    fn at(path: &Path, file: &str, limit: u64) -> Option<Self> {
        fs::create_dir(path).ok()?;
        let made = Self(path.to_owned());
        fs::write(path.join(file), limit.to_string()).ok()?;
        // Where there is no swap, there is no such file, or nothing to be forbidden.
        let _ = fs::write(path.join("memory.swap.max"), "0");
        let _ = fs::write(path.join("memory.swappiness"), "0");
        Some(made)
    }

    /// Its directory.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Moves a process into it.
    pub fn take_in(&self, pid: u32) {
        enter(&self.0, pid);
    }
}

/// Moves a process into the cgroup of this directory.
pub fn enter(cgroup: &Path, pid: u32) {
    fs::write(cgroup.join("cgroup.procs"), pid.to_string()).expect("whoever makes a cgroup may fill it");
}

impl Drop for MemoryCgroup {
    fn drop(&mut self) {
        // It cannot go before its processes have.
        let _ = within(ms(5000), || fs::remove_dir(&self.0).ok());
    }
}
