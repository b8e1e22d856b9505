//! Which logical CPUs are threads of the same core.
//!
//! The kernel lists the threads of each CPU's core in sysfs, in rising order, so the first number of the list names the
//! core: unlike the hardware's own core numbers it is unique over all dies and packages. No process is started to learn
//! this, and a tree that is missing or makes no sense is an answer too: nothing is known.

use std::collections::BTreeSet;
use std::path::Path;

use crate::machine::Root;

/// How many cores the given CPUs lie on; nothing unless the kernel tells it for all of them.
pub(super) fn cores(machine: Root<'_>, cpus: &[usize]) -> Option<usize> {
    let cores: Option<BTreeSet<usize>> = cpus.iter().map(|&cpu| core_of(machine, cpu)).collect();
    cores.map(|cores| cores.len())
}

/// The core of this CPU, named by the lowest of its threads.
fn core_of(machine: Root<'_>, cpu: usize) -> Option<usize> {
    let topology = format!("/sys/devices/system/cpu/cpu{cpu}/topology");
    let threads = LISTS.iter().find_map(|list| machine.read(&Path::new(&topology).join(list)))?;
    lowest(&threads).filter(|&lowest| lowest <= cpu)
}

/// The first number of a list such as `0,64` or `4-7`.
fn lowest(threads: &str) -> Option<usize> {
    threads.split([',', '-']).next()?.trim().parse().ok()
}

/// The present name of the list, and the one that kernels before 5.3 have.
const LISTS: [&str; 2] = ["core_cpus_list", "thread_siblings_list"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::Tree;

    /// CPUs 0 and 2 are one core, 1 and 3 the other; the second core is described as an older kernel does it.
    const TWO_CORES: [(&str, &str); 4] = [
        ("sys/devices/system/cpu/cpu0/topology/core_cpus_list", "0,2\n"),
        ("sys/devices/system/cpu/cpu2/topology/core_cpus_list", "0,2\n"),
        ("sys/devices/system/cpu/cpu1/topology/thread_siblings_list", "1,3\n"),
        ("sys/devices/system/cpu/cpu3/topology/thread_siblings_list", "1,3\n"),
    ];

    #[test]
    fn cpu_10_threads_of_one_core_count_once_within_the_affinity() {
        let tree = Tree::new(&TWO_CORES);
        assert_eq!(cores(tree.root(), &[0, 1, 2, 3]), Some(2));
        assert_eq!(cores(tree.root(), &[0, 2]), Some(1));
        assert_eq!(cores(tree.root(), &[2, 3]), Some(2));
    }

    #[test]
    fn cpu_2_one_unknown_cpu_leaves_the_count_unknown() {
        let tree = Tree::new(&TWO_CORES);
        assert_eq!(cores(tree.root(), &[0, 1, 4]), None);
        assert_eq!(cores(Tree::new(&[]).root(), &[0]), None);
    }

    #[test]
    fn cpu_9_a_list_that_makes_no_sense_leaves_the_count_unknown() {
        for rubbish in ["", "\n", "core", "-1", "1\n"] {
            let tree = Tree::new(&[("sys/devices/system/cpu/cpu0/topology/core_cpus_list", rubbish)]);
            assert_eq!(cores(tree.root(), &[0]), None, "{rubbish:?}");
        }
    }

    #[test]
    fn the_lowest_thread_names_the_core() {
        assert_eq!(lowest("0,64\n"), Some(0));
        assert_eq!(lowest("4-7"), Some(4));
        assert_eq!(lowest("12\n"), Some(12));
    }
}
