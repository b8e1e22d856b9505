//! Asks a call to end by itself, and kills its worker only if it does not.
//!
//! One that has not begun ends at once, wherever it lies. One that runs is told, and has until its grace is over: an
//! answer that comes before is its result, like any other. From the moment when it is asked it is never begun again: a
//! death in between ends it as cancelled, whatever retries are left. To find out whether it has begun, all that lies ready
//! behind it is taken back, so nothing does while it is being waited for.

use std::time::Instant;

use super::Scheduler;
use super::calls::earliest;
use super::ending::Doom;
use super::event::{Action, Why};
use super::workers::Seat;
use crate::ids::CallKey;

/// A call is asked to end by itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// When its worker is killed for it; `None`: never.
    kill_at: Option<Instant>,
    /// Whether its worker was told.
    is_told: bool,
    /// Whether it is only to be had back if it has not begun: then its worker is never told, and what has begun goes on as
    /// if nobody had asked.
    is_quiet: bool,
}

impl Asked {
    /// Who asks again may shorten the grace, and not lengthen it.
    pub(super) fn again(before: Option<Self>, kill_at: Option<Instant>) -> Self {
        match before {
            Some(before) if !before.is_quiet => Self { kill_at: earliest(before.kill_at, kill_at), ..before },
            _ => Self { kill_at, is_told: false, is_quiet: false },
        }
    }

    /// It is to be had back, if nobody has asked for more before.
    #[cfg(feature = "cluster")]
    pub(super) fn back(before: Option<Self>) -> Self {
        before.unwrap_or(Self { kill_at: None, is_told: true, is_quiet: true })
    }

    pub(super) const fn is_quiet(self) -> bool {
        self.is_quiet
    }

    pub(super) const fn kill_at(self) -> Option<Instant> {
        self.kill_at
    }

    pub(super) fn is_in_vain(self, now: Instant) -> bool {
        self.kill_at.is_some_and(|at| at <= now)
    }

    /// Returns whether it was not told before.
    pub(super) const fn tell(&mut self) -> bool {
        !std::mem::replace(&mut self.is_told, true)
    }
}

impl Scheduler {
    pub(super) fn asked_to_end(&mut self, key: CallKey, kill_at: Option<Instant>) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let Some(holder) = call.holder() else {
            let why = Why::Cancelled(call.last_try());
            return self.end(key, why);
        };
        let extra = call.extra_mut();
        extra.asked = Some(Asked::again(extra.asked, kill_at));
        // Only its worker knows whether it has begun.
        self.recall(holder);
    }

    /// The call ends if it has not begun, wherever it lies. One that has begun goes on.
    #[cfg(feature = "cluster")]
    pub(super) fn wanted_back(&mut self, key: CallKey) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let Some(holder) = call.holder() else {
            let why = Why::Cancelled(call.last_try());
            return self.end(key, why);
        };
        let extra = call.extra_mut();
        extra.asked = Some(Asked::back(extra.asked));
        self.recall(holder);
    }

    /// The call is the one that the worker has begun last: if it is asked to end, now it can be told.
    pub(super) fn tell_if_asked(&mut self, seat: Seat, key: CallKey) {
        if self.calls.tell_asked(key) {
            self.actions.push_back(Action::AskToEnd { worker: self.workers.at(seat).id, call: key });
        }
    }

    /// Why the timer of a call that runs has come, where it is not its deadline.
    pub(super) fn overdue(&self, key: CallKey, now: Instant) -> Doom {
        let asked = self.calls.get(key).and_then(|call| call.extra()?.asked);
        if asked.is_some_and(|asked| asked.is_in_vain(now)) { Doom::Cancelled } else { Doom::RanTooLong }
    }
}
