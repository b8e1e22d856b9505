//! How much CPU time the kernel grants this process: the quotas of its cgroup and of all cgroups above it.
//!
//! The kernel tells in `/proc/self/cgroup` which cgroup the process is in, seen from the root of its cgroup namespace,
//! and in `/proc/self/mountinfo` where cgroup file systems are mounted and which cgroup lies at each mount point. Only
//! both together name a directory. From there upwards every directory may hold a quota, and the tightest one binds.
//! Whatever is missing or unintelligible on this way is no quota: this room reports no errors.

use std::num::NonZeroU64;
use std::path::{Component, Path, PathBuf};

use super::Root;

/// A mounted cgroup hierarchy that can hold CPU quotas.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mount {
    version: Version,
    /// The cgroup that lies at the mount point, as `/proc/self/cgroup` would name it.
    root: PathBuf,
    point: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    V1,
    V2,
}

/// The hierarchies that are mounted below `machine`.
pub(super) fn mounts(machine: Root<'_>) -> Vec<Mount> {
    let mountinfo = machine.read(Path::new("/proc/self/mountinfo")).unwrap_or_default();
    mountinfo.lines().filter_map(parse_mount).collect()
}

/// The CPUs that this process may keep busy, rounded up; nothing if no cgroup above it sets a quota.
pub(super) fn quota(machine: Root<'_>, mounts: &[Mount]) -> Option<usize> {
    let memberships = machine.read(Path::new("/proc/self/cgroup"))?;
    let quotas = mounts.iter().flat_map(|mount| {
        let directories = directories(mount, &memberships);
        directories.into_iter().filter_map(|directory| quota_at(machine, mount.version, &directory))
    });
    quotas.min()
}

/// `36 35 98:0 <root> <mount point> <options> <optional fields> - <type> <source> <super options>`
fn parse_mount(line: &str) -> Option<Mount> {
    let (place, kind) = line.split_once(" - ")?;
    let mut place = place.split(' ').skip(3);
    let (root, point) = (unescape(place.next()?), unescape(place.next()?));
    let (fs_type, rest) = kind.split_once(' ')?;
    let version = match fs_type {
        "cgroup2" => Version::V2,
        "cgroup" if names_cpu(rest.rsplit(' ').next()?) => Version::V1,
        _ => return None,
    };
    Some(Mount { version, root, point })
}

/// Whether a list such as `rw,cpu,cpuacct` has the controller that owns quotas.
fn names_cpu(list: &str) -> bool {
    list.split(',').any(|item| item == "cpu")
}

/// Blanks and backslashes in file names stand in the list of mounts as three octal digits.
fn unescape(field: &str) -> PathBuf {
    let escapes = [(r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", r"\")];
    escapes.iter().fold(field.to_owned(), |name, (escape, blank)| name.replace(escape, blank)).into()
}

/// The directories of the process's own cgroup and of those above it, as far up as this mount shows them.
fn directories(mount: &Mount, memberships: &str) -> Vec<PathBuf> {
    let cgroup = memberships.lines().find_map(|line| parse_membership(line, mount.version));
    let below = cgroup.and_then(|cgroup| path_below(&mount.root, Path::new(cgroup)));
    below.map_or_else(Vec::new, |below| below.ancestors().map(|above| mount.point.join(above)).collect())
}

/// `<hierarchy>:<controllers>:<cgroup>`; the hierarchy of v2 is 0 and lists no controllers.
fn parse_membership(line: &str, version: Version) -> Option<&str> {
    let mut fields = line.splitn(3, ':');
    let (hierarchy, controllers, cgroup) = (fields.next()?, fields.next()?, fields.next()?);
    let is_ours = match version {
        Version::V1 => names_cpu(controllers),
        Version::V2 => hierarchy == "0" && controllers.is_empty(),
    };
    is_ours.then_some(cgroup)
}

/// Where `cgroup` lies below the mount point at which `root` lies; nothing if it lies elsewhere.
///
/// Both are seen from the root of the namespace, and climb out of it with `..` only in front. A mount point further up
/// holds the whole namespace, below directories whose names cannot be known: then only the mount point itself is left.
fn path_below<'a>(root: &Path, cgroup: &'a Path) -> Option<&'a Path> {
    let climbs = |part| part == Component::ParentDir;
    match cgroup.strip_prefix(root) {
        Ok(below) => (!below.components().any(climbs)).then_some(below),
        Err(_) => root.components().skip(1).all(climbs).then_some(Path::new("")),
    }
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
    use super::super::fake::Tree;
    use super::*;

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

    #[test]
    fn paths_are_seen_from_the_namespace() {
        let below = |root, cgroup| path_below(Path::new(root), Path::new(cgroup)).and_then(Path::to_str);
        assert_eq!(below("/", "/"), Some(""));
        assert_eq!(below("/", "/a/b"), Some("a/b"));
        assert_eq!(below("/a", "/a/b"), Some("b"));
        assert_eq!(below("/a", "/ab"), None);
        // The process was moved out of its namespace, or only the namespace is new and the mounts are old.
        assert_eq!(below("/", "/../a"), None);
        assert_eq!(below("/..", "/../a"), Some("a"));
        assert_eq!(below("/../..", "/a"), Some(""));
        assert_eq!(below("/../b", "/a"), None);
    }

    #[test]
    fn blanks_in_mount_points_are_restored() {
        let mount = parse_mount(r"31 23 0:28 /a\134b /my\040groups rw - cgroup2 none rw").unwrap();
        assert_eq!((mount.root, mount.point), (r"/a\b".into(), "/my groups".into()));
        assert_eq!(parse_mount("22 27 0:21 / /proc rw - proc proc rw,cpu"), None);
    }
}
