//! What a death means for the calls that the dead worker held.
//!
//! To blame is the call that it had begun; it is tried again if it has retries left, and settled if not. All others
//! return to the backlog as if nothing had happened, even the first one if the worker died before it began it.
//!
//! A call that may have begun is never run again without a retry being spent on it, and never said not to have run. So
//! two kinds share the blame. Calls that were held before the one that was begun last must have been done, and their
//! answers are lost: that happens to a worker whose link was closed. And when nobody has seen the death, any call that
//! was held may have begun.
//!
//! Mercy has a bound, or a call whose very arrival kills would cost one worker after the other for ever: after a few
//! deaths in a row the call that should have begun next is treated as if it had.

use std::time::{Duration, Instant};

use super::event::{Try, Why};
use super::workers::{Phase, Seat, Worker};
use super::{Scheduler, later};
use crate::ids::{CallKey, WorkerId};

/// So many workers may die before they begin a call; then it is to blame.
pub(super) const DEATHS_BEFORE_BEGUN_MAX: u32 = 5;

impl Scheduler {
    pub(super) fn worker_ready(&mut self, id: WorkerId, now: Instant) {
        if let Some(seat) = self.workers.seat(id).filter(|&seat| self.workers.at(seat).is_launching()) {
            self.sizing.forget_failures();
            self.workers.enter(seat, Phase::Ready { leave_at: self.rules.leave_at(now) });
        }
    }

    /// The worker has something to do for its pool. How long that may take is not up to the scheduler.
    pub(super) fn given_time(&mut self, id: WorkerId, limit: Option<Duration>, now: Instant) {
        let Some(seat) = self.workers.seat(id) else { return };
        let phase = match self.workers.at(seat).phase {
            Phase::Launching { .. } => Phase::Launching { until: limit.map(|limit| later(now, limit)) },
            Phase::Stopping { .. } => Phase::Stopping { kill_at: later(now, limit.unwrap_or(self.rules.stop_grace)) },
            Phase::Ready { .. } | Phase::Killed { .. } => return,
        };
        self.workers.enter(seat, phase);
    }

    /// The worker has not said hello or made itself ready in time, or has closed its link before it did.
    pub(super) fn give_up_launch(&mut self, seat: Seat, now: Instant) {
        self.sizing.launch_failed(now, &self.rules);
        self.kill(seat, now);
    }

    /// End of file is only a suspicion, but one that a living worker cannot clear: nobody could reach it any more. One
    /// that was asked to leave is believed to be leaving.
    pub(super) fn link_closed(&mut self, id: WorkerId, now: Instant) {
        let Some(seat) = self.workers.seat(id) else { return };
        match self.workers.at(seat).phase {
            Phase::Launching { .. } => self.give_up_launch(seat, now),
            Phase::Ready { .. } => self.kill(seat, now),
            Phase::Stopping { .. } | Phase::Killed { .. } => {}
        }
    }

    pub(super) fn worker_died(&mut self, id: WorkerId, begun: Option<CallKey>, now: Instant) {
        if self.is_launching(id) {
            self.sizing.launch_failed(now, &self.rules);
        }
        if self.workers.get(id).is_some_and(Worker::is_idle) {
            self.sizing.rest();
        }
        self.bury(id, begun);
    }

    /// Killed from outside before its hello. Whoever kills at random hits workers that are being launched, too, and
    /// most of all when those take long; only so many in a row are a reason to think that launching does not work.
    pub(super) fn launch_cut_short(&mut self, id: WorkerId, now: Instant) {
        if self.is_launching(id) {
            self.sizing.launch_cut_short(now, &self.rules);
        }
        self.bury(id, None);
    }

    /// Gives up waiting for a killed worker's death.
    pub(super) fn abandon(&mut self, id: WorkerId) {
        self.bury(id, self.last_held(id));
    }

    /// Forgets the worker and decides about the calls that it held. `begun` is the last one that may have begun.
    fn bury(&mut self, id: WorkerId, begun: Option<CallKey>) {
        let Some(worker) = self.workers.remove(id) else { return };
        let done = worker.held.iter().position(|&call| begun == Some(call));
        for (place, &call) in worker.held.iter().enumerate() {
            let is_blamed = match done {
                Some(last) => place <= last,
                None => place == 0 && self.is_deadly(call),
            };
            let attempt = self.calls.get(call).expect("what is held has not ended").attempt();
            self.judge(call, is_blamed, Try { worker: id, attempt });
        }
    }

    /// One more worker has died when it should have begun this call: whether that makes too many.
    pub(super) fn is_deadly(&mut self, call: CallKey) -> bool {
        let Some(call) = self.calls.get_mut(call) else { return false };
        let deaths = &mut call.extra_mut().deaths_before_begun;
        *deaths += 1;
        *deaths >= DEATHS_BEFORE_BEGUN_MAX
    }

    /// The try is over, without an answer: what becomes of the call.
    pub(super) fn judge(&mut self, key: CallKey, is_blamed: bool, tried: Try) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let last_try = if is_blamed { Some(tried) } else { call.last_try() };
        let asked = call.is_asked_to_end(is_blamed).then_some(Why::Cancelled(last_try));
        let verdict = match call.doom() {
            Some(doom) if is_blamed => Some(doom.once_begun(tried)),
            Some(doom) => doom.before_begun(last_try).or(asked),
            None if asked.is_some() => asked,
            None if is_blamed && call.retries_left() == 0 => Some(Why::Crashed(tried)),
            None => None,
        };
        if let Some(why) = verdict {
            return self.end(key, why);
        }
        if is_blamed {
            let extra = call.extra_mut();
            extra.attempt = extra.attempt.next();
            extra.retries_left -= 1;
            extra.last_try = Some(tried);
            extra.deaths_before_begun = 0;
        }
        self.calls.requeue(key);
    }

    fn is_launching(&self, id: WorkerId) -> bool {
        self.workers.get(id).is_some_and(Worker::is_launching)
    }
}
