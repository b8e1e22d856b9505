//! Starts workers by having a process of this program copied, which takes a fraction of the time of a start.
//!
//! The zygote is this same binary, started once, and caught where a worker would be. It stays a process of one thread,
//! runs no task, and does nothing but copy itself when it is asked. Each copy is a child of ours, not of the zygote, so
//! everything that is done with a worker's process is done with such a one, too.
//!
//! What is asked is answered in order. Nothing here blocks but [`Zygote::start`] and [`Zygote::end`].

pub(crate) mod request;

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use self::request::Request;
use super::local::{self, Destination, Recipe};
use super::{Launched, Process};
use crate::env;
use crate::sys::bell::Bell;
use crate::sys::births::Births;
use crate::sys::page::Page;
use crate::sys::{costume, records};

/// A process that copies itself.
#[derive(Debug)]
pub(crate) struct Zygote {
    pub(crate) process: Arc<Process>,
    socket: OwnedFd,
    births: Births,
    /// What was told last; it may still stand among the births.
    told: Option<u32>,
    /// The environment of this program when it was started, and how its own differs from that, and that of its copies.
    environment: Vec<(OsString, OsString)>,
    differs: Vec<Change>,
}

/// A variable; `None` removes it.
type Change = (OsString, Option<OsString>);

/// What it says.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The copy that was asked for first lives.
    Copied(u32),
    /// It cannot be made now.
    Failed(io::Error),
    /// None can ever be made; said unasked.
    Unfit,
}

/// The parent's ends of a worker whose process is awaited.
#[derive(Debug)]
pub(crate) struct Ours {
    link: UnixStream,
    page: Page,
    output: Option<File>,
    error: File,
}

/// The worker's ends; they are sent and need not be kept.
#[derive(Debug)]
pub(crate) struct Theirs {
    link: UnixStream,
    output: Option<OwnedFd>,
    error: OwnedFd,
    directory: OwnedFd,
}

impl Zygote {
    /// Starts one with these changes to the environment, which most of its copies are to have: then they need not make
    /// them. It can be asked at once, and answers when it is there.
    pub(crate) fn start(title: &str, differs: Vec<Change>) -> io::Result<Self> {
        let (socket, theirs) = records::pair()?;
        let (births, page) = Births::create()?;
        records::send(&socket, &std::process::id().to_le_bytes(), &[page.as_fd()])?;
        let environment = env::all();
        let mut command = local::command(&format!("{title:TITLE_LEN$}"), Stdio::from(theirs));
        local::change(&mut command, &differs);
        let marks = [env::WORKER, env::ZYGOTE].map(|name| (name, env::WORKER_MARK));
        let mut child = command.envs(marks).spawn()?;
        match Process::new(child.id()) {
            Ok(process) => Ok(Self { process: Arc::new(process), socket, births, told: None, environment, differs }),
            Err(why) => {
                // Nobody else knows of this process yet, so it is ended and reaped here.
                let _ = (child.kill(), child.wait());
                Err(why)
            }
        }
    }

    /// Asks for a worker. On an error it has not been asked, and another way must be taken.
    pub(crate) fn ask(&self, recipe: &Recipe, theirs: &Theirs) -> io::Result<()> {
        let environment = self.changes(&recipe.environment);
        let (title, current_dir) = (recipe.title.clone(), recipe.current_dir.clone());
        let bytes = Request { title, environment, current_dir }.encode();
        let stdout = io::stdout();
        let output = theirs.output.as_ref().map_or_else(|| stdout.as_fd(), AsFd::as_fd);
        let fds = [theirs.link.as_fd(), output, theirs.error.as_fd(), theirs.directory.as_fd()];
        records::send(&self.socket, &bytes, &fds)
    }

