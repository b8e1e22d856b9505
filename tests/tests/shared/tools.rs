//! What the cases of this folder have in common: two tasks, and a look at who has mapped or opened a segment.

use std::fs;

use loky::Shared;
use loky_tests::procfs;

/// What the kernel calls the memory.
const NAME: &str = "memfd:loky shared";

/// How many segments a process has mapped.
pub(crate) fn mapped_by(pid: u32) -> usize {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
    maps.lines().filter(|line| line.contains(NAME)).count()
}

/// For how many segments a process has a descriptor.
pub(crate) fn opened_by(pid: u32) -> usize {
    procfs::descriptors_of(pid).values().filter(|target| target.contains(NAME)).count()
}

/// The descriptors of segments that this process has.
pub(crate) fn opened() -> Vec<i32> {
    procfs::descriptors().into_iter().filter(|(_, target)| target.contains(NAME)).map(|(number, _)| number).collect()
}

/// Mapped and opened, here.
pub(crate) fn here() -> (usize, usize) {
    (mapped_by(std::process::id()), opened_by(std::process::id()))
}

/// How many segments all workers have mapped or opened.
pub(crate) fn in_workers() -> usize {
    procfs::workers().into_iter().map(|pid| mapped_by(pid) + opened_by(pid)).sum()
}

/// The share of a process in the memory that it has mapped, in bytes.
pub(crate) fn pss_of(pid: u32) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number of kilobytes") << 10
}

#[loky::task]
pub(crate) fn sum(numbers: Shared<u64>) -> u64 {
    numbers.iter().sum()
}

#[loky::task]
pub(crate) fn sum_of_all(all: Vec<Shared<u64>>) -> u64 {
    all.iter().flat_map(|numbers| numbers.iter()).sum()
}
