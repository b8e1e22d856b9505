//! Where the outcome of a call lands, and how its handle comes by it.
//!
//! A million calls may wait, and most handles are looked at when their calls have ended. So a call has no cell of its own
//! at first: its outcome stays in its slot until the handle asks for it. A thread that waits for it and can drive takes it
//! from there; only who is to be told is given a cell, to watch it. Until the handle is gone, or has taken the outcome, the
//! slot is its call's.

#[cfg(all(test, not(loom)))]
mod tests;

use std::sync::Arc;

use super::Driver;
use super::inner::{Inner, Outbox, Pending};
use super::order::{Outcome, OutcomeCell};
use super::waiter::Taker;
use crate::error::{Error, ErrorKind};
use crate::ids::CallKey;

/// Where the outcome of a call is, or will be.
#[derive(Debug)]
pub(crate) enum Landing {
    Here(Box<Outcome>),
    /// As soon as whoever has brought it has released the lock, if not before.
    Cell(Arc<OutcomeCell>),
}

impl Driver {
    /// Whether the outcome is there for the handle; in a forked child nobody knows.
    pub(crate) fn has_outcome(&self, call: CallKey) -> bool {
        if self.is_foreign() {
            return false;
        }
        let mut inner = self.inner.lock();
        match inner.calls.ended(call) {
            Some(Landing::Here(_)) => true,
            Some(Landing::Cell(cell)) => cell.is_done(),
            None => inner.calls.get(call).is_none(),
        }
    }

    /// What kind of failure the call has ended in, if it has ended; the inner `None` is a result. Nothing is taken.
    pub(crate) fn ended_in(&self, call: CallKey) -> Option<Option<ErrorKind>> {
        if self.is_foreign() {
            return None;
        }
        match self.inner.lock().calls.ended(call)? {
            Landing::Here(outcome) => Some(outcome.kind_of_failure()),
            Landing::Cell(cell) => cell.look(|outcome| outcome.kind_of_failure()),
        }
    }

    /// Where to watch for the outcome. `None` in a forked child, and where the handle has taken it.
    pub(crate) fn cell_of(&self, call: CallKey) -> Option<Arc<OutcomeCell>> {
        if self.is_foreign() { None } else { self.inner.lock().cell_of(call) }
    }

    /// The handle takes the outcome, or the place where it will be, and asks no more.
    pub(crate) fn claim(&self, call: CallKey) -> Option<Landing> {
        self.claim_if(call, |_| true)
    }

    /// The same when the call has ended, if this thread can drive until then.
    pub(crate) fn claim_at_end(&self, call: CallKey) -> Option<Landing> {
        let as_it_is = self.claim_if(call, |pending| pending.cell.is_some());
        as_it_is.or_else(|| self.drive_to_end(call)).or_else(|| self.claim(call))
    }

    fn drive_to_end(&self, call: CallKey) -> Option<Landing> {
        if self.is_foreign() {
            return None;
        }
        let taker = Taker::new(self, call);
        self.role.drive(&taker, || taker.is_over());
        taker.into_taken()
    }

    /// The outcome if the call has ended, or else the place where it will be, if that `is_wanted`.
    fn claim_if(&self, call: CallKey, is_wanted: impl FnOnce(&Pending) -> bool) -> Option<Landing> {
        if self.is_foreign() {
            return None;
        }
        let mut inner = self.inner.lock();
        match inner.calls.take_ended(call) {
            None => {
                inner.calls.get(call).filter(|pending| is_wanted(pending))?;
                let cell = inner.cell_of(call)?;
                inner.calls.get_mut(call)?.has_handle = false;
                Some(Landing::Cell(cell))
            }
            ended => {
                let has_output = !inner.outlets.is_empty();
                #[cfg(feature = "tracing")]
                let is_due = inner.notes.is_due();
                drop(inner);
                // Whoever has ended the call may not have come to that yet.
                if has_output {
                    self.forward_output();
                }
                #[cfg(feature = "tracing")]
                if is_due {
                    self.tell_notes();
                }
                ended
            }
        }
    }

    /// The handle is gone.
    pub(crate) fn let_go(&self, call: CallKey) {
        if self.is_foreign() {
            return;
        }
        let mut inner = self.inner.lock();
        inner.calls.get_mut(call).into_iter().for_each(|pending| pending.has_handle = false);
        let ended = inner.calls.take_ended(call);
        drop(inner);
        // What a call has printed is shown at the latest here.
        drop(ended);
    }
}

impl Inner {
    /// Whether the outcome of the call lies here, where nobody is told of it.
    pub(super) fn has_landed(&mut self, call: CallKey) -> bool {
        matches!(self.calls.ended(call), Some(Landing::Here(_)))
    }

    fn cell_of(&mut self, call: CallKey) -> Option<Arc<OutcomeCell>> {
        if let Some(pending) = self.calls.get_mut(call) {
            return Some(Arc::clone(pending.cell.get_or_insert_with(|| Arc::new(OutcomeCell::new()))));
        }
        let ended = self.calls.ended(call)?;
        let cell = match ended {
            Landing::Here(outcome) => Arc::new(OutcomeCell::filled(std::mem::take(outcome))),
            Landing::Cell(cell) => return Some(Arc::clone(cell)),
        };
        *ended = Landing::Cell(Arc::clone(&cell));
        Some(cell)
    }
}

impl Outbox {
    /// The call has ended. Returns what is left for its handle, if there is one.
    pub(super) fn end(&mut self, call: Pending, end: Option<Error>) -> Option<Landing> {
        let Pending { order, cell, has_handle, is_awaited, outcome } = call;
        let mut outcome = outcome.unwrap_or_default();
        outcome.end = end;
        outcome.keep(order.trace());
        if order.is_heavy() {
            self.leftovers.push(order);
        }
        match cell {
            Some(cell) => {
                self.outcomes.push((Arc::clone(&cell), outcome));
                has_handle.then_some(Landing::Cell(cell))
            }
            None if has_handle => {
                self.has_landed |= is_awaited;
                Some(Landing::Here(outcome))
            }
            None => {
                self.unread.push(*outcome);
                None
            }
        }
    }
}
