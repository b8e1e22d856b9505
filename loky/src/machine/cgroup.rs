//! Where the cgroups of this process are: its own, and all above it that can be seen.
//!
//! The kernel tells in `/proc/self/cgroup` which cgroup the process is in, seen from the root of its cgroup namespace,
//! and in `/proc/self/mountinfo` where cgroup file systems are mounted and which cgroup lies at each mount point. Only
//! both together name a directory. What is missing or unintelligible on this way is not there: this room reports no
//! errors, and it does not know what the files in those directories mean.

use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;

use super::Root;

/// A mounted cgroup hierarchy.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    version: Version,
    /// Of v1: among others, the controllers.
    options: String,
    /// The cgroup that lies at the mount point, as `/proc/self/cgroup` would name it.
    root: PathBuf,
    point: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    V1,
    V2,
}

/// Those of this machine. Read once: the list of mounts is long on a container host, and where cgroups are mounted does
/// not change.
pub(crate) fn own_mounts() -> &'static [Mount] {
    static MOUNTS: OnceLock<Vec<Mount>> = OnceLock::new();
    MOUNTS.get_or_init(|| mounts(Root::machine()))
}

/// The hierarchies that are mounted below `machine`.
pub(crate) fn mounts(machine: Root<'_>) -> Vec<Mount> {
    let mountinfo = machine.read(Path::new("/proc/self/mountinfo")).unwrap_or_default();
    mountinfo.lines().filter_map(parse_mount).collect()
}

/// The directories of the cgroups, the innermost first, in which `controller` may have files.
pub(crate) fn directories(machine: Root<'_>, mounts: &[Mount], controller: &str) -> Vec<(Version, PathBuf)> {
    let memberships = machine.read(Path::new("/proc/self/cgroup")).unwrap_or_default();
    let mounts = mounts.iter().filter(|mount| mount.version == Version::V2 || names(&mount.options, controller));
    let found = mounts.flat_map(|mount| {
        let directories = directories_in(mount, controller, &memberships);
        directories.into_iter().map(|directory| (mount.version, directory))
    });
    found.collect()
}

/// `36 35 98:0 <root> <mount point> <options> <optional fields> - <type> <source> <super options>`
fn parse_mount(line: &str) -> Option<Mount> {
    let (place, kind) = line.split_once(" - ")?;
    let mut place = place.split(' ').skip(3);
    let (root, point) = (unescape(place.next()?), unescape(place.next()?));
    let (fs_type, rest) = kind.split_once(' ')?;
    let version = match fs_type {
        "cgroup2" => Version::V2,
        "cgroup" => Version::V1,
        _ => return None,
    };
    Some(Mount { version, options: rest.rsplit(' ').next()?.to_owned(), root, point })
}

/// Whether a list such as `rw,cpu,cpuacct` has this controller.
fn names(list: &str, controller: &str) -> bool {
    list.split(',').any(|item| item == controller)
}

/// Blanks and backslashes in file names stand in the list of mounts as three octal digits.
fn unescape(field: &str) -> PathBuf {
    let escapes = [(r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", r"\")];
    escapes.iter().fold(field.to_owned(), |name, (escape, blank)| name.replace(escape, blank)).into()
}

/// The directories of the process's own cgroup and of those above it, as far up as this mount shows them.
fn directories_in(mount: &Mount, controller: &str, memberships: &str) -> Vec<PathBuf> {
    let cgroup = memberships.lines().find_map(|line| parse_membership(line, mount.version, controller));
    let below = cgroup.and_then(|cgroup| path_below(&mount.root, Path::new(cgroup)));
    below.map_or_else(Vec::new, |below| below.ancestors().map(|above| mount.point.join(above)).collect())
}

/// `<hierarchy>:<controllers>:<cgroup>`; the hierarchy of v2 is 0 and lists no controllers.
fn parse_membership<'a>(line: &'a str, version: Version, controller: &str) -> Option<&'a str> {
    let mut fields = line.splitn(3, ':');
    let (hierarchy, controllers, cgroup) = (fields.next()?, fields.next()?, fields.next()?);
    let is_ours = match version {
        Version::V1 => names(controllers, controller),
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

#[cfg(test)]
mod tests {
    use super::*;

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
