//! A fault of our own: nothing that the driver knows can be relied on any more. Every handle resolves, every worker goes.

#[cfg(all(test, not(loom)))]
mod tests;

use super::background::Chore;
use super::clock;
use super::inner::{Inner, Pending};
use crate::caught::caught;
use crate::error::{Error, ErrorKind};
use crate::ids::CallKey;
use crate::scheduler::{Event, Scheduler, Why};

impl Inner {
    /// Ends the pool, whatever state it is in.
    pub(super) fn collapse(&mut self) {
        let why = Error::new(
            ErrorKind::Shutdown,
            "ended with its pool: loky itself has failed, at a panic that is on standard error",
        )
        .having_run()
        .with_advice("please report it, with that panic; `loky::pool()` is a new pool");
        self.scheduler = Scheduler::new(self.settings.rules());
        self.scheduler.handle(Event::ShutdownAsked { forced: true }, clock::now());
        while self.scheduler.next_action().is_some() {}
        for call in self.calls.open() {
            let Some(pending) = self.calls.take(call) else { continue };
            let why = why.clone().with_task(pending.order.task_name());
            self.counters.failed += 1;
            // What is only told of must not be in the way of what is promised.
            let _ = caught(|| self.tell_of_loss(call, &pending, &why));
            let left = self.outbox.end(pending, Some(why));
            self.calls.leave(call, left);
        }
        #[cfg(feature = "tracing")]
        self.workers.keys().copied().collect::<Vec<_>>().into_iter().for_each(|id| self.forget_notes(id));
        for (_, worker) in std::mem::take(&mut self.workers) {
            let _ = caught(|| self.note_discarded(&worker));
            self.outbox.chores.extend(worker.body.map(|body| Chore::Discard(body.process)));
        }
        self.outbox.cells.append(&mut self.warm_up);
        self.outbox.watchers.extend(self.room.take_waiting());
        self.outbox.is_finished = true;
    }

    /// A call has ended with the pool, and nobody knows how far it had come.
    fn tell_of_loss(&mut self, call: CallKey, pending: &Pending, why: &Error) {
        #[cfg(feature = "tracing")]
        self.trace_ended(pending, Some(why));
        self.note_settled(call, pending, Why::ShutDown(None), why);
    }
}
