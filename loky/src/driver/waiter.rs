//! A thread that waits, while it drives: what it does in its turns, and how it comes by what it waits for.

use std::cell::Cell;
use std::time::Instant;

use super::Driver;
use super::clock;
use super::duty::Farewell;
use super::inner::Inner;
use super::landing::Landing;
use super::role::Drive;
use crate::ids::CallKey;
use crate::transport::link::Chime;

/// A thread that waits for what `driver` brings: for the end of a call, if it is one call's.
pub(super) struct Waiter<'a> {
    pub(super) driver: &'a Driver,
    pub(super) awaited: Option<CallKey>,
}

/// One that waits for the end of a call, and takes what is left of it in its own turn: so nobody has to tell it, and
/// nothing has to be made in which it could be told.
pub(super) struct Taker<'a> {
    waiter: Waiter<'a>,
    call: CallKey,
    taken: Cell<Option<Landing>>,
    /// Whether there is nothing more to wait for.
    is_over: Cell<bool>,
}

impl Drive for Waiter<'_> {
    fn take(&self) {
        self.begin(|_| ());
    }

    fn turn(&self, until: Option<Instant>) -> bool {
        self.turn_and(until, |_| ())
    }

    fn leave(&self) {
        self.end();
    }
}

impl Drive for Taker<'_> {
    fn take(&self) {
        // What has ended meanwhile is claimed as what had ended before is.
        self.waiter.begin(|inner| self.is_over.set(inner.calls.get(self.call).is_none()));
    }

    fn turn(&self, until: Option<Instant>) -> bool {
        self.waiter.turn_and(until, |inner| self.look(inner))
    }

    fn leave(&self) {
        self.waiter.end();
    }
}

impl<'a> Taker<'a> {
    pub(super) const fn new(driver: &'a Driver, call: CallKey) -> Self {
        let waiter = Waiter { driver, awaited: Some(call) };
        Self { waiter, call, taken: Cell::new(None), is_over: Cell::new(false) }
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over.get()
    }

    pub(super) fn into_taken(self) -> Option<Landing> {
        self.taken.into_inner()
    }

    fn look(&self, inner: &mut Inner) {
        if inner.calls.get(self.call).is_none() {
            self.taken.set(inner.calls.take_ended(self.call));
            self.is_over.set(true);
        }
    }
}

impl Waiter<'_> {
    fn begin(&self, look: impl FnOnce(&mut Inner)) {
        let mut inner = self.driver.inner.lock();
        if inner.duty.take() {
            inner.stop_listening();
        }
        look(&mut inner);
    }

    /// One turn; at its end `look` sees what has come of it.
    fn turn_and(&self, until: Option<Instant>, look: impl FnOnce(&mut Inner)) -> bool {
        let driver = self.driver;
        // A launch takes longer than somebody with a limit may want to wait.
        if until.is_none() {
            driver.help_to_launch();
        }
        // A fault of our own has been told and has ended the pool: whoever drives goes on and reads that in its handle.
        let bell = if driver.look_for_news() { None } else { driver.prepare_waiters_sleep(self.awaited) };
        let Some((bell, poller)) = bell else {
            let _ = driver.try_act(|inner, now| {
                inner.hear_news(now);
                look(inner);
            });
            return !driver.is_finished();
        };
        let asleep = Instant::now();
        let urgent = bell.wait(until, &poller);
        driver.spin.lock().learn(asleep.elapsed());
        let _ = driver.try_act(|inner, now| {
            inner.duty.wake();
            inner.stop_listening();
            let urgent = urgent.unwrap_or_else(|why| panic!("waiting for the workers failed: {why}"));
            urgent.into_iter().for_each(|token| inner.hear(token, now));
            inner.hear_news(now);
            look(inner);
        });
        !driver.is_finished()
    }

    fn end(&self) {
        let mut inner = self.driver.inner.lock();
        let must_call = match inner.duty.leave(clock::now) {
            Farewell::Nothing => false,
            Farewell::Announce => !inner.listen(Chime::Link),
            Farewell::Call => true,
        };
        if must_call {
            inner.call_background();
        }
    }
}
