//! A worker's standard error: always read, so that a worker never blocks on its last words, and remembered.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::ChildStderr;

use crate::config::STDERR_TAIL_LEN;

/// The reading end of one worker's standard error.
#[derive(Debug)]
pub(super) struct Stderr {
    pipe: ChildStderr,
    tail: VecDeque<u8>,
    is_open: bool,
}

/// More than this at once would let one chatty worker keep the others waiting.
const BURST: usize = 64 << 10;

impl Stderr {
    pub(super) fn new(pipe: ChildStderr) -> Self {
        Self { pipe, tail: VecDeque::new(), is_open: true }
    }

    /// Whether there may be more to read, ever.
    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Moves what is there to `out`, keeping the end of it in mind. Never blocks.
    pub(super) fn read(&mut self, out: &mut Vec<u8>) {
        let mut piece = [0; 4096];
        let mut total = 0;
        while self.is_open && total < BURST {
            match self.pipe.read(&mut piece) {
                Ok(0) => self.is_open = false,
                Ok(len) => {
                    total += len;
                    out.extend_from_slice(&piece[..len]);
                    self.remember(&piece[..len]);
                }
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => self.is_open = false,
            }
        }
    }

    /// Forgets what was written so far: it belongs to calls that have ended.
    pub(super) fn forget(&mut self) {
        self.tail.clear();
    }

    /// The last lines, as text.
    pub(super) fn tail(&mut self) -> String {
        String::from_utf8_lossy(self.tail.make_contiguous()).into_owned()
    }

    fn remember(&mut self, bytes: &[u8]) {
        let bytes = &bytes[bytes.len().saturating_sub(STDERR_TAIL_LEN)..];
        let surplus = (self.tail.len() + bytes.len()).saturating_sub(STDERR_TAIL_LEN);
        self.tail.drain(..surplus);
        self.tail.extend(bytes);
    }
}

impl AsFd for Stderr {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }
}
