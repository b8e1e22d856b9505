//! One turn of the background thread, and the parts of a waiter's; and what every visitor of the driver does on the way out.

#[cfg(all(test, not(loom)))]
mod tests;

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Instant;

use super::Driver;
use super::clock;
use super::duty::Sleep;
use super::forward::OUTPUT_RETRY;
use super::inner::{Inner, Outbox};
use crate::config::SEND_RETRY;
use crate::ids::CallKey;
use crate::oneshot::Watcher;
use crate::sys::bell::Bell;
use crate::sys::poll::Poller;
use crate::transport::link::{Chime, Link};

impl Driver {
    /// One turn of the background thread: waits for whatever may come, and acts once.
    pub(super) fn turn_in_background(&self) {
        let Some((poller, until)) = self.prepare_sleep_in_background() else { return };
        let ready = poller.wait(until);
        if let Ok(ready) = &ready {
            self.let_waiter_see_first(ready, &poller);
        }
        self.act_in_background(ready);
    }

    /// The second half: what the poller has reported is heard.
    pub(super) fn act_in_background(&self, ready: io::Result<Vec<u64>>) {
        let (looks, has_told) = self.try_act(|inner, now| {
            inner.sleeping_until = None;
            let ready = ready.unwrap_or_else(|why| panic!("waiting for the workers failed: {why}"));
            ready.into_iter().for_each(|token| inner.hear(token, now));
            inner.end_silent(now);
            inner.hear_news(now);
            inner.due_looks()
        });
        if has_told {
            self.interrupt();
        }
        self.look(looks.unwrap_or_default());
    }

    /// Somebody waits for the ends of these calls who does not drive: whoever hears of them is not to be patient.
    pub(crate) fn await_calls(&self, calls: impl IntoIterator<Item = CallKey>) {
        if self.is_foreign() {
            return;
        }
        let mut inner = self.inner.lock();
        let mut has_news = false;
        for call in calls {
            has_news |= !inner.await_call(call);
        }
        if has_news {
            inner.wake_listener();
        }
    }

    /// Makes the background thread look at once at what there is.
    pub(super) fn call_background(&self) {
        self.inner.lock().call_background();
    }

    /// Does something under the lock, and what follows from it once the lock is released. For whoever does not drive.
    pub(super) fn act<T>(&self, action: impl FnOnce(&mut Inner, Instant) -> T) -> T {
        self.act_unless(|_| None, action)
    }

    /// The same, unless `first` comes to something: that is something that the time is nothing to, and from which nothing
    /// follows.
    pub(super) fn act_unless<T>(
        &self,
        first: impl FnOnce(&mut Inner) -> Option<T>,
        action: impl FnOnce(&mut Inner, Instant) -> T,
    ) -> T {
        let (acted, has_told) = self.try_act_unless(first, action);
        if has_told {
            self.interrupt();
        }
        acted.unwrap_or_else(|panic| panic::resume_unwind(panic))
    }

    /// Whoever drives may have been waiting for what has just been brought, and it does not park. To be called when the
    /// result is there: had it been woken before, it would have gone to sleep again.
    pub(super) fn interrupt(&self) {
        self.inner.lock().interrupt();
    }

    /// The same for whoever drives, which looks by itself. Returns whether there was something to tell.
    pub(super) fn try_act<T>(&self, action: impl FnOnce(&mut Inner, Instant) -> T) -> (thread::Result<T>, bool) {
        self.try_act_unless(|_| None, action)
    }

    fn try_act_unless<T>(
        &self,
        first: impl FnOnce(&mut Inner) -> Option<T>,
        action: impl FnOnce(&mut Inner, Instant) -> T,
    ) -> (thread::Result<T>, bool) {
        let (mut inner, mut is_all) = (self.inner.lock(), false);
        let acted = panic::catch_unwind(AssertUnwindSafe(|| {
            if let Some(done) = first(&mut inner) {
                is_all = true;
                return done;
            }
            let now = clock::now();
            inner.excuse_progress(now);
            action(&mut inner, now)
        }));
        if is_all {
            return (acted, false);
        }
        if acted.is_err() {
            inner.collapse();
        }
        if inner.has_earlier_timer() {
            inner.call_background();
        }
        if inner.scheduler.is_shutting_down() {
            self.is_ending.store(true, Ordering::Release);
        }
        let has_output = !inner.outlets.is_empty();
        let has_notes = inner.has_notes();
        if inner.outbox.is_empty() && !has_output && !has_notes {
            return (acted, false);
        }
        let outbox = std::mem::take(&mut inner.outbox);
        drop(inner);
        if has_output {
            self.forward_output();
        }
        #[cfg(feature = "tracing")]
        if has_notes {
            self.tell_notes();
        }
        let has_told = outbox.is_awaited();
        self.send_out(outbox);
        (acted, has_told)
    }

