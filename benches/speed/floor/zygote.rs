//! The floor of workers that are copies: this same program, started once, which copies itself when it is asked over a
//! socket, until the first byte of each copy.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Instant;

use nix::sys::wait::waitpid;
use nix::unistd::Pid;

use super::bare::Forked;
use super::exec;
use crate::absent::Measured;

/// The argument by which a process knows that it is to copy itself.
pub(super) const COPY: &str = "--copy";

/// In the new process: makes as many copies as each byte says, until its parent closes the connection.
pub(super) fn copy() {
    let socket = io::stdin().as_fd().try_clone_to_owned().map(UnixStream::from);
    let Ok(socket) = socket else { return };
    let mut copies = Vec::new();
    let mut wanted = [0];
    while (&socket).read_exact(&mut wanted).is_ok() {
        copies.extend((0..wanted[0]).map_while(|_| Forked::begin(|| be_there(&socket)).ok()));
    }
}

/// In a copy: all say it over the one socket, and stay until they are killed.
fn be_there(mut socket: &UnixStream) {
    let _ = socket.write_all(&[1]);
    loop {
        thread::park();
    }
}

/// From nothing to so many copies.
pub(super) fn all_answered(copies: u8) -> Measured<f64> {
    let pair = UnixStream::pair()?;
    let begin = Instant::now();
    let zygote = Zygote::start(pair)?;
    zygote.make(copies)?;
    let passed = begin.elapsed();
    zygote.end()?;
    Ok(passed.as_nanos() as f64)
}

/// Of one that has made as many before.
pub(super) fn more(copies: u8) -> Measured<f64> {
    let zygote = Zygote::start(UnixStream::pair()?)?;
    zygote.make(copies)?;
    let begin = Instant::now();
    zygote.make(copies)?;
    let passed = begin.elapsed();
    zygote.end()?;
    Ok(passed.as_nanos() as f64)
}

struct Zygote {
    socket: UnixStream,
    pid: Pid,
}

impl Zygote {
    fn start((socket, theirs): (UnixStream, UnixStream)) -> Measured<Self> {
        Ok(Self { socket, pid: exec::start(theirs, COPY)? })
    }

    fn make(&self, copies: u8) -> Measured<()> {
        (&self.socket).write_all(&[copies])?;
        (&self.socket).read_exact(&mut vec![0; copies.into()])?;
        Ok(())
    }

    fn end(self) -> Measured<()> {
        drop(self.socket);
        waitpid(self.pid, None)?;
        Ok(())
    }
}
