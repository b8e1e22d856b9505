//! Looks at processes from outside, as the kernel tells it in `/proc`; asks the library nothing.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use nix::libc;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};

/// One line of the kernel's process table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its process id.
    pub pid: u32,
    /// Its parent.
    pub parent: u32,
    /// `R`, `S`, `T` stopped, `Z` zombie, …
    pub state: char,
    /// Its name, of at most 15 bytes.
    pub name: String,
}

impl Process {
    /// Dead and not reaped.
    pub fn is_zombie(&self) -> bool {
        self.state == 'Z'
    }

    /// Its arguments, each ended by a zero byte; empty for a zombie.
    pub fn command_line(&self) -> String {
        read(&format!("/proc/{}/cmdline", self.pid))
    }
}

/// The process of this id, zombie or not.
pub fn process(pid: u32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may itself hold parentheses and spaces; the fields after it may not.
    let (head, tail) = stat.rsplit_once(')')?;
    let name = head.split_once('(')?.1.to_owned();
    let mut fields = tail.split_ascii_whitespace();
    // `X` is a process that has been reaped and is only on its way out of the table.
    let state = fields.next()?.chars().next().filter(|state| *state != 'X')?;
    let parent = fields.next()?.parse().ok()?;
    Some(Process { pid, parent, state, name })
}

/// Whether the process exists and is not a zombie.
pub fn is_alive(pid: u32) -> bool {
    process(pid).is_some_and(|process| !process.is_zombie())
}

/// Every process there is.
pub fn all() -> Vec<Process> {
    let entries = fs::read_dir("/proc").expect("/proc is mounted").flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter_map(process).collect()
}

/// The children of `parent`, zombies included, by pid.
pub fn children(parent: u32) -> Vec<Process> {
    let mut found: Vec<_> = all().into_iter().filter(|process| process.parent == parent).collect();
    found.sort_by_key(|process| process.pid);
    found
}

/// The pids of this process's living children: of a case, its workers.
pub fn workers() -> Vec<u32> {
    children(std::process::id()).into_iter().filter(|child| !child.is_zombie()).map(|child| child.pid).collect()
}

/// Collects the children of this process that have ended, whoever's they were: for a process that adopts orphans and
/// is waiting for no child of its own.
pub fn reap_orphans() {
    while let Ok(status) = waitpid(None, Some(WaitPidFlag::WNOHANG)) {
        if status == WaitStatus::StillAlive {
            break;
        }
    }
}

/// The environment with which a process was started.
pub fn environment(pid: u32) -> Vec<(String, String)> {
    let text = read(&format!("/proc/{pid}/environ"));
    let pairs = text.split('\0').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// All descendants of `root`, without it.
pub fn below(root: u32) -> Vec<Process> {
    let all = all();
    let mut found: Vec<Process> = Vec::new();
    let mut parents = vec![root];
    while let Some(parent) = parents.pop() {
        let children = all.iter().filter(|process| process.parent == parent && process.pid != parent);
        parents.extend(children.clone().map(|child| child.pid));
        found.extend(children.cloned());
    }
    found
}

/// The threads of this process, by id, with their names.
pub fn threads() -> BTreeMap<u32, String> {
    threads_of(std::process::id())
}

/// The threads of a process, by id, with their names.
pub fn threads_of(pid: u32) -> BTreeMap<u32, String> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/task")) else { return BTreeMap::new() };
    let ids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.map(|id: u32| (id, read(&format!("/proc/{pid}/task/{id}/comm")))).collect()
}

/// How often each thread of a process has left its processor: one that sleeps on does not.
pub fn switches_of(pid: u32) -> BTreeMap<u32, u64> {
    let count = |id: u32| {
        let status = read(&format!("/proc/{pid}/task/{id}/status"));
        let counts = status.lines().filter(|line| line.contains("ctxt_switches:"));
        counts.filter_map(|line| line.split_whitespace().last()?.parse::<u64>().ok()).sum()
    };
    threads_of(pid).into_keys().map(|id| (id, count(id))).collect()
}