    /// What it says next; `None` if it is gone and will say nothing more. An error of the kind `WouldBlock` if it has
    /// said nothing.
    pub(crate) fn hear(&mut self) -> io::Result<Option<Answer>> {
        let (bytes, _) = match records::receive(&self.socket, false) {
            // It has died before it had read all that it was asked. What it had said until then comes after this.
            Err(why) if why.kind() == io::ErrorKind::ConnectionReset => records::receive(&self.socket, false)?,
            heard => heard?,
        };
        let Ok(bytes) = <[u8; 4]>::try_from(&bytes[..]) else { return Ok(None) };
        Ok(Some(match i32::from_le_bytes(bytes) {
            0 => Answer::Unfit,
            why if why < 0 => Answer::Failed(io::Error::from_raw_os_error(why.wrapping_neg())),
            pid => {
                self.told = Some(pid.unsigned_abs());
                Answer::Copied(pid.unsigned_abs())
            }
        }))
    }

    /// Of one that is gone: the copy that it has made and not told of.
    pub(crate) fn untold(&self) -> Option<u32> {
        self.births.last().filter(|&pid| self.told != Some(pid))
    }

    /// Ends it, and whatever it has copied without anybody hearing of it. Waits for that no longer than `grace` each.
    pub(crate) fn end(mut self, grace: Duration) {
        self.process.kill_tree();
        self.process.reap(grace);
        let mut unheard = Vec::new();
        while let Ok(Some(answer)) = self.hear() {
            unheard.extend(if let Answer::Copied(pid) = answer { Some(pid) } else { None });
        }
        unheard.extend(self.untold());
        for process in unheard.into_iter().filter_map(|pid| Process::new(pid).ok()) {
            process.kill_tree();
            process.reap(grace);
        }
    }

    /// How the environment of a worker, that of this program at this moment with some changes, differs from the
    /// zygote's.
    fn changes(&self, wanted: &[Change]) -> Vec<Change> {
        let now = env::all();
        match wanted.strip_prefix(&self.differs[..]) {
            Some(rest) if now == self.environment => rest.to_vec(),
            // All that the zygote was given is wanted still, or has been set by this program since.
            _ => self.changes_since(&now).chain(wanted.iter().cloned()).collect(),
        }
    }

    /// How the environment of this program differs from what it was when the zygote was started.
    fn changes_since(&self, now: &[(OsString, OsString)]) -> impl Iterator<Item = Change> {
        let is_gone = move |name: &OsString| !now.iter().any(|(other, _)| other == name);
        let gone = self.environment.iter().filter(move |(name, _)| is_gone(name)).map(|(name, _)| (name.clone(), None));
        let new = now.iter().filter(|pair| !self.environment.contains(pair));
        gone.chain(new.map(|(name, value)| (name.clone(), Some(value.clone()))))
    }
}

#[cfg(all(test, not(loom)))]
impl Zygote {
    /// One that is played: its end of the socket and its page are the test's, and what stands in for the process is
    /// this.
    pub(crate) fn played() -> io::Result<(Self, OwnedFd, Births)> {
        let ((socket, theirs), (births, page)) = (records::pair()?, Births::create()?);
        let process = Arc::new(Process::new(std::process::id())?);
        Ok((
            Self { process, socket, births, told: None, environment: env::all(), differs: Vec::new() },
            theirs,
            Births::map(page)?,
        ))
    }
}

impl AsFd for Zygote {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Everything that a worker needs but its process. It will ring `bell`.
pub(crate) fn prepare(recipe: &Recipe, bell: &Bell) -> io::Result<(Ours, Theirs)> {
    let (link, page, worker_link) = local::link(recipe, bell)?;
    let (error, worker_error) = costume::pipe()?;
    let (output, worker_output) = match recipe.output {
        Destination::Ours => (None, None),
        Destination::Pipe => costume::pipe().map(|(ours, theirs)| (Some(ours), Some(theirs)))?,
        Destination::Nowhere => (None, Some(costume::nowhere()?)),
    };
    let theirs = Theirs { link: worker_link, output: worker_output, error: worker_error, directory: costume::here()? };
    Ok((Ours { link, page, output, error }, theirs))
}

impl Ours {
    /// The process is there.
    pub(crate) fn with(self, pid: u32) -> io::Result<Launched> {
        let Self { link, page, output, error } = self;
        Ok(Launched { process: Process::new(pid)?, link, page, output, error })
    }
}

/// Room for the titles of its copies, which take the place of its own. A longer one is cut.
const TITLE_LEN: usize = 200;
