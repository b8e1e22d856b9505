//! Whose it is, what a worker has written to its standard streams: under [`Output::Capture`] that of the call that it
//! runs, if somebody waits for that one; under [`Output::Null`] nobody's. Anything else is this program's own, under
//! [`Output::Prefix`] line by line.

#[cfg(all(test, not(loom)))]
mod tests;

use super::calls::Calls;
use super::given::Given;
use super::inner::{Body, Inner, Pending, Worker};
use super::landing::Landing;
use super::lines;
use super::tokens::{Part, token};
use crate::config::{DEFAULT_NAME, Output};
use crate::ids::WorkerId;
use crate::sys::page::Page;
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

    /// The worker tells something of the call that it has begun: what that has printed is taken in before it ends, even if
    /// it has to wait here to be shown.
    pub(super) fn hear_output_of_call(&mut self, worker: WorkerId) {
        for stream in STREAMS {
            let is_urgent = !self.outlets.of(stream).is_overfull();
            if self.take_output(worker, stream, is_urgent) && self.outlets.of(stream).is_full() {
                self.watch_output(stream, Interest::Nothing);
            }
        }
    }

    /// What the worker has printed without an end of the line is shown: its call has ended.
    pub(super) fn end_lines(&mut self, worker: WorkerId) {
        if self.settings.output != Output::Prefix {
            return;
        }
        let Some(body) = self.workers.get_mut(&worker).and_then(|worker| worker.body.as_mut()) else { return };
        for stream in STREAMS {
            let outlet = self.outlets.of(stream);
            body.lines[stream as usize].end(|text| outlet.add(text));
        }
    }

    /// Moves what is there to where it belongs. `false`: there is no room, because this program's own stream is stuck.
    fn take_output(&mut self, id: WorkerId, stream: Stream, is_urgent: bool) -> bool {
        let Self { workers, calls, outlets, settings, poller, .. } = self;
        let Some(Worker { index, body: Some(body), .. }) = workers.get_mut(&id) else { return true };
        let Body { pipes, lines, tail, given, page, .. } = body;
        let (pipe, lines, output) = (&mut pipes[stream as usize], &mut lines[stream as usize], settings.output);
        if pipe.fd().is_none() {
            return true;
        }
        let is_kept = match output {
            Output::Null => true,
            Output::Capture => writer(given, page, calls).is_some_and(|call| !call.is_detached()),
            Output::Prefix | Output::Inherit => false,
        };
        if !is_kept && outlets.of(stream).is_full() && !is_urgent {
            return false;
        }
        pipe.read(|bytes| {
            if stream == Stream::Error {
                tail.remember(bytes);
            }
            // Only now: a call that has begun since may have written them.
            match output {
                Output::Null => {}
                Output::Inherit => outlets.of(stream).add(bytes),
                Output::Prefix => {
                    let task = writer(given, page, calls).map(|call| call.order.task_name());
                    let name = Some(settings.name.as_str()).filter(|&name| name != DEFAULT_NAME);
                    lines.add(&lines::label(name, *index, task), bytes, |text| outlets.of(stream).add(text));
                }
                Output::Capture => match writer(given, page, calls) {
                    Some(call) if !call.is_detached() => call.outcome().printed.add(stream, bytes),
                    detached => {
                        detached.into_iter().for_each(|call| outlets.take_in(&mut call.outcome().printed));
                        outlets.of(stream).add(bytes);
                    }
                },
            }
        });
        if let (Some(ended), Some(poller)) = (pipe.take_ended(), poller) {
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

/// The call that the worker has begun, whose it is what it writes from then on until it answers.
fn writer<'a>(given: &Given, page: &Page, calls: &'a mut Calls<Pending, Landing>) -> Option<&'a mut Pending> {
    calls.get_mut(given.begun(page.begun())?.call)
}
