//! A launch that a test plays, and the process of it: nothing is started, and nothing is killed.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use super::{Launched, Process};
use crate::sys::page::Page;
use crate::sys::process::{Exit, ProcessFd};

/// What a [`Process`] has in a test: a descriptor of a process, or what looks like one.
#[derive(Debug)]
pub(crate) enum MaybePlayed {
    Real(ProcessFd),
    /// Readable when its other end is closed, as the descriptor of a process is when that has ended.
    Played(UnixStream, Arc<Fate>),
}

#[derive(Debug, Default)]
pub(crate) struct Fate {
    exit: OnceLock<Exit>,
    is_killed: AtomicBool,
}

/// The life of a process that is played, for whoever plays it.
#[derive(Debug)]
pub(crate) struct Life {
    /// The process is seen to have ended once this is closed.
    _end: UnixStream,
    fate: Arc<Fate>,
}

/// The worker's ends of a launch that is played. None of them blocks.
#[derive(Debug)]
pub(crate) struct Ends {
    pub(crate) link: UnixStream,
    pub(crate) page: Page,
    pub(crate) output: Option<UnixStream>,
    pub(crate) error: UnixStream,
    pub(crate) life: Life,
}

/// From here on, no real process has such a number.
pub(crate) const PIDS: u32 = 1_000_000_000;

/// A launch that nobody has made, of process number `pid`.
pub(crate) fn launch(pid: u32, has_output: bool) -> io::Result<(Launched, Ends)> {
    let ((ours, link), (pipe, error)) = (nonblocking()?, nonblocking()?);
    let (read, output) = if has_output { Some(nonblocking()?) } else { None }.unzip();
    let ((page, _), (process, life)) = (Page::create()?, Process::played(pid)?);
    let ends = Ends { link, page: page.clone(), output, error, life };
    let file = |end: UnixStream| File::from(OwnedFd::from(end));
    Ok((Launched { process, link: ours, page, output: read.map(file), error: file(pipe) }, ends))
}

fn nonblocking() -> io::Result<(UnixStream, UnixStream)> {
    let (ours, theirs) = UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    theirs.set_nonblocking(true)?;
    Ok((ours, theirs))
}

impl Process {
    fn played(pid: u32) -> io::Result<(Self, Life)> {
        let ((ours, _end), fate) = (UnixStream::pair()?, Arc::<Fate>::default());
        let process = Self { pid, fd: MaybePlayed::Played(ours, Arc::clone(&fate)) };
        Ok((process, Life { _end, fate }))
    }
}

#[cfg(test)]
impl Life {
    /// Whether somebody has killed it.
    pub(crate) fn is_killed(&self) -> bool {
        self.fate.is_killed.load(Ordering::Relaxed)
    }

    pub(crate) fn end(self, exit: Exit) {
        self.fate.exit.set(exit).expect("a process ends once");
    }
}

impl MaybePlayed {
    pub(super) fn open(pid: u32) -> io::Result<Self> {
        ProcessFd::open(pid).map(Self::Real)
    }

    pub(super) fn stop(&self) {
        if let Self::Real(process) = self {
            process.stop();
        }
    }

    pub(super) fn kill(&self) {
        match self {
            Self::Real(process) => process.kill(),
            Self::Played(_, fate) => fate.is_killed.store(true, Ordering::Relaxed),
        }
    }

    pub(super) fn exit(&self) -> Option<Exit> {
        match self {
            Self::Real(process) => process.exit(),
            Self::Played(_, fate) => fate.exit.get().copied(),
        }
    }

    pub(super) fn try_reap(&self) -> Option<Exit> {
        match self {
            Self::Real(process) => process.try_reap(),
            Self::Played(..) => self.exit(),
        }
    }
}

impl AsFd for MaybePlayed {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Real(process) => process.as_fd(),
            Self::Played(ours, _) => ours.as_fd(),
        }
    }
}
