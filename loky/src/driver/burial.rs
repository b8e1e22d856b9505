//! What is done when a worker's process has ended: what it left behind is read, and it is found out which call it had
//! begun.

use std::time::Instant;

use super::background::Chore;
use super::evidence;
use super::inner::Inner;
use crate::ids::{CallKey, WorkerId};
use crate::machine::Root;
use crate::scheduler::Event;
use crate::sys::page::Begun;
use crate::sys::process::{Exit, SIGINT, SIGKILL, SIGTERM};

impl Inner {
    pub(super) fn hear_process(&mut self, worker: WorkerId, now: Instant) {
        let Some(exit) = self.body(worker).and_then(|body| body.process.exit()) else { return };
        self.bury(worker, exit, now);
    }

    /// The process is gone. First everything that it had written is read: a result that made it out counts.
    pub(super) fn bury(&mut self, id: WorkerId, exit: Exit, now: Instant) {
        // Who interrupts the program may have hit the worker as well; then the call is not to be tried again.
        self.hear_interrupt(now);
        while self.hear_frame(id, now) {}
        #[cfg(feature = "tracing")]
        self.hear_all_notes(id, None, now);
        self.hear_last_output(id);
        self.end_lines(id);
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let Some(body) = &mut worker.body else { return };
        body.exit = Some(exit);
        // One that dies slowly has been killed twice.
        if exit == Exit::Signal(SIGKILL) && (!worker.is_killed || worker.has_fallen_silent) {
            let kills = self.oom_kills.as_mut();
            body.oom_witness = kills.and_then(|kills| kills.account(Root::machine(), now));
        }
        if let Some(poller) = &self.poller {
            body.leave(poller);
        }
        let begun = body.page.begun();
        let is_early = !worker.has_said_hello && !worker.is_killed;
        if is_early {
            self.launch_failure = Some(evidence::death_at_start(self, id, exit));
        }
        let begun = self.still_running(id, begun);
        self.turn_cut_short(id, exit, now);
        let cut = self.about_to_cut(begun);
        let event = match exit {
            Exit::Signal(SIGKILL | SIGINT | SIGTERM) if is_early => Event::LaunchCutShort { worker: id },
            _ => Event::WorkerDied { worker: id, begun },
        };
        self.feed(event, now);
        #[cfg(feature = "tracing")]
        self.forget_notes(id);
        self.note_cut_short(cut);
        if let Some(worker) = self.workers.remove(&id) {
            self.note_died(&worker, exit);
            self.outbox.chores.push(Chore::Forget(Box::new(worker)));
        }
        if exit == Exit::Code(0) {
            self.rest_nursery();
        }
    }

    /// Which call was running, if this was begun last: an item whose answer has arrived is over, and the next one had
    /// not begun. But an answer that came too late is not kept, and what its outcome lacks has run all the same.
    fn still_running(&self, worker: WorkerId, begun: Begun) -> Option<CallKey> {
        let given = &self.workers.get(&worker)?.body.as_ref()?.given;
        let is_undone = |call| self.calls.get(call).is_some_and(|pending| pending.done() <= begun.item as usize);
        let running = given.begun(begun).map(|given| given.call).filter(|&call| is_undone(call));
        // What runs is behind a call whose answer is on its way, if there are both.
        let suspect = given.suspect(begun).or(running).or_else(|| given.vacated())?;
        self.calls.get(suspect).map(|_| suspect)
    }
}
