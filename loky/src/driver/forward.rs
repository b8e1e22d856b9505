//! What workers write to their standard streams appears on this program's.
//!
//! Nobody waits for that: what this program's stream does not take now is kept, and tried again a little later. If too
//! much is kept, the workers are not read any more until it is less, so at the end of the chain it is the worker that
//! waits, as it would with an inherited stream.

use std::thread;
use std::time::{Duration, Instant};

use super::Driver;
use super::inner::Inner;
use super::printed::Printed;
use crate::bars;
use crate::config::{OUTPUT_PENDING_MAX, OUTPUT_PENDING_OF_ENDED_MAX};
use crate::sys::poll::Interest;
use crate::sys::stdio::{self, STREAMS, Stream};

/// What waits to be written to this program's two streams.
#[derive(Debug, Default)]
pub(super) struct Outlets([Outlet; STREAMS.len()]);

/// What waits to be written to one of them.
#[derive(Debug, Default)]
pub(super) struct Outlet {
    /// Also the piece that somebody is just writing.
    pending: Vec<u8>,
}

/// How soon to look again whether this program's streams take more.
pub(super) const OUTPUT_RETRY: Duration = Duration::from_millis(20);

/// A pipe that is writable takes this much without blocking.
const PIPE_PIECE: usize = 4096;

/// How long the end of a pool waits for a stream that takes nothing.
const LAST_WORDS_GRACE: Duration = Duration::from_secs(1);

impl Outlets {
    pub(super) fn of(&mut self, stream: Stream) -> &mut Outlet {
        &mut self.0[stream as usize]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|outlet| outlet.pending.is_empty())
    }

    /// Takes over what a call has printed for whose result nobody waits. A stream that has been stuck for long does not
    /// get it: what is kept has a limit, and the calls that end meanwhile have none.
    pub(super) fn take_in(&mut self, printed: &mut Printed) {
        let (output, error) = printed.take();
        for (stream, text) in [(Stream::Output, output), (Stream::Error, error)] {
            let outlet = self.of(stream);
            if !outlet.is_full() {
                outlet.add(&text);
            }
        }
    }
}

impl Outlet {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
    }

    /// Whether workers have to wait before they may write more.
    pub(super) fn is_full(&self) -> bool {
        self.pending.len() >= OUTPUT_PENDING_MAX
    }

    /// Whether even what a call has written that has ended is to wait in its pipe.
    pub(super) fn is_overfull(&self) -> bool {
        self.pending.len() >= OUTPUT_PENDING_OF_ENDED_MAX
    }

    /// Whole lines, if there is one: the program may print something of its own between two pieces.
    pub(super) fn next_piece(&self) -> Vec<u8> {
        let most = &self.pending[..self.pending.len().min(PIPE_PIECE)];
        let len = most.iter().rposition(|&byte| byte == b'\n').map_or(most.len(), |end| end + 1);
        most[..len].to_vec()
    }
}

impl Inner {
    /// So many bytes of what waits have been taken.
    fn has_written(&mut self, stream: Stream, len: usize) {
        let outlet = self.outlets.of(stream);
        let was_full = outlet.is_full();
        outlet.pending.drain(..len);
        if was_full && !outlet.is_full() {
            self.watch_output(stream, Interest::Read);
        }
    }
}

impl Driver {
    /// Writes what workers wrote to this program's streams, as far as those take it now. Returns whether nothing is
    /// left.
    pub(super) fn forward_output(&self) -> bool {
        STREAMS.map(|stream| self.forward(stream)) == [true, true]
    }

    fn forward(&self, stream: Stream) -> bool {
        loop {
            let Some(_turn) = self.pens[stream as usize].take() else { return false };
            let mut inner = self.inner.lock();
            let outlet = inner.outlets.of(stream);
            if outlet.pending.is_empty() || !stdio::is_writable(stream) {
                return outlet.pending.is_empty();
            }
            let piece = outlet.next_piece();
            drop(inner);
            bars::suspended(|| stdio::write_all(stream, &piece));
            self.inner.lock().has_written(stream, piece.len());
        }
    }

    /// Gives this program's streams a last while to take what workers wrote.
    pub(super) fn show_last_words(&self) {
        let until = Instant::now() + LAST_WORDS_GRACE;
        while !self.forward_output() && Instant::now() < until {
            thread::sleep(OUTPUT_RETRY);
        }
    }
}
