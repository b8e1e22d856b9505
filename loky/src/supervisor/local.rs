//! Starts a worker on this machine: this same binary again, with the link as its descriptor 0.
//!
//! `/proc/self/exe` is the running binary even if its file has been deleted or replaced since. No `pre_exec`, uid or
//! gid is used: without them the standard library starts a process in a time that does not grow with the parent's
//! memory. Every descriptor is made with close-on-exec, so two launches at once cannot leak into each other.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::{Launched, Process};
use crate::env;
use crate::sys::bell::Bell;
use crate::sys::page::Page;
use crate::sys::socket;

/// This program, whatever has become of its file.
const PROGRAM: &str = "/proc/self/exe";

/// What a worker is started with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recipe {
    /// Shown by `ps`.
    pub(crate) title: String,
    /// Changes to the inherited environment, in order; `None` removes.
    pub(crate) environment: Vec<(OsString, Option<OsString>)>,
    pub(crate) current_dir: Option<PathBuf>,
    pub(crate) output: Destination,
    /// What it is told first, whatever that means.
    pub(crate) first_words: Vec<u8>,
}

/// Where a worker's standard output goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Destination {
    /// Where this program's own goes.
    #[default]
    Ours,
    /// To us.
    Pipe,
    Nowhere,
}

/// Starts a worker that rings `bell`. Takes about a millisecond; blocks for nothing but the kernel.
pub(crate) fn launch(recipe: &Recipe, bell: &Bell) -> io::Result<Launched> {
    let (link, page, theirs) = link(recipe, bell)?;
    let mut child = of_recipe(recipe, theirs.into()).spawn().map_err(|why| named(why, recipe))?;
    match watch(&mut child) {
        Ok((process, output, error)) => Ok(Launched { process, link, page, output, error }),
        Err(why) => {
            // Nobody else knows of this process yet, so it is ended and reaped here.
            let _ = child.kill();
            let _ = child.wait();
            Err(why)
        }
    }
}

/// What is not there: the kernel says only that something is not.
fn named(why: io::Error, recipe: &Recipe) -> io::Error {
    let nowhere = recipe.current_dir.as_ref().filter(|dir| !dir.is_dir());
    let what = match nowhere {
        Some(dir) => format!("`current_dir` of the pool, {}, cannot be entered", dir.display()),
        None if !Path::new(PROGRAM).exists() => format!("{PROGRAM} cannot be found; is /proc mounted?"),
        None => return why,
    };
    io::Error::new(why.kind(), format!("{what} ({why})"))
}

/// This program once more, to be caught as a worker, with `link` as its standard input.
pub(super) fn command(title: &str, link: Stdio) -> Command {
    let mut command = Command::new(PROGRAM);
    command.arg0(title).args(env::arguments().into_iter().skip(1)).stdin(link);
    command.env(env::WORKER, env::WORKER_MARK);
    command
}

/// Both ends of a link, ours without blocking, and the page. All that the worker waits for is on its way before there
/// is a worker: its descriptor, the bell's, and the first words.
pub(super) fn link(recipe: &Recipe, bell: &Bell) -> io::Result<(UnixStream, Page, UnixStream)> {
    let (link, theirs) = UnixStream::pair()?;
    let (page, page_fd) = Page::create()?;
    socket::send_first(&link, &recipe.first_words, [page_fd.as_fd(), bell.ringing_end()])?;
    link.set_nonblocking(true)?;
    Ok((link, page, theirs))
}

fn of_recipe(recipe: &Recipe, link: OwnedFd) -> Command {
    let mut command = command(&recipe.title, Stdio::from(link));
    let output = match recipe.output {
        Destination::Ours => Stdio::inherit(),
        Destination::Pipe => Stdio::piped(),
        Destination::Nowhere => Stdio::null(),
    };
    command.stdout(output).stderr(Stdio::piped());
    change(&mut command, &recipe.environment);
    if let Some(dir) = &recipe.current_dir {
        command.current_dir(dir);
    }
    command.env(env::WORKER, env::WORKER_MARK);
    command
}

/// Changes to the environment that the new process inherits.
pub(super) fn change(command: &mut Command, environment: &[(OsString, Option<OsString>)]) {
    for (name, value) in environment {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
}

fn watch(child: &mut Child) -> io::Result<(Process, Option<File>, File)> {
    let error = child.stderr.take().expect("standard error was asked for as a pipe");
    let output = child.stdout.take().map(|pipe| without_blocking(pipe.into())).transpose()?;
    Ok((Process::new(child.id())?, output, without_blocking(error.into())?))
}

fn without_blocking(pipe: OwnedFd) -> io::Result<File> {
    socket::set_nonblocking(&pipe)?;
    Ok(pipe.into())
}
