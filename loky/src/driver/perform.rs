//! Carries out what the scheduler decides. Nothing here blocks or runs foreign code.

use std::sync::Arc;

use super::background::{Chore, Launch};
use super::clock;
use super::evidence::{self, LaunchFailure};
use super::inner::{Body, Inner, Pending, Worker};
use super::record::Past;
use crate::error::Error;
use crate::ids::{CallKey, WorkerId};
use crate::scheduler::{Action, Event, Why};
use crate::transport::link::Part;
use crate::wire::frame::Head;

impl Inner {
    pub(super) fn perform_all(&mut self) {
        while let Some(action) = self.scheduler.next_action() {
            self.perform(action);
        }
        if self.sharing != self.scheduler.live() {
            self.share_processors();
        }
        self.tell_of_room();
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Launch { worker } => self.launch(worker),
            Action::Dispatch { call, attempt, worker } => self.dispatch(call, attempt, worker),
            Action::Recall { worker } => self.recall(worker),
            Action::AskToEnd { worker, call } => self.ask_to_end(worker, call),
            Action::Deliver { call } => self.deliver(call),
            Action::Settle { call, why } => self.settle(call, why),
            Action::Stop { worker } => self.stop(worker),
            Action::Kill { worker } => self.kill(worker),
            Action::Warmed => self.warmed(),
            Action::Finished => {
                self.turns_are_over(clock::now());
                self.outbox.is_finished = true;
            }
        }
    }

    fn launch(&mut self, worker: WorkerId) {
        let index = self.free_index();
        let is_one_of_many = self.workers.values().any(|worker| worker.body.is_none());
        self.counters.launches += 1;
        self.initializer_failure = None;
        let launched = Worker {
            index,
            is_killed: false,
            has_said_hello: false,
            refused_for: None,
            has_fallen_silent: false,
            turn: None,
            past: Past::beginning_now(),
            body: None,
        };
        self.workers.insert(worker, launched);
        self.note_launched(index);
        self.outbox.launches.push(Launch { worker, index, is_one_of_many });
    }

    /// Takes back what the worker has not begun, and says what that is.
    fn recall(&mut self, worker: WorkerId) {
        let begun = self.body(worker).and_then(|body| {
            let begun = body.page.recall(body.given.last());
            body.given.take_back(begun)
        });
        let chore = self.body(worker).and_then(Body::let_go);
        self.outbox.chores.extend(chore);
        self.scheduler.handle(Event::Recalled { worker, begun }, clock::now());
    }

    /// Lets the call that the worker runs know that it should end.
    fn ask_to_end(&mut self, worker: WorkerId, call: CallKey) {
        let Some(body) = self.body(worker) else { return };
        if let Some(number) = body.given.number_of(call) {
            body.page.ask_to_end(number);
        }
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
        self.note_killed(id);
        let Some(worker) = self.workers.get_mut(&id) else { return };
        if !worker.has_said_hello && !self.scheduler.is_shutting_down() {
            let why = || LaunchFailure::Seen("a worker was not ready to serve in time".to_string());
            self.launch_failure.get_or_insert_with(why);
        }
        if worker.turn.is_some() {
            self.turn_given_up(id, clock::now());
        }
        if let Some(body) = self.body(id) {
            // The kill takes a moment; what would begin meanwhile would have begun in vain.
            body.page.halt();
            let process = Arc::clone(&body.process);
            self.outbox.chores.push(Chore::Kill(process));
        } else {
            self.give_up_waiting_for_zygote(id);
        }
    }

    fn warmed(&mut self) {
        self.outbox.cells.append(&mut self.warm_up);
        self.want_zygote();
    }

    fn deliver(&mut self, call: CallKey) {
        let Some(pending) = self.calls.take(call) else { return };
        self.count_out(&pending.order);
        *if pending.has_succeeded() { &mut self.counters.succeeded } else { &mut self.counters.failed } += 1;
        self.note_delivered(call, &pending);
        self.end(call, pending, None);
    }

    fn settle(&mut self, call: CallKey, why: Why) {
        let Some(pending) = self.calls.take(call) else { return };
        self.count_out(&pending.order);
        let error = evidence::settled(self, &pending, why);
        self.counters.failed += 1;
        self.note_settled(call, &pending, why, &error);
        self.end(call, pending, Some(error));
    }

    /// What the call has printed goes with its outcome, or, if nobody receives that, to this program's streams.
    fn end(&mut self, call: CallKey, mut pending: Pending, end: Option<Error>) {
        #[cfg(feature = "tracing")]
        self.trace_ended(&pending, end.as_ref());
        if pending.is_detached() {
            self.outlets.take_in(&mut pending.outcome().printed);
        }
        let left = self.outbox.end(pending, end);
        self.calls.leave(call, left);
        self.note_drained();
        self.want_zygote();
    }
}