/// Whether a thread of this process sleeps in the kernel until one of so many descriptors is ready, without a list of
/// them that the kernel keeps.
pub fn is_polling(thread: u32, descriptors: u64) -> bool {
    sleeps_in(thread).is_some_and(|(call, arguments)| call == libc::SYS_ppoll && arguments[1] == descriptors)
}

/// Whether a thread of this process sleeps in the kernel until something in such a list is ready.
pub fn is_in_epoll(thread: u32) -> bool {
    sleeps_in(thread).is_some_and(|(call, _)| EPOLL_WAITS.contains(&call))
}

/// The system call in which a thread of this process sleeps, with its first two arguments.
fn sleeps_in(thread: u32) -> Option<(i64, [u64; 2])> {
    let text = read(&format!("/proc/self/task/{thread}/syscall"));
    let mut fields = text.split_ascii_whitespace();
    // "running", if it does.
    let call = fields.next()?.parse().ok()?;
    let mut argument = || u64::from_str_radix(fields.next()?.strip_prefix("0x")?, 16).ok();
    Some((call, [argument()?, argument()?]))
}

/// Not every machine has both.
const EPOLL_WAITS: &[i64] = &[
    #[cfg(target_arch = "x86_64")]
    libc::SYS_epoll_wait,
    libc::SYS_epoll_pwait,
];

/// How many bytes of memory a process has for itself alone; none if it is gone.
pub fn private_bytes(pid: u32) -> u64 {
    let status = read(&format!("/proc/{pid}/status"));
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).map_or(0, |kib| kib << 10)
}

/// How many pieces of memory a process has mapped.
pub fn maps(pid: u32) -> usize {
    read(&format!("/proc/{pid}/maps")).lines().count()
}

/// The open descriptors of this process, by number, with what they point to.
pub fn descriptors() -> BTreeMap<i32, String> {
    descriptors_of(std::process::id())
}

/// The open descriptors of a process, by number, with what they point to.
pub fn descriptors_of(pid: u32) -> BTreeMap<i32, String> {
    let folder = format!("/proc/{pid}/fd");
    let numbers: Vec<i32> = names_in(folder.as_ref()).iter().filter_map(|name| name.parse().ok()).collect();
    // The descriptor that listed the folder is closed by now, and its link unreadable.
    let target = |number: &i32| fs::read_link(format!("{folder}/{number}")).ok();
    numbers.iter().filter_map(|n| Some((*n, target(n)?.to_string_lossy().into_owned()))).collect()
}

/// The names in a folder, sorted; none if it does not exist.
pub fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// What every process below `root` and each of its threads is doing, as far as the kernel lets us read it.
pub fn dump_below(root: u32) -> String {
    below(root).into_iter().map(|process| dump(process.pid)).collect()
}

/// What a process and each of its threads is doing, as far as the kernel lets us read it.
pub fn dump(pid: u32) -> String {
    let Some(process) = process(pid) else { return format!("process {pid} is gone\n") };
    let command = process.command_line().replace('\0', " ");
    let Process { parent, state, name, .. } = &process;
    let mut out = format!("process {pid} ({name}, child of {parent}, state {state}): {command}\n");
    for (thread, name) in threads_of(pid) {
        let of = |file: &str| read(&format!("/proc/{pid}/task/{thread}/{file}"));
        // How long it has run, how long it has waited for a processor, and how often: is it busy, or starved?
        let (wchan, syscall, times) = (of("wchan"), of("syscall"), of("schedstat"));
        // Writing to a string cannot fail.
        let _ = writeln!(out, "  thread {thread} ({name}): wchan {wchan}, syscall {syscall}, schedstat {times}");
        for frame in of("stack").lines() {
            let _ = writeln!(out, "    {frame}");
        }
    }
    out
}

fn read(path: &str) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&bytes).trim_end().to_owned()
}
