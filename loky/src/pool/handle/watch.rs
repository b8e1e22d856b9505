//! How a handle watches for the outcome of its call, and takes it.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use serde::de::DeserializeOwned;

use super::{JoinHandle, Origin};
use crate::driver::{Landing, Outcome, OutcomeCell};
use crate::error::Error;
use crate::ids::CallKey;
use crate::oneshot::Watcher;
use crate::pool::Engine;
use crate::pool::decode::decode;

impl<R> JoinHandle<R> {
    pub(crate) const fn key(&self) -> CallKey {
        self.call
    }

    pub(crate) const fn engine(&self) -> Option<&Engine> {
        match &self.origin {
            Origin::Pool(engine, _) => Some(engine),
            Origin::Nowhere(_) => None,
        }
    }

    pub(super) fn task(&self) -> &'static str {
        match self.origin {
            Origin::Pool(_, task) => task.name,
            Origin::Nowhere(_) => "",
        }
    }

    /// Waits on the calling thread, driving the pool meanwhile. `false`: not finished by `until`.
    pub(super) fn wait(&self, engine: &Engine, cell: &OutcomeCell, until: Option<Instant>) -> bool {
        engine.wait_for(Some(self.call), until, || cell.is_done(), || cell.watch(Watcher::this_thread()))
    }

    /// Whoever has watched it waits for it.
    pub(crate) fn await_it(&self) {
        self.engine().into_iter().for_each(|engine| engine.await_calls([self.call]));
    }

    /// Runs `hook` when the call is finished, on whichever thread finishes it. The hook must not block or panic.
    pub(crate) fn hook(&self, hook: impl FnOnce() + Send + 'static) {
        match self.engine() {
            None => hook(),
            // In a forked child nobody finishes it.
            Some(engine) => {
                if let Some(cell) = engine.cell_of(self.call) {
                    cell.watch(Watcher::Hook(Box::new(hook)));
                }
            }
        }
    }

    /// The outcome, or where it will be; `None` if it was taken before. What the handle was for is done.
    pub(super) fn claim(&mut self) -> Option<Landing> {
        self.claim_by(Engine::claim)
    }

    /// The same when the call has ended, if this thread can drive until then.
    pub(super) fn claim_at_end(&mut self) -> Option<Landing> {
        self.claim_by(Engine::claim_at_end)
    }

    fn claim_by(&mut self, claim: impl FnOnce(&Engine, CallKey) -> Option<Landing>) -> Option<Landing> {
        match &mut self.origin {
            Origin::Nowhere(why) => Some(Landing::Here(Box::new(Outcome::failed(why.take()?)))),
            Origin::Pool(engine, _) => {
                let landing = claim(engine, self.call)?;
                self.call = self.call.nowhere_any_more();
                Some(landing)
            }
        }
    }
}

impl<R> Drop for JoinHandle<R> {
    fn drop(&mut self) {
        if let (Origin::Pool(engine, _), false) = (&self.origin, self.call.is_nowhere()) {
            engine.let_go(self.call);
        }
    }
}

impl<R: DeserializeOwned> Future for JoinHandle<R> {
    type Output = Result<R, Error>;

    /// # Panics
    ///
    /// If it is polled again after it has given its result.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(engine) = self.engine().filter(|_| !self.is_done()) {
            engine.check_process().map_err(|why| why.with_task(self.task()))?;
            let cell = engine.cell_of(self.call).expect(UNREAD);
            cell.watch(Watcher::Task(context.waker().clone()));
            self.await_it();
            if !cell.is_done() {
                return Poll::Pending;
            }
        }
        let mut outcome = match self.claim().expect(UNREAD) {
            Landing::Here(outcome) => outcome,
            Landing::Cell(cell) => cell.take().expect("its outcome is there"),
        };
        Poll::Ready(decode(&mut outcome, self.task()))
    }
}

pub(super) const UNREAD: &str = "a `JoinHandle` was polled after it had given its result";
