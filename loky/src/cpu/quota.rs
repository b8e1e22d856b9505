//! How much CPU time the kernel grants this process: the quotas of its cgroup and of all cgroups above it.
//!
//! From its own cgroup upwards every directory may hold a quota, and the tightest one binds. Whatever is missing or
//! unintelligible is no quota: nothing here reports errors.

use std::num::NonZeroU64;
use std::path::Path;

use crate::machine::Root;
use crate::machine::cgroup::{Mount, Version, directories};

/// The CPUs that this process may keep busy, rounded up; nothing if no cgroup above it sets a quota.
pub(super) fn quota(machine: Root<'_>, mounts: &[Mount]) -> Option<usize> {
    let directories = directories(machine, mounts, "cpu").into_iter();
    directories.filter_map(|(version, directory)| quota_at(machine, version, &directory)).min()
}

fn quota_at(machine: Root<'_>, version: Version, directory: &Path) -> Option<usize> {
    let read = |file: &str| machine.read(&directory.join(file));
    match version {
        Version::V1 => whole_cpus(&read("cpu.cfs_quota_us")?, &read("cpu.cfs_period_us")?),
        Version::V2 => read("cpu.max")?.split_once(' ').and_then(|(quota, period)| whole_cpus(quota, period)),
    }
}

/// Microseconds of CPU time in each period, as CPUs. No limit is written `max` in v2 and -1 in v1: not numbers here.
fn whole_cpus(quota: &str, period: &str) -> Option<usize> {
    let positive = |text: &str| text.trim().parse::<NonZeroU64>().ok().map(NonZeroU64::get);
    let cpus = positive(quota)?.div_ceil(positive(period)?);
    Some(usize::try_from(cpus).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::cgroup::mounts;
    use crate::machine::fake::Tree;

    const V2_MOUNT: &str = "31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";

    const V1_MOUNT: &str = "33 31 0:29 /docker/a1 /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n";

    fn quota_in(files: &[(&str, &str)]) -> Option<usize> {
        let tree = Tree::new(files);
        quota(tree.root(), &mounts(tree.root()))
    }

    /// A process in the v2 cgroup `/box`, whose `cpu.max` has this text.
    fn quota_v2(cpu_max: &str) -> Option<usize> {
        let files = [
            ("proc/self/mountinfo", V2_MOUNT),
            ("proc/self/cgroup", "0::/box\n"),
            ("sys/fs/cgroup/box/cpu.max", cpu_max),
        ];
        quota_in(&files)
    }

    /// A process in a v1 container: its own cgroup lies at the mount point, under the name that the host gave it.
    fn quota_v1(quota: &str) -> Option<usize> {
        quota_in(&[
            ("proc/self/mountinfo", V1_MOUNT),
            ("proc/self/cgroup", "5:memory:/docker/a1\n4:cpu,cpuacct:/docker/a1\n0::/docker/a1\n"),
            ("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", quota),
            ("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"),
        ])
    }

    #[test]
    fn cpu_6_quotas_are_rounded_up() {
        assert_eq!(quota_v2("50000 100000\n"), Some(1));
        assert_eq!(quota_v2("150000 100000\n"), Some(2));
        assert_eq!(quota_v2("200000 100000\n"), Some(2));
        assert_eq!(quota_v2("1000 100000\n"), Some(1));
        assert_eq!(quota_v1("250000\n"), Some(3));
    }

    #[test]
    fn cpu_7_no_limit_and_rubbish_are_no_quota() {
        for text in ["", "max 100000\n", "max", "200000", "200000 0\n", "0 100000\n", "-1 100000\n", "two CPUs", " "] {
            assert_eq!(quota_v2(text), None, "{text:?}");
        }
    }

    #[test]
    fn cpu_8_a_negative_v1_quota_is_none() {
        assert_eq!(quota_v1("-1\n"), None);
        assert_eq!(quota_v1(""), None);
        assert_eq!(quota_v1("rubbish\n"), None);
    }

    #[test]
    fn cpu_12_the_tightest_quota_on_the_way_up_binds() {
        let files = |leaf, middle, top| {
            quota_in(&[
                ("proc/self/mountinfo", V2_MOUNT),
                ("proc/self/cgroup", "0::/user.slice/me.scope\n"),
                ("sys/fs/cgroup/user.slice/me.scope/cpu.max", leaf),
                ("sys/fs/cgroup/user.slice/cpu.max", middle),
                ("sys/fs/cgroup/cpu.max", top),
                ("sys/fs/cgroup/system.slice/cpu.max", "100000 100000\n"),
            ])
        };
        assert_eq!(files("max 100000\n", "300000 100000\n", ""), Some(3));
        assert_eq!(files("200000 100000\n", "300000 100000\n", "max 100000\n"), Some(2));
        assert_eq!(files("500000 100000\n", "", "400000 100000\n"), Some(4));
    }

    #[test]
    fn the_hierarchy_with_the_quota_is_found_beside_the_others() {
        let hybrid = "35 31 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n\
                      36 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
                      41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
        let files = [
            ("proc/self/mountinfo", hybrid),
            ("proc/self/cgroup", "3:cpuset:/wrong\n2:cpuacct:/wrong\n1:cpu:/a:b\n0::/\n"),
            ("sys/fs/cgroup/cpu/a:b/cpu.cfs_quota_us", "400000\n"),
            ("sys/fs/cgroup/cpu/a:b/cpu.cfs_period_us", "200000\n"),
            ("sys/fs/cgroup/cpu/wrong/cpu.cfs_quota_us", "1000\n"),
        ];
        assert_eq!(quota_in(&files), Some(2));
    }

    #[test]
    fn a_mount_of_somebody_elses_cgroup_does_not_bind() {
        let foreign = "50 31 0:28 /other /var/lib/box/cgroup rw - cgroup2 cgroup2 rw\n";
        let files = [
            ("proc/self/mountinfo", foreign),
            ("proc/self/cgroup", "0::/otherwise\n"),
            ("var/lib/box/cgroup/cpu.max", "100000 100000\n"),
        ];
        assert_eq!(quota_in(&files), None);
    }

    #[test]
    fn without_proc_there_is_no_quota() {
        assert_eq!(quota_in(&[]), None);
        assert_eq!(quota_in(&[("proc/self/mountinfo", "rubbish - \n\n"), ("proc/self/cgroup", "0:\n::\n")]), None);
    }
}