    /// Looks for a while whether a worker says something, so that neither side has to sleep and be woken. Where workers
    /// have every processor to themselves, nobody looks.
    pub(super) fn look_for_news(&self) -> bool {
        let mut inner = self.inner.lock();
        if inner.has_news() {
            return true;
        }
        let busy = inner.calls.len() - inner.scheduler.queued().min(inner.calls.len());
        if std::mem::take(&mut inner.has_rung) || busy >= inner.settings.cpus {
            return false;
        }
        drop(inner);
        self.spin.lock().look(|| self.inner.lock().has_news())
    }

    /// Announces that the waiter that drives will sleep until the bell is rung. `None`: there is something to hear,
    /// or to look at, already.
    pub(super) fn prepare_waiters_sleep(&self, awaited: Option<CallKey>) -> Option<(Arc<Bell>, Arc<Poller>)> {
        let mut inner = self.inner.lock();
        let has_landed = awaited.is_some_and(|call| {
            inner.await_call(call);
            inner.has_landed(call)
        });
        if !has_landed && inner.duty.may_sleep() && inner.listen(Chime::Pool) {
            return inner.bell.clone().zip(inner.poller.clone());
        }
        inner.duty.wake();
        inner.stop_listening();
        None
    }

    /// Until when the background thread sleeps: not at all if there is something to hear already.
    pub(super) fn prepare_sleep_in_background(&self) -> Option<(Arc<Poller>, Option<Instant>)> {
        let mut inner = self.inner.lock();
        let poller = inner.poller.clone()?;
        let now = clock::now();
        let retry = (!inner.outlets.is_empty()).then(|| now + OUTPUT_RETRY);
        let moment = match inner.duty.sleep_in_background() {
            Sleep::Announced => (!inner.listen(Chime::Link)).then_some(now),
            Sleep::ForWaiter => (!inner.listen(Chime::Pool)).then_some(now),
            Sleep::Brief(moment) => Some(now + moment),
            Sleep::Quiet => None,
        };
        let sending = inner.next_sending(now);
        let notes = inner.next_look_for_notes();
        let timers = [inner.next_silent(), sending, notes, inner.scheduler.next_timeout(), inner.vigil.next()];
        let until = [moment, retry].into_iter().chain(timers).flatten().min();
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
            self.call_background();
            // The background thread does what there is by its end; what comes later is done here.
            if self.is_finished() {
                self.do_chores();
            }
        }
        outbox.outcomes.into_iter().for_each(|(cell, outcome)| cell.complete(outcome));
        outbox.cells.into_iter().for_each(|cell| cell.complete(()));
        outbox.watchers.into_iter().for_each(Watcher::tell);
        drop((outbox.leftovers, outbox.unread));
        outbox.callbacks.into_iter().for_each(|callback| self.run_callback(callback));
        if !outbox.told.is_empty() {
            self.tell_of_interrupt(outbox.told);
        }
        if outbox.is_finished {
            self.finished.complete(());
            self.call_background();
        }
    }
}

impl Inner {
    /// When it is tried again to send descriptors for which a socket had no room.
    fn next_sending(&mut self, now: Instant) -> Option<Instant> {
        if self.has_unsent {
            let mut links = self.workers.values().filter_map(|worker| worker.body.as_ref()).map(|body| &body.link);
            self.has_unsent = links.any(Link::has_unsent);
        }
        self.has_unsent.then(|| now + SEND_RETRY)
    }

    /// See [`Driver::interrupt`].
    pub(super) fn interrupt(&mut self) {
        if let (true, Some(bell)) = (self.duty.interrupt(), &self.bell) {
            bell.ring();
        }
    }

    pub(super) fn call_background(&self) {
        if let Some(poller) = &self.poller {
            poller.ring();
        }
    }

    /// Wakes whoever sleeps until the workers say something.
    fn wake_listener(&self) {
        match &self.bell {
            Some(bell) if self.duty.is_for_waiter() => bell.ring(),
            _ => self.call_background(),
        }
    }

    /// Whether the background thread would sleep past the next timer.
    fn has_earlier_timer(&self) -> bool {
        let Some(until) = self.sleeping_until else { return false };
        if self.has_unsent && until.is_none_or(|until| until > clock::now() + SEND_RETRY) {
            return true;
        }
        let is_earlier = |at: Option<Instant>| at.is_some_and(|at| until.is_none_or(|until| at < until));
        is_earlier(self.scheduler.next_timeout())
            || is_earlier(self.vigil.next())
            || is_earlier(self.next_look_for_notes())
    }
}
