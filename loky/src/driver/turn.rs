//! One turn of whoever drives, and what every visitor of the driver does on the way out.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use super::Driver;
use super::background::Chore;
use super::forward::OUTPUT_RETRY;
use super::inner::{Inner, Outbox};
use super::role::Drive;
use crate::error::{Error, ErrorKind};
use crate::oneshot::Watcher;
use crate::scheduler::{Event, Scheduler};
use crate::sys::poll::Poller;

impl Drive for Driver {
    fn turn(&self, until: Option<Instant>) {
        if until.is_none() {
            self.help_to_launch();
        }
        let Some((poller, until)) = self.prepare_sleep(until) else { return };
        let ready = poller.wait(until);
        // A fault of our own has been told and has ended the pool: whoever drives goes on and reads that in its handle.
        let _ = self.try_act(|inner, now| {
            inner.sleeping_until = None;
            let ready = ready.unwrap_or_else(|why| panic!("waiting for the workers failed: {why}"));
            ready.into_iter().for_each(|token| inner.hear(token, now));
            inner.scheduler.handle_timeout(now);
            inner.perform_all();
        });
    }

    fn interrupt(&self) {
        if let Some(poller) = self.inner.lock().poller.as_ref() {
            poller.ring();
        }
    }
}

impl Driver {
    /// Does something under the lock, and what follows from it once the lock is released. For whoever does not drive.
    pub(super) fn act<T>(&self, action: impl FnOnce(&mut Inner, Instant) -> T) -> T {
        let (acted, has_told) = self.try_act(action);
        if has_told {
            // Whoever drives may have been waiting for just that, and it does not park. Only now: had it been woken
            // before the result was there, it would have gone to sleep again.
            self.interrupt();
        }
        acted.unwrap_or_else(|panic| panic::resume_unwind(panic))
    }

    /// The same for whoever drives, which looks by itself. Returns whether there was something to tell.
    fn try_act<T>(&self, action: impl FnOnce(&mut Inner, Instant) -> T) -> (thread::Result<T>, bool) {
        let mut inner = self.inner.lock();
        let acted = panic::catch_unwind(AssertUnwindSafe(|| {
            let now = Instant::now();
            inner.excuse_progress(now);
            action(&mut inner, now)
        }));
        if acted.is_err() {
            inner.collapse();
        }
        if let Some(poller) = inner.poller.as_ref().filter(|_| inner.has_earlier_timer()) {
            poller.ring();
        }
        let outbox = std::mem::take(&mut inner.outbox);
        let has_output = !inner.outlets.is_empty();
        drop(inner);
        if has_output {
            self.forward_output();
        }
        let has_told = outbox.is_awaited();
        self.send_out(outbox);
        (acted, has_told)
    }

    fn prepare_sleep(&self, until: Option<Instant>) -> Option<(Arc<Poller>, Option<Instant>)> {
        let mut inner = self.inner.lock();
        let poller = inner.poller.clone()?;
        let retry = (!inner.outlets.is_empty()).then(|| Instant::now() + OUTPUT_RETRY);
        let until = [until, retry, inner.scheduler.next_timeout()].into_iter().flatten().min();
        inner.sleeping_until = Some(until);
        Some((poller, until))
    }

    fn send_out(&self, outbox: Outbox) {
        if !outbox.chores.is_empty() || !outbox.launches.is_empty() {
            for chore in outbox.chores {
                self.chores.0.send(chore).expect("the receiver lives as long as the driver");
            }
            for launch in outbox.launches {
                self.launches.0.send(launch).expect("the receiver lives as long as the driver");
            }
            self.role.call_background(self);
        }
        outbox.outcomes.into_iter().for_each(|(cell, outcome)| cell.complete(outcome));
        outbox.cells.into_iter().for_each(|cell| cell.complete(()));
        outbox.watchers.into_iter().for_each(Watcher::tell);
        if outbox.is_finished {
            self.finished.complete(());
            self.role.call_background(self);
        }
    }
}

impl Inner {
    /// Whether whoever waits for the outside world would sleep past the next timer.
    fn has_earlier_timer(&self) -> bool {
        let Some(until) = self.sleeping_until else { return false };
        self.scheduler.next_timeout().is_some_and(|at| until.is_none_or(|until| at < until))
    }

    /// A fault of our own: nothing here can be relied on any more. Every handle resolves, every worker goes.
    fn collapse(&mut self) {
        let why = Error::new(ErrorKind::Shutdown, "ended with its pool, which failed inside; please report this")
            .having_run();
        self.scheduler = Scheduler::new(self.settings.rules());
        self.scheduler.handle(Event::ShutdownAsked { forced: true }, Instant::now());
        while self.scheduler.next_action().is_some() {}
        for (_, worker) in std::mem::take(&mut self.workers) {
            self.outbox.chores.extend(worker.body.map(|body| Chore::Discard(body.process)));
        }
        for (_, pending) in self.calls.drain() {
            let why = why.clone().with_task(pending.order.task.entry.name);
            self.outbox.end(pending, Some(why));
        }
        self.outbox.cells.append(&mut self.warm_up);
        self.outbox.watchers.append(&mut self.room);
        self.outbox.is_finished = true;
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::any::TypeId;

    use super::super::inner::Pending;
    use super::super::order::{Limits, Order};
    use super::*;
    use crate::config::Settings;
    use crate::ids::{CallId, TaskId};
    use crate::oneshot::Cell;
    use crate::task::{Entry, TaskRef};

    static ENTRY: Entry = Entry::new("tests::task", TypeId::of::<u8>, |_, _| Ok(()));

    fn order() -> Order {
        Order {
            task: TaskRef::function(TaskId::Registered(0), &ENTRY),
            payload: Arc::default(),
            lengths: vec![0],
            limits: Limits::default(),
            tries_before: 0,
        }
    }

    #[test]
    fn a_fault_of_our_own_resolves_every_handle_and_ends_the_pool() {
        let driver = Driver::new(Settings::default_for(1));
        let cell = Arc::new(Cell::new());
        let pending = Pending::new(order(), Arc::clone(&cell));
        let (acted, has_told) = driver.try_act(|inner, _| {
            inner.calls.insert(CallId::mint(), pending);
            panic!("a fault that this test makes");
        });
        let _: Result<(), _> = acted;
        let why = cell.take().expect("the handle resolves").into_single().unwrap_err();
        assert_eq!(why.kind(), ErrorKind::Shutdown);
        assert!(has_told && why.to_string().contains("tests::task") && why.to_string().contains("please report"));
        assert!(driver.wait_finished(Some(Instant::now())), "nobody waits for a pool that has failed");
        let later = driver.submit(CallId::mint(), order(), true).expect("it is taken in").take();
        assert_eq!(later.expect("and ended at once").into_single().unwrap_err().kind(), ErrorKind::Shutdown);
    }
}
