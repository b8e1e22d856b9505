//! Watches one case from outside: starts it, limits it, adopts its orphans, and fails it for what it leaves behind.
//!
//! As a child subreaper the warden becomes the parent of every process of the case whose own parent is gone, however
//! it detached itself, so "nothing is left" is a fact about its own children. It is one thread and holds no pool.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::{Case, GRACE, ROLE, SCRATCH, procfs, stress, within};

/// Runs `case` in a process of its own and says on standard output what went wrong.
pub(crate) fn watch(case: Case) -> ExitCode {
    prctl::set_child_subreaper(true).expect("Linux knows subreapers since 3.4");
    let rooms = Rooms::make(case.name);
    let started = Instant::now();
    let verdict = play(case, &rooms);
    let left = bury_what_is_left();
    let said = fs::read_to_string(rooms.said()).unwrap_or_default();
    fs::remove_dir_all(&rooms.0).expect("the case's folder can be removed");
    let complaints: Vec<String> = verdict.err().into_iter().chain(left).collect();
    if complaints.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("--- {} failed after {:.1?}\n{}", case.name, started.elapsed(), complaints.join("\n"));
    println!("--- what it wrote\n{said}");
    ExitCode::FAILURE
}

/// The case's folder: its temporary folder, which must be empty at its end, its scratch folder, and what it wrote.
struct Rooms(PathBuf);

impl Rooms {
    fn make(name: &str) -> Self {
        let rooms = Self(std::env::temp_dir().join(format!("loky-tests-{}-{name}", std::process::id())));
        for room in [rooms.temporary(), rooms.scratch()] {
            fs::create_dir_all(room).expect("a folder can be made in the temporary folder");
        }
        rooms
    }

    fn temporary(&self) -> PathBuf {
        self.0.join("tmp")
    }

    fn scratch(&self) -> PathBuf {
        self.0.join("scratch")
    }

    fn said(&self) -> PathBuf {
        self.0.join("said")
    }
}

/// From the start of the case's process to its end, or to its limit.
fn play(case: Case, rooms: &Rooms) -> Result<(), String> {
    let mut command = Command::new("/proc/self/exe");
    command.env(ROLE, format!("case:{}", case.name)).env(SCRATCH, rooms.scratch()).env("TMPDIR", rooms.temporary());
    if !std::env::args().any(|argument| argument == "--nocapture") {
        let (out, err) = file_for_both(&rooms.said());
        command.stdout(out).stderr(err);
    }
    // Reaped below together with the orphans, by the kernel's own list of children.
    let pid = Pid::from_raw(command.spawn().expect("the test binary can be started again").id() as i32);
    let limit = case.limit + stress::asked();
    match within(limit, || reap_until(pid)) {
        Some(WaitStatus::Exited(_, 0)) => Ok(()),
        Some(status) => Err(format!("the case ended with {status:?}")),
        None => {
            let dump = procfs::dump_below(std::process::id());
            kill(pid, Signal::SIGKILL).expect("the case's process is our child and not reaped");
            Err(format!("the case was not over after {limit:?}; its processes were:\n{dump}"))
        }
    }
}

/// A file and not a pipe: an orphan that holds a pipe's end would keep its reader waiting.
fn file_for_both(path: &Path) -> (Stdio, Stdio) {
    let file = File::options().create(true).append(true).open(path).expect("the case's folder is ours");
    (file.try_clone().expect("descriptors are left").into(), file.into())
}

/// Reaps whatever has ended, and gives the status of `awaited` once that is among it.
fn reap_until(awaited: Pid) -> Option<WaitStatus> {
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(status) if status.pid() == Some(awaited) => return Some(status),
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return None,
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => panic!("waitpid: {error}"),
        }
    }
}

/// Gives the case's processes their grace, then names those that remain and kills them.
fn bury_what_is_left() -> Option<String> {
    let me = std::process::id();
    let are_gone = || {
        reap_until(Pid::from_raw(-1));
        procfs::below(me).is_empty().then_some(())
    };
    if within(GRACE, are_gone).is_some() {
        return None;
    }
    let left = procfs::dump_below(me);
    let is_clean = within(Duration::from_secs(10), || {
        for process in procfs::below(me) {
            // It may have ended since it was listed; then there is nothing to kill.
            let _ = kill(Pid::from_raw(process.pid as i32), Signal::SIGKILL);
        }
        are_gone()
    });
    let unkillable = if is_clean.is_none() { " (and cannot be killed)" } else { "" };
    Some(format!("processes are left {GRACE:?} after the end of the case{unkillable}:\n{left}"))
}
