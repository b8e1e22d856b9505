//! The loop of a worker: read a call, run its items one by one, answer each.
//!
//! Each answer is written before the next item begins, so a death takes the answer of nobody but the item that ran.

use std::io::{self, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use super::ready::Ready;
use crate::identity;
use crate::supervisor::tree;
use crate::sys::page::Page;
use crate::sys::{process, socket, stdio};
use crate::task::entry_of;
use crate::wire::frame::{self, Found, Reader};
use crate::wire::message::{FromWorker, Run, ToWorker};

/// Where frames come from.
pub(super) struct Source {
    pub(super) stream: BufReader<UnixStream>,
    pub(super) reader: Reader<ToWorker>,
}

/// An answer up to this size leaves in one piece with its head.
const ONE_PIECE_MAX: usize = 64 << 10;

/// Serves until the parent says stop or is gone.
pub(super) fn serve(link: UnixStream, mut source: Source, page: &Page) -> ! {
    loop {
        match source.reader.read(&mut source.stream) {
            Ok(Found::More | Found::Blocked) => {}
            Ok(Found::Frame(frame)) => match frame.message {
                ToWorker::Run(run) => {
                    if run_items(&link, page, &run, &frame.payload).is_err() {
                        vanish();
                    }
                }
                ToWorker::Stop => leave(),
                ToWorker::Welcome(_) => die("was welcomed twice"),
            },
            Ok(Found::Closed { .. }) => vanish(),
            Err(why) => die(&why.to_string()),
        }
    }
}

/// Writes one frame; blocks until the parent has taken it.
pub(super) fn send(link: &UnixStream, message: &FromWorker, payload: Vec<u8>) -> io::Result<()> {
    let mut head = frame::head(message, payload.len()).map_err(|why| io::Error::other(why.to_string()))?;
    if payload.len() <= ONE_PIECE_MAX {
        head.extend_from_slice(&payload);
        return write_all(link, &head);
    }
    write_all(link, &head)?;
    write_all(link, &payload)
}

fn run_items(link: &UnixStream, page: &Page, run: &Run, payload: &[u8]) -> io::Result<()> {
    let (captures, mut rest) = split(payload, run.captures);
    let (entry, pid) = (entry_of(run.task), std::process::id());
    let mut ready = None;
    for (item, &len) in (run.first..).zip(&run.lengths) {
        let (arguments, others) = split(rest, len);
        rest = others;
        let tries_before = if item == run.first { run.tries_before } else { 0 };
        if let Some(entry) = entry {
            identity::begin_call(entry.name, run.call, run.attempt.get() + tries_before);
        }
        page.begin(run.call.raw(), u64::from(item));
        let started = Instant::now();
        // Not before the page tells that the call has begun: whoever dies of decoding its captures is to blame.
        let (verdict, result) = ready.get_or_insert_with(|| Ready::new(entry, captures)).run(arguments);
        let nanos = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        if std::process::id() != pid {
            // The task has forked, and this is the child: the answer, like the worker, is the other one's.
            process::exit_now(0);
        }
        // What the task has printed is seen before its result, and is not lost if this process is killed later.
        let _ = io::stdout().flush();
        stdio::flush_c();
        let answer = FromWorker::Returned { call: run.call, attempt: run.attempt, item, nanos, verdict };
        send(link, &answer, result)?;
    }
    if let Some(ready) = ready {
        ready.close();
    }
    Ok(())
}

/// The first `len` bytes, and the others.
fn split(payload: &[u8], len: u64) -> (&[u8], &[u8]) {
    let parts = usize::try_from(len).ok().and_then(|len| payload.split_at_checked(len));
    parts.unwrap_or_else(|| die("was sent a call whose parts are longer than its payload"))
}

fn write_all(link: &UnixStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match socket::write_some(link, bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            Err(why) => return Err(why),
        }
    }
    Ok(())
}

/// The parent has no more work: ends as a program ends, after everything that tasks have started.
fn leave() -> ! {
    tree::kill_own_descendants();
    std::process::exit(0)
}

/// The parent is gone, and nobody is left to notice how this process ends.
fn vanish() -> ! {
    tree::kill_own_descendants();
    process::exit_now(0)
}

/// The link brings nonsense: tells the parent by dying, with the reason as last words.
fn die(why: &str) -> ! {
    eprintln!("loky: a worker (pid {}) {why}", std::process::id());
    process::exit_now(1)
}
