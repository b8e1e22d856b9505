//! Whether the kernel's out-of-memory killer has killed somebody since the last question.
//!
//! The kernel raises its counters before it sends the signal, so whoever has seen a process die of it sees them risen.
//! There is one in each memory cgroup (`memory.events` in v2, `memory.oom_control` in v1) and one of the whole machine
//! (`/proc/vmstat`), which may have risen for somebody else's process in a container beside us. So the cgroups of this
//! process are asked first, the innermost one first of all. Nothing here knows whose death it is asked about.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Root;
use super::cgroup::{Mount, Version, directories};

/// The counters, and what they were.
#[derive(Debug)]
pub(crate) struct OomKills {
    counters: Vec<Counter>,
    read_at: Instant,
}

#[derive(Debug)]
struct Counter {
    path: PathBuf,
    /// Of these kills it is known, or was decided, whom they hit.
    accounted: u64,
    seen: u64,
}

/// Several processes may be killed at once, and each death is then asked about by itself; but a kill that was seen
/// longer ago than this has not hit a process that has died only now.
const FRESH: Duration = Duration::from_secs(1);

impl OomKills {
    /// From now on.
    pub(crate) fn watch(machine: Root<'_>, mounts: &[Mount], now: Instant) -> Self {
        let in_cgroups = directories(machine, mounts, "memory").into_iter().map(|(version, directory)| {
            directory.join(match version {
                Version::V1 => "memory.oom_control",
                Version::V2 => "memory.events",
            })
        });
        let counters = in_cgroups.chain([PathBuf::from("/proc/vmstat")]).filter_map(|path| {
            let count = count(machine, &path)?;
            Some(Counter { path, accounted: count, seen: count })
        });
        Self { counters: counters.collect(), read_at: now }
    }

    /// Somebody was killed. If that may have been the out-of-memory killer, the file that says so. Each of its kills
    /// accounts for one death.
    pub(crate) fn account(&mut self, machine: Root<'_>, now: Instant) -> Option<PathBuf> {
        let is_stale = now.duration_since(self.read_at) > FRESH;
        self.read_at = now;
        let mut found = None;
        for counter in &mut self.counters {
            if is_stale {
                counter.accounted = counter.seen;
            }
            counter.seen = count(machine, &counter.path).unwrap_or(counter.seen);
            if counter.seen > counter.accounted {
                counter.accounted += 1;
                found.get_or_insert_with(|| counter.path.clone());
            }
        }
        found
    }
}

/// The line `oom_kill <number>`.
fn count(machine: Root<'_>, path: &Path) -> Option<u64> {
    let text = machine.read(path)?;
    text.lines().find_map(|line| line.strip_prefix("oom_kill "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::cgroup::mounts;
    use super::super::fake::Tree;
    use super::*;

    const V2_MOUNT: &str = "31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
    const V1_MOUNT: &str = "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n";
    const VMSTAT: &str = "proc/vmstat";

    fn vmstat(kills: u64) -> String {
        format!("nr_free_pages 7\noom_kill {kills}\nnuma_hit 3\n")
    }

    fn events(kills: u64) -> String {
        format!("low 0\nhigh 0\nmax 9\noom 4\noom_kill {kills}\noom_group_kill 5\n")
    }

    /// A machine, and a watch over it; further files make the machine go on.
    struct Story {
        tree: Tree,
        kills: OomKills,
        now: Instant,
    }

    impl Story {
        fn new(files: &[(&str, &str)]) -> Self {
            let (tree, now) = (Tree::new(files), Instant::now());
            let kills = OomKills::watch(tree.root(), &mounts(tree.root()), now);
            Self { tree, kills, now }
        }

        fn account(&mut self) -> Option<String> {
            let found = self.kills.account(self.tree.root(), self.now)?;
            Some(found.to_string_lossy().into_owned())
        }
    }

    #[test]
    fn the_innermost_cgroup_is_the_best_witness() {
        let mut story = Story::new(&[
            ("proc/self/mountinfo", V2_MOUNT),
            ("proc/self/cgroup", "0::/outer/inner\n"),
            ("sys/fs/cgroup/outer/inner/memory.events", &events(3)),
            ("sys/fs/cgroup/outer/memory.events", &events(8)),
            (VMSTAT, &vmstat(20)),
        ]);
        assert_eq!(story.account(), None, "nothing has risen");
        story.tree.write("sys/fs/cgroup/outer/inner/memory.events", &events(4));
        story.tree.write("sys/fs/cgroup/outer/memory.events", &events(9));
        story.tree.write(VMSTAT, &vmstat(21));
        assert_eq!(story.account().as_deref(), Some("/sys/fs/cgroup/outer/inner/memory.events"));
        assert_eq!(story.account(), None, "one kill accounts for one death");
        story.tree.write("sys/fs/cgroup/outer/memory.events", &events(10));
        assert_eq!(story.account().as_deref(), Some("/sys/fs/cgroup/outer/memory.events"));
        story.tree.write(VMSTAT, &vmstat(22));
        assert_eq!(story.account().as_deref(), Some("/proc/vmstat"));
    }

    #[test]
    fn version_one_is_understood() {
        let control = |kills: u64| format!("oom_kill_disable 0\nunder_oom 0\noom_kill {kills}\n");
        let mut story = Story::new(&[
            ("proc/self/mountinfo", V1_MOUNT),
            ("proc/self/cgroup", "4:memory:/box\n3:cpu:/other\n0::/\n"),
            ("sys/fs/cgroup/memory/box/memory.oom_control", &control(0)),
        ]);
        story.tree.write("sys/fs/cgroup/memory/box/memory.oom_control", &control(2));
        let path = "/sys/fs/cgroup/memory/box/memory.oom_control";
        assert_eq!((story.account().as_deref(), story.account().as_deref()), (Some(path), Some(path)));
        assert_eq!(story.account(), None, "two were killed");
    }

    #[test]
    fn an_old_kill_accounts_for_no_death_of_today() {
        let mut story = Story::new(&[(VMSTAT, &vmstat(1))]);
        story.tree.write(VMSTAT, &vmstat(3));
        assert!(story.account().is_some());
        story.now += 2 * FRESH;
        assert_eq!(story.account(), None);
        story.tree.write(VMSTAT, &vmstat(4));
        assert!(story.account().is_some());
    }

    #[test]
    fn nothing_and_rubbish_are_no_evidence() {
        assert_eq!(Story::new(&[]).account(), None);
        let mut story = Story::new(&[(VMSTAT, "oom_kill many\n")]);
        story.tree.write(VMSTAT, &vmstat(9));
        assert_eq!(story.account(), None, "what could not be read before tells nothing now");
        let mut story = Story::new(&[(VMSTAT, &vmstat(1))]);
        story.tree.write(VMSTAT, "");
        assert_eq!(story.account(), None);
    }
}
