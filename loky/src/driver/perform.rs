//! Carries out what the scheduler decides. Nothing here blocks or runs foreign code.

use std::sync::Arc;
use std::time::Instant;

use super::background::{Chore, Launch};
use super::evidence;
use super::inner::{Inner, Pending, Worker};
use super::order::Items;
use crate::error::Error;
use crate::ids::{Attempt, CallKey, WorkerId};
use crate::scheduler::{Action, Event, Why};
use crate::transport::link::Part;
use crate::transport::payload::Payload;
use crate::wire::frame::{Head, WORD};
use crate::wire::message;
use crate::wire::run::Run;

/// So many bytes of a call are sent in one piece.
const SHORT_MAX: usize = 96;

impl Inner {
    pub(super) fn perform_all(&mut self) {
        while let Some(action) = self.scheduler.next_action() {
            self.perform(action);
        }
        if !self.room.is_empty() && !self.is_full() {
            self.outbox.watchers.append(&mut self.room);
        }
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Launch { worker } => self.launch(worker),
            Action::Dispatch { call, attempt, worker } => self.dispatch(call, attempt, worker),
            Action::Recall { worker } => self.recall(worker),
            Action::Deliver { call } => self.deliver(call),
            Action::Settle { call, why } => self.settle(call, why),
            Action::Stop { worker } => self.say(worker, message::stop(), &[]),
            Action::Kill { worker } => self.kill(worker),
            Action::Warmed => self.warmed(),
            Action::Finished => self.outbox.is_finished = true,
        }
    }

    fn launch(&mut self, worker: WorkerId) {
        let index = self.free_index();
        let is_one_of_many = self.workers.values().any(|worker| worker.body.is_none());
        self.counters.launches += 1;
        self.workers.insert(worker, Worker { index, is_killed: false, has_said_hello: false, body: None });
        self.outbox.launches.push(Launch { worker, index, is_one_of_many });
    }

    fn dispatch(&mut self, call: CallKey, attempt: Attempt, worker: WorkerId) {
        let Some(pending) = self.calls.get(call) else { return };
        let Some(body) = self.workers.get_mut(&worker).and_then(|worker| worker.body.as_mut()) else { return };
        let (order, first) = (&pending.order, pending.done());
        let number = |items: usize| u32::try_from(items).expect("a call has fewer items than `ITEMS_MAX`");
        let captures = order.task.captures.clone().map(|captures| Payload::Long(captures, None));
        let run = Run {
            call: call.id,
            attempt,
            tries_before: if first == 0 { order.tries_before } else { 0 },
            task: order.task.id,
            captures: captures.as_ref().map_or(0, |captures| captures.len()),
            first: number(first),
            count: number(order.items.len() - first),
            is_measured: order.is_measured,
            // The limit is that of one item: its clock starts when the answer before it is heard.
            is_prompt: order.limits().timeout.is_some(),
            is_alike: order.items.alike().is_some(),
        };
        let lengths: Vec<u8> = match (&order.items, order.items.alike()) {
            (Items::Many(_), Some(len)) if run.count > 1 => word(len).into(),
            (Items::Many(lengths), None) if run.count > 1 => {
                lengths.each(first..lengths.count()).flat_map(word).collect()
            }
            _ => Vec::new(),
        };
        let arguments = order.offset_of(first)..order.payload.len();
        let words = run.words();
        match short(&words, &order.payload[arguments.clone()]).filter(|_| lengths.is_empty() && captures.is_none()) {
            Some((bytes, len)) => body.link.send(run.head(arguments.len(), None), [Part::Bytes(&bytes[..len])]),
            None => {
                let row = order.payload.row().filter(|_| arguments.start == 0);
                let head = run.head(arguments.len(), row);
                let fixed = [Part::Bytes(&words), Part::Bytes(&lengths)];
                let captures = captures.as_ref().map(|captures| Part::Payload(captures, 0..captures.len()));
                let parts = fixed.into_iter().chain(captures).chain([Part::Payload(&order.payload, arguments)]);
                body.link.send(head, parts);
            }
        }
        if body.given.is_empty() {
            // What was written so far belongs to calls that have ended.
            body.tail.forget();
        }
        body.given.push(call, attempt, run.first..run.first + run.count);
        self.flush(worker);
    }

    /// Takes back what the worker has not begun, and says what that is.
    fn recall(&mut self, worker: WorkerId) {
        let begun = self.body(worker).and_then(|body| {
            let begun = body.page.recall(body.given.last());
            body.given.take_back(begun)
        });
        self.scheduler.handle(Event::Recalled { worker, begun }, Instant::now());
    }

    /// Says something that is not about a call.
    pub(super) fn say(&mut self, worker: WorkerId, head: Head, bytes: &[u8]) {
        if let Some(body) = self.body(worker) {
            body.link.send(head, [Part::Bytes(bytes)]);
            self.flush(worker);
        }
    }

    /// Writes what the worker takes now; it rings when it takes more.
    pub(super) fn flush(&mut self, worker: WorkerId) {
        let has_rung = self.body(worker).is_some_and(|body| body.link.flush());
        self.has_rung |= has_rung;
    }

    pub(super) fn kill(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        worker.is_killed = true;
        if !worker.has_said_hello && !self.scheduler.is_shutting_down() {
            let why = "a worker did not say hello in time: does the program reach `loky::main!` before anything else?";
            self.launch_failure.get_or_insert_with(|| why.to_string());
        }
        if let Some(body) = &worker.body {
            // The kill takes a moment; what would begin meanwhile would have begun in vain.
            body.page.halt();
            self.outbox.chores.push(Chore::Kill(Arc::clone(&body.process)));
        } else {
            self.give_up_waiting_for_zygote(id);
        }
    }

    fn warmed(&mut self) {
        self.outbox.cells.append(&mut self.warm_up);
        self.want_zygote();
    }

    fn deliver(&mut self, call: CallKey) {
        let Some(pending) = self.calls.remove(call) else { return };
        *if pending.has_succeeded() { &mut self.counters.succeeded } else { &mut self.counters.failed } += 1;
        self.end(pending, None);
    }

    fn settle(&mut self, call: CallKey, why: Why) {
        let Some(pending) = self.calls.remove(call) else { return };
        let error = evidence::settled(self, &pending, why);
        self.counters.failed += 1;
        self.end(pending, Some(error));
    }

    /// What the call has printed goes with its outcome, or, if nobody receives that, to this program's streams.
    fn end(&mut self, mut pending: Pending, end: Option<Error>) {
        if pending.is_detached() {
            self.outlets.take_in(&mut pending.outcome().printed);
        }
        self.outbox.end(pending, end);
        self.want_zygote();
    }
}

/// Most calls are short, and most of what it costs to send them is to begin: so they are sent in one piece. A whole number
/// of words, and how many of its bytes count.
fn short<const N: usize>(words: &[u8; N], arguments: &[u8]) -> Option<([u8; SHORT_MAX], usize)> {
    let mut bytes = [0; SHORT_MAX];
    let len = N + arguments.len();
    bytes.get_mut(N..len)?.copy_from_slice(arguments);
    bytes[..N].copy_from_slice(words);
    Some((bytes, len))
}

fn word(len: usize) -> [u8; WORD] {
    (len as u64).to_le_bytes()
}
