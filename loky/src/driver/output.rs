//! Whose it is, what a worker has written to its standard streams: under [`Output::Capture`] that of the call that it
//! runs, if somebody waits for that one. Anything else is this program's own.

use super::inner::{Body, Inner};
use super::tokens::{Part, token};
use crate::config::Output;
use crate::ids::WorkerId;
use crate::sys::poll::Interest;
use crate::sys::stdio::{STREAMS, Stream};

impl Inner {
    /// A worker has written something.
    pub(super) fn hear_output(&mut self, worker: WorkerId, stream: Stream) {
        if self.take_output(worker, stream, false) && self.outlets.of(stream).is_full() {
            self.watch_output(stream, Interest::Nothing);
        }
    }

    /// The worker tells something, and what it has printed before is to be shown, and remembered, before that.
    pub(super) fn hear_all_output(&mut self, worker: WorkerId) {
        STREAMS.into_iter().for_each(|stream| self.hear_output(worker, stream));
    }

    /// The worker is dead: what it has printed is read however much waits to be shown. Its pipes hold no more than a
    /// burst each, and a grandchild that writes on is not waited for.
    pub(super) fn hear_last_output(&mut self, worker: WorkerId) {
        for stream in STREAMS {
            self.take_output(worker, stream, true);
        }
    }

    /// Moves what is there to where it belongs. `false`: there is no room, because this program's own stream is stuck.
    fn take_output(&mut self, id: WorkerId, stream: Stream, is_last: bool) -> bool {
        let Some(body) = self.workers.get_mut(&id).and_then(|worker| worker.body.as_mut()) else { return true };
        let mut listener = match self.settings.output {
            Output::Capture => body.given.begun(body.page.begun()).and_then(|given| self.calls.get_mut(given.call)),
            Output::Inherit => None,
        };
        if let Some(detached) = listener.take_if(|call| call.is_detached()) {
            self.outlets.take_in(&mut detached.outcome().printed);
        }
        let outlet = self.outlets.of(stream);
        if listener.is_none() && outlet.is_full() && !is_last {
            return false;
        }
        let Body { pipes, tail, .. } = body;
        let pipe = &mut pipes[stream as usize];
        pipe.read(|bytes| {
            if stream == Stream::Error {
                tail.remember(bytes);
            }
            match &mut listener {
                Some(call) => call.outcome().printed.add(stream, bytes),
                None => outlet.add(bytes),
            }
        });
        if let (Some(ended), Some(poller)) = (pipe.take_ended(), &self.poller) {
            let _ = poller.remove(&ended);
        }
        true
    }

    /// Lets all workers wait with what they have to say on a stream, or go on.
    pub(super) fn watch_output(&self, stream: Stream, interest: Interest) {
        let Some(poller) = &self.poller else { return };
        for (&id, worker) in &self.workers {
            if let Some(fd) = worker.body.as_ref().and_then(|body| body.pipes[stream as usize].fd()) {
                let _ = poller.change(fd, token(id, Part::of(stream)), interest);
            }
        }
    }
}
