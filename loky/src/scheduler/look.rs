//! What can be asked of the scheduler. Nothing here changes it.

use std::time::Instant;

use super::Scheduler;
use super::ending::Doom;
use super::event::{Try, Why};
use crate::ids::{CallKey, WorkerId};

impl Scheduler {
    /// Calls that have not started, wherever they lie. What a worker holds counts as started only if it is the first,
    /// or has been seen to have begun.
    pub(crate) fn queued(&self) -> usize {
        self.calls.backlog_len() + self.workers.ahead()
    }

    /// The others that have not ended.
    pub(crate) fn started(&self) -> impl Iterator<Item = CallKey> {
        self.workers.started()
    }

    /// Workers that serve or are being started.
    pub(crate) fn live(&self) -> usize {
        self.workers.live()
    }

    /// Workers that serve and have nothing to do.
    pub(crate) fn idle(&self) -> usize {
        self.workers.idle()
    }

    /// Workers wanted.
    pub(crate) fn target(&self) -> usize {
        self.sizing.target()
    }

    /// Whether the call has started, so far as is known; `None` if it has ended.
    pub(crate) fn has_started(&self, call: CallKey) -> Option<bool> {
        let holder = self.calls.get(call)?.holder();
        Some(holder.is_some_and(|holder| self.workers.at(holder).has_started(call)))
    }

    /// Who holds the call.
    pub(crate) fn holder(&self, call: CallKey) -> Option<WorkerId> {
        Some(self.workers.at(self.calls.get(call)?.holder()?).id)
    }

    /// The call that the worker would come to last, of those that it holds.
    pub(crate) fn last_held(&self, worker: WorkerId) -> Option<CallKey> {
        self.workers.get(worker)?.held.back().copied()
    }

    /// Whether the call will end, and not by its result: whatever its worker still answers comes too late.
    pub(crate) fn is_doomed(&self, call: CallKey) -> bool {
        self.calls.get(call).is_some_and(|call| call.doom().is_some_and(Doom::outdoes_answers))
    }

    /// Why a call that the worker has begun will end without a result, unless its answer makes it out, if that is known
    /// by now.
    pub(crate) fn doom_of(&self, worker: WorkerId) -> Option<Why> {
        let held = self.workers.get(worker)?;
        let doomed = held.held.iter().filter_map(|&key| self.calls.get(key)).find(|call| call.doom().is_some())?;
        Some(doomed.doom()?.once_begun(Try { worker, attempt: doomed.attempt() }))
    }

    /// Whether the worker has served its number of calls.
    pub(crate) fn has_served_all(&self, worker: WorkerId) -> bool {
        self.workers.get(worker).is_some_and(|worker| worker.is_worn(&self.rules))
    }

    /// Calls that run, as far as is known, and whose run limit has come, which ends them at the next event; unless
    /// `Progressed` is told before.
    pub(crate) fn overrunning(&self, now: Instant) -> Vec<(CallKey, Try)> {
        let tried = |key| {
            let call = self.calls.get(key).filter(|call| call.doom().is_none())?;
            let holder = self.workers.at(call.holder()?);
            holder.is_at(key).then_some((key, Try { worker: holder.id, attempt: call.attempt() }))
        };
        self.calls.due(now).filter_map(tried).collect()
    }

    /// Whether the timer of any call has come.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.calls.next_timer().is_some_and(|at| at <= now)
    }

    /// Whether a shutdown was asked for.
    pub(crate) fn is_shutting_down(&self) -> bool {
        self.shutdown.is_some()
    }

    /// Whether `Finished` was given out: nothing will ever happen again.
    #[cfg(test)]
    pub(crate) fn is_finished(&self) -> bool {
        self.is_finished
    }
}
