//! What workers write to their standard error appears on this program's.
//!
//! Nobody waits for that: what this program's standard error does not take now is kept, and tried again a little later.
//! If too much is kept, the workers are not read any more until it is less, so at the end of the chain it is the worker
//! that waits, as it would with an inherited standard error.

use std::thread;
use std::time::{Duration, Instant};

use super::Driver;
use crate::sys::poll::Interest;
use crate::sys::stdio;

/// How soon to look again whether this program's standard error takes more.
pub(super) const STDERR_RETRY: Duration = Duration::from_millis(20);

/// A pipe that is writable takes this much without blocking.
const PIPE_PIECE: usize = 4096;

/// How long the end of a pool waits for a standard error that takes nothing.
const LAST_WORDS_GRACE: Duration = Duration::from_secs(1);

impl Driver {
    /// Writes what workers wrote to their standard error to this program's, as far as that takes it now. Returns whether
    /// nothing is left.
    pub(super) fn forward_stderr(&self) -> bool {
        loop {
            let mut inner = self.inner.lock();
            if inner.stderr_pending.is_empty() || inner.is_stderr_busy || !stdio::is_stderr_writable() {
                return inner.stderr_pending.is_empty();
            }
            let was_full = inner.is_stderr_full();
            let rest = inner.stderr_pending.len().min(PIPE_PIECE);
            let piece: Vec<u8> = inner.stderr_pending.drain(..rest).collect();
            if was_full && !inner.is_stderr_full() {
                inner.watch_stderr(Interest::Read);
            }
            inner.is_stderr_busy = true;
            drop(inner);
            stdio::write_stderr(&piece);
            self.inner.lock().is_stderr_busy = false;
        }
    }

    /// Gives this program's standard error a last while to take what workers wrote.
    pub(super) fn show_last_words(&self) {
        let until = Instant::now() + LAST_WORDS_GRACE;
        while !self.forward_stderr() && Instant::now() < until {
            thread::sleep(STDERR_RETRY);
        }
    }
}
