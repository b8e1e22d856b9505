//! The floor of a start: `posix_spawn` of this same program, until its first byte is there.

use std::ffi::CString;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, posix_spawn};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;

use crate::absent::Measured;

/// The argument by which a process knows that it is only to answer.
pub(super) const ANSWER: &str = "--answer";

/// In the new process: says that it is there, and stays until its parent closes the connection.
pub(super) fn answer() {
    let socket = io::stdin().as_fd().try_clone_to_owned().map(UnixStream::from);
    let Ok(mut socket) = socket else { return };
    let _ = socket.write_all(&[1]);
    let _ = socket.read_to_end(&mut Vec::new());
}

/// Starts so many, and waits for the first byte of each.
pub(super) fn all_answered(processes: usize) -> Measured<f64> {
    // Made before, as a pool might, since it is no part of starting a process.
    let pairs = (0..processes).map(|_| UnixStream::pair()).collect::<io::Result<Vec<_>>>()?;
    let begin = Instant::now();
    let started = pairs.into_iter().map(|(ours, theirs)| Ok((ours, start(theirs, ANSWER)?)));
    let mut started = started.collect::<Measured<Vec<_>>>()?;
    started.iter_mut().try_for_each(|(socket, _)| socket.read_exact(&mut [0]))?;
    let passed = begin.elapsed();
    for (socket, pid) in started {
        drop(socket);
        waitpid(pid, None)?;
    }
    Ok(passed.as_nanos() as f64)
}

/// Starts this program with the socket as its standard input, and an argument that says what to do.
pub(super) fn start(socket: UnixStream, what: &str) -> Measured<Pid> {
    let mut actions = PosixSpawnFileActions::init()?;
    actions.add_dup2(socket.as_raw_fd(), 0)?;
    let arguments = [c"speed".to_owned(), CString::new(what)?];
    Ok(posix_spawn(c"/proc/self/exe", &actions, &PosixSpawnAttr::init()?, &arguments, &[] as &[CString])?)
}
