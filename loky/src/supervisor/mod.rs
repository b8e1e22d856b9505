//! Starts worker processes, ends them with all that they have started, and says how they ended.
//!
//! It knows processes and nothing else: not what a worker is for, nor why it must go.

pub(crate) mod gauge;
pub(crate) mod local;
#[cfg(any(all(test, not(loom)), fuzzing))]
#[cfg_attr(not(test), expect(dead_code, reason = "a fuzzer does not look at all of it"))]
pub(crate) mod played;
pub(crate) mod tree;
pub(crate) mod vitals;
pub(crate) mod zygote;

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

#[cfg(any(all(test, not(loom)), fuzzing))]
use self::played::MaybePlayed as ProcessFd;
use crate::sys::page::Page;
use crate::sys::poll;
#[cfg(not(any(all(test, not(loom)), fuzzing)))]
use crate::sys::process::ProcessFd;
use crate::sys::process::{self, Exit};

/// A worker process, from its launch to its burial.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    fd: ProcessFd,
}

/// What a launch gives: a process, and the ways to it.
#[derive(Debug)]
pub(crate) struct Launched {
    pub(crate) process: Process,
    /// The parent's end of the link; does not block.
    pub(crate) link: UnixStream,
    /// What the worker begins is written here.
    pub(crate) page: Page,
    /// What the worker writes to its standard output, if that is not this program's own; does not block.
    pub(crate) output: Option<File>,
    /// What the worker writes to its standard error; does not block.
    pub(crate) error: File,
}

impl Process {
    pub(crate) fn new(pid: u32) -> io::Result<Self> {
        Ok(Self { pid, fd: ProcessFd::open(pid)? })
    }

    /// Kills the process and everything that it has started and that is still in its tree. Takes some system calls
    /// for each process of the tree.
    pub(crate) fn kill_tree(&self) {
        // A stopped process starts nothing: the tree holds still while it is walked.
        self.fd.stop();
        tree::kill_descendants(self.pid);
        self.fd.kill();
    }

    /// Waits for the end of a process that was killed, at the longest for `grace`, and reaps it.
    pub(crate) fn reap(&self, grace: Duration) {
        poll::wait_readable(self.fd.as_fd(), grace);
        self.fd.try_reap();
    }

    /// How the process ended; `None` while it lives. Never blocks. It is still to be reaped.
    pub(crate) fn exit(&self) -> Option<Exit> {
        self.fd.exit()
    }

    /// Reaps the process if it has ended. Never blocks.
    pub(crate) fn try_reap(&self) {
        self.fd.try_reap();
    }
}

impl AsFd for Process {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Why the system has refused something that a process needs, and which limit that means, if it is one.
pub(crate) fn refusal(why: &io::Error) -> String {
    match process::limit_behind(why) {
        Some(limit) => format!("{why}: {limit} may be reached"),
        None => why.to_string(),
    }
}

/// "was killed by SIGSEGV", "exited with code 3".
pub(crate) fn in_words(exit: Exit) -> String {
    match exit {
        Exit::Code(code) => format!("exited with code {code}"),
        Exit::Signal(signal) => format!("was killed by {}", process::signal_name(signal)),
        Exit::Unknown => "ended (how is not known: another part of the program reaped it)".to_string(),
    }
}
