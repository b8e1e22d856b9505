//! Carries out what the scheduler decides. Nothing here blocks or runs foreign code.

use std::sync::Arc;

use super::background::{Chore, Launch};
use super::evidence;
use super::inner::{Inner, Pending, Worker};
use super::tokens::{Part, token};
use crate::error::Error;
use crate::ids::{Attempt, CallId, WorkerId};
use crate::scheduler::{Action, Why};
use crate::sys::poll::Interest;
use crate::wire::message::{Run, ToWorker};

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
            Action::Deliver { call } => self.deliver(call),
            Action::Settle { call, why } => self.settle(call, why),
            Action::Stop { worker } => self.say(worker, &ToWorker::Stop),
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

    fn dispatch(&mut self, call: CallId, attempt: Attempt, worker: WorkerId) {
        let Some(Pending { order, done, .. }) = self.calls.get(&call) else { return };
        let Some(body) = self.workers.get_mut(&worker).and_then(|worker| worker.body.as_mut()) else { return };
        let first = done.len();
        let run = ToWorker::Run(Run {
            call,
            attempt,
            tries_before: if first == 0 { order.tries_before } else { 0 },
            task: order.task.id,
            captures: order.task.captures.as_ref().map_or(0, |captures| captures.len() as u64),
            first: u32::try_from(first).expect("a call has fewer than four billion items"),
            lengths: order.lengths[first..].to_vec(),
        });
        body.tail.forget();
        body.link.send(&run, &order.pieces_from(first)).expect("messages of ours can be encoded");
        self.flush(worker);
    }

    /// Says something that has no payload.
    pub(super) fn say(&mut self, worker: WorkerId, message: &ToWorker) {
        if let Some(body) = self.body(worker) {
            body.link.send(message, &[]).expect("messages of ours can be encoded");
            self.flush(worker);
        }
    }

    /// Writes what the worker takes now, and asks to be told when it takes more.
    pub(super) fn flush(&mut self, worker: WorkerId) {
        let poller = self.poller.clone();
        let Some(body) = self.body(worker) else { return };
        let was_blocked = body.is_writing;
        body.link.flush();
        body.is_writing = body.link.is_blocked();
        let interest = if body.is_writing { Interest::ReadAndWrite } else { Interest::Read };
        if let Some(poller) = poller.filter(|_| was_blocked != body.is_writing) {
            // An error means that the link has been closed and removed: there is nobody to write to.
            let _ = poller.change(&body.link, token(worker, Part::Link), interest);
        }
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

    fn deliver(&mut self, call: CallId) {
        let Some(pending) = self.calls.remove(&call) else { return };
        let has_failed = pending.done.iter().any(|item| item.result.is_err());
        *if has_failed { &mut self.counters.failed } else { &mut self.counters.succeeded } += 1;
        self.end(pending, None);
    }

    fn settle(&mut self, call: CallId, why: Why) {
        let Some(pending) = self.calls.remove(&call) else { return };
        let error = evidence::settled(self, &pending, why);
        self.counters.failed += 1;
        self.end(pending, Some(error));
    }

    /// What the call has printed goes with its outcome, or, if nobody receives that, to this program's streams.
    fn end(&mut self, mut pending: Pending, end: Option<Error>) {
        if pending.is_detached() {
            self.outlets.take_in(&mut pending.printed);
        }
        self.outbox.end(pending, end);
        self.want_zygote();
    }
}
