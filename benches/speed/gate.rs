//! A place where tasks in other processes knock and wait to be let go: who has answered, and who is busy?
//!
//! A socket with an abstract name, which needs no file and goes with its process.

use std::io::{self, Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::absent::{Measured, failed};

/// Where visitors are awaited.
pub(crate) struct Gate {
    name: String,
    listener: UnixListener,
}

/// Who has come. They are let go when this is dropped, if not before.
pub(crate) struct Visitors {
    pub(crate) pids: Vec<u32>,
    /// When the last of them had come.
    pub(crate) complete: Instant,
    streams: Vec<UnixStream>,
}

impl Visitors {
    pub(crate) fn let_go(&mut self) {
        self.streams.clear();
    }
}

impl Gate {
    pub(crate) fn open() -> io::Result<Self> {
        let name = new_name();
        Ok(Self { listener: UnixListener::bind_addr(&address(&name)?)?, name })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Waits for so many, each a process of its own if they are processes.
    pub(crate) fn welcome(&self, visitors: usize) -> io::Result<Visitors> {
        let (mut pids, mut streams) = (Vec::new(), Vec::new());
        while streams.len() < visitors {
            let (mut stream, _) = self.listener.accept()?;
            let mut pid = [0; 4];
            stream.read_exact(&mut pid)?;
            pids.push(u32::from_le_bytes(pid));
            streams.push(stream);
        }
        let complete = Instant::now();
        pids.sort_unstable();
        pids.dedup();
        Ok(Visitors { pids, complete, streams })
    }
}

/// In a task: says who runs it, and waits to be let go.
pub(crate) fn visit(gate: &str) -> io::Result<()> {
    let mut stream = UnixStream::connect_addr(&address(gate)?)?;
    stream.write_all(&std::process::id().to_le_bytes())?;
    stream.read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Where a task that is about to die leaves a time.
pub(crate) struct LastWords {
    name: String,
    socket: UnixDatagram,
}

impl LastWords {
    pub(crate) fn await_some() -> io::Result<Self> {
        let name = new_name();
        let socket = UnixDatagram::bind_addr(&address(&name)?)?;
        socket.set_read_timeout(Some(Duration::from_secs(1)))?;
        Ok(Self { name, socket })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn read(&self) -> Measured<u64> {
        let mut time = [0; 8];
        if self.socket.recv(&mut time)? < time.len() {
            return failed("no time in the last words");
        }
        Ok(u64::from_le_bytes(time))
    }
}

/// In a task.
pub(crate) fn leave(last_words: &str, time: u64) -> io::Result<()> {
    UnixDatagram::unbound()?.send_to_addr(&time.to_le_bytes(), &address(last_words)?)?;
    Ok(())
}

fn new_name() -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    format!("loky-benches-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed))
}

fn address(name: &str) -> io::Result<SocketAddr> {
    SocketAddr::from_abstract_name(name)
}
