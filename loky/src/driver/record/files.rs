//! The files that environment variables ask for: a trace and a report of this process, whatever pools it has.
//!
//! One file belongs to one process: it is claimed, and a process that finds it claimed by another one takes a name with
//! its pid in it. So does every worker, for the pools that tasks make there. A file that cannot be had, or cannot be
//! written any more, is complained about once, and the program goes on without it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::observe::{Report, Trace, page};
use crate::sys::claim::claim;
use crate::{env, identity};

/// A file of this process.
#[derive(Debug)]
enum Output<T> {
    Untried,
    Failed,
    Open(Open<T>),
}

#[derive(Debug)]
struct Open<T> {
    file: File,
    path: PathBuf,
    content: T,
}

/// How many bytes of the trace are final; and how many pools are in it.
static TRACE: Mutex<Output<(u64, u32)>> = Mutex::new(Output::Untried);

/// The pools that have ended.
static REPORT: Mutex<Output<Vec<Report>>> = Mutex::new(Output::Untried);

/// So many pools are in one report; those that end later are counted there.
const REPORTED_MAX: usize = 32;

/// Behind everything that was written, so that the file is a whole one at all times; the next events are written over it.
const TRACE_END: &str = "\n]\n";

/// The trace of another pool, if one is wanted and can be written.
pub(super) fn begin_trace(pool: &str) -> Option<Trace> {
    let path = env::trace()?;
    let pid = std::process::id();
    let mut trace = lock(&TRACE);
    let (at, number) = trace.opened("LOKY_TRACE", &path, |file| {
        let head = format!("[\n{}", Trace::begin(pid, &program()));
        replace(file, &format!("{head}{TRACE_END}"))?;
        Ok((head.len() as u64, 0))
    })?;
    let own = *number;
    *number += 1;
    debug_assert!(*at > 0);
    Some(Trace::new(pid, own, pool))
}

/// Writes more of it. `false`: that cannot be, and was said.
pub(super) fn append_to_trace(events: &str) -> bool {
    lock(&TRACE).write("LOKY_TRACE", |file, (at, _)| {
        file.write_all_at(format!("{events}{TRACE_END}").as_bytes(), *at)?;
        *at += events.len() as u64;
        Ok(())
    })
}

/// Whether a report is wanted and can be written. Until there is something in it, it says so.
pub(super) fn begin_report() -> bool {
    let Some(path) = env::report() else { return false };
    let begin = |file: &File| replace(file, &page(&program(), &[], 0)).map(|()| Vec::new());
    lock(&REPORT).opened("LOKY_REPORT", &path, begin).is_some()
}

/// Adds a pool that has ended.
pub(super) fn end_report(report: Report) {
    lock(&REPORT).write("LOKY_REPORT", |file, reports| {
        reports.push(report);
        let shown = reports.len().min(REPORTED_MAX);
        let text = page(&program(), &reports[..shown], reports.len() - shown);
        replace(file, &text)
    });
}

impl<T> Output<T> {
    /// What is known of the file, which is opened by whoever comes first.
    fn opened(&mut self, variable: &str, path: &Path, begin: impl FnOnce(&File) -> io::Result<T>) -> Option<&mut T> {
        if matches!(self, Self::Untried) {
            let opened = open(path).and_then(|(file, path)| Ok(Open { content: begin(&file)?, file, path }));
            *self = match opened {
                Ok(open) => Self::Open(open),
                Err(why) => {
                    complain(variable, path, &why);
                    Self::Failed
                }
            };
        }
        match self {
            Self::Open(open) => Some(&mut open.content),
            Self::Untried | Self::Failed => None,
        }
    }

    /// Returns whether it was written.
    fn write(&mut self, variable: &str, write: impl FnOnce(&File, &mut T) -> io::Result<()>) -> bool {
        let Self::Open(open) = self else { return false };
        let written = write(&open.file, &mut open.content);
        if let Err(why) = &written {
            complain(variable, &open.path, why);
            *self = Self::Failed;
        }
        written.is_ok()
    }
}

fn lock<T>(output: &Mutex<Output<T>>) -> MutexGuard<'_, Output<T>> {
    output.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The file that this process may write.
fn open(path: &Path) -> io::Result<(File, PathBuf)> {
    let own = with_pid(path, std::process::id());
    if identity::depth() == 0 {
        if let Some(file) = claim(path)? {
            return Ok((file, path.to_path_buf()));
        }
    }
    match claim(&own)? {
        Some(file) => Ok((file, own)),
        None => Err(io::Error::other("another process writes it")),
    }
}

/// `run.json` is `run.1234.json`.
fn with_pid(path: &Path, pid: u32) -> PathBuf {
    match path.extension() {
        Some(extension) => path.with_extension(format!("{pid}.{}", extension.to_string_lossy())),
        None => path.with_extension(pid.to_string()),
    }
}

/// All that the file has from now on.
fn replace(file: &File, text: &str) -> io::Result<()> {
    file.set_len(0)?;
    file.write_all_at(text.as_bytes(), 0)
}

/// What this program is called.
fn program() -> String {
    let path = env::arguments().into_iter().next().map(PathBuf::from).unwrap_or_default();
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cold]
fn complain(variable: &str, path: &Path, why: &io::Error) {
    eprintln!(
        "loky: `{variable}` names {}, which cannot be written: {why}; the program goes on without it",
        path.display()
    );
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_pid_keeps_its_extension() {
        let names = ["run.json", "/tmp/a.b/run.tar.json", "run", "a.b/run"].map(|name| with_pid(Path::new(name), 7));
        assert_eq!(names, ["run.7.json", "/tmp/a.b/run.tar.7.json", "run.7", "a.b/run.7"].map(PathBuf::from));
    }
}
