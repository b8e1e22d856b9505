//! A connection to the other side: TLS over a socket that never blocks, and messages in both directions.
//!
//! Whoever owns it polls its socket, and comes when there is something to read or to write. What comes in is taken in pieces
//! of a bounded size, so that no connection keeps its owner from the others.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};

use rustls::Connection;

use super::pieces::{Incoming, Lane, Most};
use crate::sys::socket;

/// See the module.
#[derive(Debug)]
pub(super) struct Link {
    socket: TcpStream,
    tls: Connection,
    incoming: Incoming,
    /// Pieces that go through TLS next.
    plain: Vec<u8>,
}

/// Whether a link goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stays {
    Open,
    /// The other side has closed it, or the network has.
    Ended,
}

/// How many bytes the kernel is to keep on their way: enough for a fast network, and few enough for a beat that is written
/// behind them to be heard soon, however slow the other side is.
const KEPT: usize = 256 << 10;

/// How much is read at once.
const READ: usize = 64 << 10;

/// How often, before others have their turn.
const READS_MAX: usize = 4;

/// How many pieces are written, likewise: whoever writes for long hears no beat meanwhile, and sends none.
const WRITES_MAX: usize = 2;

impl Link {
    pub(super) fn new(socket: TcpStream, tls: Connection) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        // What is small is to go at once: pieces are gathered here already.
        socket.set_nodelay(true)?;
        socket::bound(&socket, KEPT)?;
        let mut link = Self { socket, tls, incoming: Incoming::default(), plain: Vec::new() };
        // What is handed over is written before there is more.
        link.tls.set_buffer_limit(None);
        Ok(link)
    }

    /// Whether the other side has shown that it has the secret.
    pub(super) fn is_proven(&self) -> bool {
        !self.tls.is_handshaking()
    }

    /// Reads what is there, and gives every whole message to `take`, which says whether to go on. An error is one of the
    /// other side's words, or of its proof: it is not to be believed any more.
    pub(super) fn read(
        &mut self,
        most: Most,
        buffer: &mut Vec<u8>,
        mut take: impl FnMut(Lane, Vec<u8>) -> bool,
    ) -> io::Result<Stays> {
        buffer.resize(READ, 0);
        for _ in 0..READS_MAX {
            let len = match self.socket.read(buffer) {
                Ok(0) => return Ok(Stays::Ended),
                Ok(len) => len,
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => return Ok(Stays::Open),
                Err(why) if why.kind() == io::ErrorKind::Interrupted => continue,
                // A connection that is reset has ended.
                Err(_) => return Ok(Stays::Ended),
            };
            let mut there = &buffer[..len];
            while !there.is_empty() {
                self.tls.read_tls(&mut there)?;
                self.tls.process_new_packets().map_err(io::Error::other)?;
                self.take_plain(most, &mut take)?;
            }
            if len < READ {
                return Ok(Stays::Open);
            }
        }
        Ok(Stays::Open)
    }

    fn take_plain(&mut self, most: Most, take: &mut impl FnMut(Lane, Vec<u8>) -> bool) -> io::Result<()> {
        let mut goes_on = true;
        let mut reader = self.tls.reader();
        loop {
            let len = match io::BufRead::fill_buf(&mut reader) {
                Ok([]) => return Ok(()),
                Ok(bytes) if goes_on => {
                    let taken = self.incoming.take_in(bytes, most, |lane, message| {
                        goes_on = take(lane, message);
                        goes_on
                    });
                    taken.map_err(|fault| io::Error::other(format!("its bytes are no messages ({fault:?})")))?;
                    bytes.len()
                }
                Ok(bytes) => bytes.len(),
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                // An end that was not announced; the socket tells it, too.
                Err(_) => return Ok(()),
            };
            io::BufRead::consume(&mut reader, len);
        }
    }

    /// Writes as much as the socket takes of what `fill` appends, piece by piece, until it appends nothing more, or others are
    /// to have their turn. Returns whether that was all; an error means that the link has ended.
    pub(super) fn write(&mut self, mut fill: impl FnMut(&mut Vec<u8>)) -> io::Result<bool> {
        for _ in 0..WRITES_MAX {
            while self.tls.wants_write() {
                match self.tls.write_tls(&mut self.socket) {
                    Ok(_) => {}
                    Err(why) if why.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                    Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                    Err(why) => return Err(why),
                }
            }
            if self.tls.is_handshaking() {
                return Ok(true);
            }
            self.plain.clear();
            fill(&mut self.plain);
            if self.plain.is_empty() {
                return Ok(true);
            }
            self.tls.writer().write_all(&self.plain)?;
        }
        Ok(false)
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
