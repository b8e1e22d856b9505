//! How a call ends without a result: given up, out of time, or with its pool.
//!
//! One that waits ends at once. One that a worker holds is condemned, and its worker recalled: if it had not begun, it
//! comes back and ends as if it had waited. Only if it is what has begun last, its worker is killed for it. Then it is
//! settled when the worker is dead or has answered, so that whoever reads the error can rely on it that the task does
//! nothing any more.

use std::time::Instant;

use super::event::{Action, Try, Why};
use super::workers::{Phase, Seat};
use super::{Scheduler, Shutdown};
use crate::ids::{CallKey, WorkerId};

/// Why a call that a worker holds will end, whatever the worker still says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doom {
    Cancelled,
    RanTooLong,
    Outgrew,
    DeadlinePassed,
    ShutDown,
}

impl Doom {
    /// How a call ends that had begun when its worker was killed for it.
    pub(super) fn once_begun(self, tried: Try) -> Why {
        match self {
            Self::Cancelled => Why::Cancelled(Some(tried)),
            Self::RanTooLong => Why::RanTooLong(tried),
            Self::Outgrew => Why::Outgrew(tried),
            Self::DeadlinePassed => Why::DeadlinePassed(Some(tried)),
            Self::ShutDown => Why::ShutDown(Some(tried)),
        }
    }

    /// How a call ends that did not begin in this attempt; `None` if it should be tried again: a run limit, or a worker
    /// that is too large, says nothing about a call that has not begun there.
    pub(super) fn before_begun(self, last_try: Option<Try>) -> Option<Why> {
        match self {
            Self::Cancelled => Some(Why::Cancelled(last_try)),
            Self::RanTooLong | Self::Outgrew => None,
            Self::DeadlinePassed => Some(Why::DeadlinePassed(last_try)),
            Self::ShutDown => Some(Why::ShutDown(last_try)),
        }
    }

    /// Whether an answer that comes after it comes too late.
    pub(super) fn outdoes_answers(self) -> bool {
        self != Self::Outgrew
    }

    /// Whether it is about one attempt, so that the call might be tried again if it has not begun.
    pub(super) fn is_of_one_attempt(self) -> bool {
        matches!(self, Self::RanTooLong | Self::Outgrew)
    }
}

impl Scheduler {
    /// The timer of a call has come.
    pub(super) fn call_due(&mut self, key: CallKey, now: Instant) {
        let Some(call) = self.calls.get(key) else { return };
        let is_past_deadline = call.extra().and_then(|extra| extra.deadline).is_some_and(|at| at <= now);
        match call.holder() {
            _ if is_past_deadline => self.end_early(key, Doom::DeadlinePassed),
            None => self.end(key, Why::QueuedTooLong),
            Some(holder) if self.workers.at(holder).has_started(key) => self.end_early(key, self.overdue(key, now)),
            // Its queue deadline: it counts if the call has not begun, which the recall will tell.
            Some(holder) => self.recall(holder),
        }
    }

    /// Ends a call that has no result.
    pub(super) fn end_early(&mut self, key: CallKey, doom: Doom) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let Some(holder) = call.holder() else {
            let why = doom.before_begun(call.last_try()).expect("a run limit counts only for calls that are held");
            return self.end(key, why);
        };
        call.condemn(doom);
        self.recall(holder);
    }

    /// Nothing more shall begin. What has been sent to a worker may not have begun either, which the recalls will tell.
    pub(super) fn interrupted(&mut self) {
        if self.shutdown == Some(Shutdown::Forced) {
            return;
        }
        self.shutdown = Some(Shutdown::Interrupted);
        for seat in self.workers.seats(|worker| !worker.held.is_empty()) {
            self.recall(seat);
        }
    }

    /// The worker uses more memory than it may, and is killed for it. Whatever of its calls will turn out to have begun
    /// without an answer ends with that; an answer that still makes it out counts, as it does in any death. One that
    /// does not serve yet has failed to make itself ready.
    pub(super) fn outgrew(&mut self, id: WorkerId, now: Instant) {
        let Some(seat) = self.workers.seat(id) else { return };
        match self.workers.at(seat).phase {
            Phase::Launching { .. } => self.give_up_launch(seat, now),
            Phase::Ready { .. } => {
                self.condemn_all(seat, Doom::Outgrew);
                self.kill(seat, now);
            }
            Phase::Stopping { .. } => self.kill(seat, now),
            Phase::Killed { .. } => {}
        }
    }

    fn condemn_all(&mut self, seat: Seat, doom: Doom) {
        for place in 0..self.workers.at(seat).held.len() {
            let held = self.workers.at(seat).held[place];
            self.calls.get_mut(held).expect("what is held has not ended").condemn(doom);
        }
    }

    /// Ends what waits for a worker, or for one more try.
    pub(super) fn end_waiting(&mut self) {
        while let Some((call, last_try)) = self.calls.remove_waiting() {
            self.settle(call, Why::ShutDown(last_try));
        }
    }

    /// Every call will end, for this reason if for no other.
    pub(super) fn end_all(&mut self, now: Instant) {
        self.end_waiting();
        for seat in self.workers.seats(|_| true) {
            self.condemn_all(seat, Doom::ShutDown);
            self.kill(seat, now);
        }
    }

    /// Kills the worker. What it holds ahead is taken back before, and is not lost.
    pub(super) fn kill(&mut self, seat: Seat, now: Instant) {
        let worker = self.workers.at(seat);
        if worker.is_killed() {
            return;
        }
        let id = worker.id;
        if worker.ahead() > 0 {
            self.recall(seat);
        }
        self.workers.enter(seat, Phase::Killed { forget_at: super::later(now, self.rules.kill_grace) });
        self.actions.push_back(Action::Kill { worker: id });
    }

    pub(super) fn end(&mut self, call: CallKey, why: Why) {
        self.calls.remove(call);
        self.settle(call, why);
    }

    pub(super) fn settle(&mut self, call: CallKey, why: Why) {
        self.actions.push_back(Action::Settle { call, why });
    }
}
