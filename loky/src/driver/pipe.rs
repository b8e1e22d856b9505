//! A standard stream of a worker: always read, so that a worker never blocks on its last words.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};

use crate::config::STDERR_TAIL_LEN;

/// The reading end of a pipe; no file, if the worker writes elsewhere or will write no more.
#[derive(Debug)]
pub(super) struct Pipe {
    file: Option<File>,
    is_at_end: bool,
}

/// The end of what a worker has written to its standard error.
#[derive(Debug, Default)]
pub(super) struct Tail(VecDeque<u8>);

/// More than this at once would let one chatty worker keep the others waiting. A pipe holds no more.
const BURST: usize = 64 << 10;

/// Most reads find nothing, so a piece is no longer than what costs nothing to make ready.
const PIECE: usize = 512;

impl Pipe {
    /// `file` must not block.
    pub(super) fn new(file: Option<File>) -> Self {
        Self { file, is_at_end: false }
    }

    /// What there may be something to read from, now or later.
    pub(super) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.file.as_ref().map(AsFd::as_fd)
    }

    /// Gives what is there to `take`, piece by piece. Never blocks.
    pub(super) fn read(&mut self, mut take: impl FnMut(&[u8])) {
        let Some(file) = &mut self.file else { return };
        let mut piece = [0; PIECE];
        let mut total = 0;
        while !self.is_at_end && total < BURST {
            match file.read(&mut piece) {
                Ok(0) => self.is_at_end = true,
                Ok(len) => {
                    total += len;
                    take(&piece[..len]);
                }
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => self.is_at_end = true,
            }
        }
    }

    /// Gives up a pipe that has been read to its end. The poller must be told: that we close it would not be enough
    /// if a forked child of this program held it, too.
    pub(super) fn take_ended(&mut self) -> Option<File> {
        self.file.take_if(|_| self.is_at_end)
    }
}

impl Tail {
    pub(super) fn remember(&mut self, bytes: &[u8]) {
        let bytes = &bytes[bytes.len().saturating_sub(STDERR_TAIL_LEN)..];
        let surplus = (self.0.len() + bytes.len()).saturating_sub(STDERR_TAIL_LEN);
        self.0.drain(..surplus);
        self.0.extend(bytes);
    }

    /// Forgets what was written so far: it belongs to calls that have ended.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    /// The last lines, as text.
    pub(super) fn text(&mut self) -> String {
        String::from_utf8_lossy(self.0.make_contiguous()).into_owned()
    }
}
