//! Every call that has not ended: where it is, and by when something must happen to it.
//!
//! The backlog is ordered by priority and then by age, so a call that returns to it after a blameless death of its
//! worker takes its old place, ahead of all that came later. Nothing here decides; it answers and keeps in order.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Instant;

use super::event::{Terms, Try, Why};
use crate::ids::{Attempt, CallKey, WorkerId};

/// A call that has not ended.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) terms: Terms,
    pub(super) attempt: Attempt,
    pub(super) retries_left: u32,
    /// The worker that holds it; `None` in the backlog.
    pub(super) holder: Option<WorkerId>,
    /// Why its worker is being killed for it.
    pub(super) doom: Option<Doom>,
    /// The last try that may have begun, of those that are over.
    pub(super) last_try: Option<Try>,
    /// Workers that died, one after the other, when this was the next call that they should have begun.
    pub(super) deaths_before_begun: u32,
    age: u64,
    timer: Option<Instant>,
}

/// Why a call that a worker holds will end, whatever the worker still says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doom {
    Cancelled,
    RanTooLong,
    DeadlinePassed,
    ShutDown,
}

impl Doom {
    /// How a call ends that had begun when its worker was killed for it.
    pub(super) fn once_begun(self, tried: Try) -> Why {
        match self {
            Self::Cancelled => Why::Cancelled(Some(tried)),
            Self::RanTooLong => Why::RanTooLong(tried),
            Self::DeadlinePassed => Why::DeadlinePassed(Some(tried)),
            Self::ShutDown => Why::ShutDown(Some(tried)),
        }
    }

    /// How a call ends that did not begin in this attempt; `None` if it should be tried again: a run limit says
    /// nothing about a call whose worker did not come to begin it.
    pub(super) fn before_begun(self, last_try: Option<Try>) -> Option<Why> {
        match self {
            Self::Cancelled => Some(Why::Cancelled(last_try)),
            Self::RanTooLong => None,
            Self::DeadlinePassed => Some(Why::DeadlinePassed(last_try)),
            Self::ShutDown => Some(Why::ShutDown(last_try)),
        }
    }
}

impl Call {
    /// The try that its holder makes.
    pub(super) fn current_try(&self) -> Option<Try> {
        Some(Try { worker: self.holder?, attempt: self.attempt })
    }

    /// The call will end, and not by its result. The first reason counts, but a run limit yields to any other: it is
    /// the only one after which the call might be tried again.
    pub(super) fn condemn(&mut self, doom: Doom) {
        if matches!(self.doom, None | Some(Doom::RanTooLong)) {
            self.doom = Some(doom);
        }
    }
}

/// All calls that have not ended.
#[derive(Debug, Default)]
pub(super) struct Calls {
    all: HashMap<CallKey, Call>,
    backlog: BTreeMap<(Reverse<i32>, u64), CallKey>,
    timers: BTreeSet<(Instant, CallKey)>,
    submitted: u64,
}

impl Calls {
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn backlog_len(&self) -> usize {
        self.backlog.len()
    }

    pub(super) fn get(&self, id: CallKey) -> Option<&Call> {
        self.all.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: CallKey) -> Option<&mut Call> {
        self.all.get_mut(&id)
    }

    pub(super) fn add(&mut self, id: CallKey, terms: Terms) {
        let age = self.submitted;
        self.submitted += 1;
        let call = Call {
            terms,
            attempt: Attempt::FIRST,
            retries_left: terms.retries,
            holder: None,
            doom: None,
            last_try: None,
            deaths_before_begun: 0,
            age,
            timer: None,
        };
        let before = self.all.insert(id, call);
        assert!(before.is_none(), "call {id} was submitted twice");
        self.enqueue(id);
    }

    /// Takes the next call out of the backlog and gives it to `worker`.
    pub(super) fn hold_next(&mut self, worker: WorkerId) -> Option<(CallKey, Attempt)> {
        let (_, id) = self.backlog.pop_first()?;
        let call = self.all.get_mut(&id).expect("the backlog names calls that have not ended");
        call.holder = Some(worker);
        let (attempt, deadline) = (call.attempt, call.terms.deadline);
        self.set_timer(id, deadline);
        Some((id, attempt))
    }

    /// The call begins to run now: its run limit counts from here.
    pub(super) fn start_clock(&mut self, id: CallKey, now: Instant) {
        let Some(call) = self.all.get(&id) else { return };
        let run_until = call.terms.run_limit.and_then(|limit| now.checked_add(limit));
        let timer = earliest(run_until, call.terms.deadline);
        self.set_timer(id, timer);
    }

    /// Puts the call back into the backlog, at its old place.
    pub(super) fn requeue(&mut self, id: CallKey) {
        if let Some(call) = self.all.get_mut(&id) {
            call.holder = None;
            call.doom = None;
            self.enqueue(id);
        }
    }

    /// The call has ended.
    pub(super) fn remove(&mut self, id: CallKey) -> Option<Call> {
        self.set_timer(id, None);
        let call = self.all.remove(&id)?;
        self.backlog.remove(&(Reverse(call.terms.priority), call.age));
        Some(call)
    }

    /// Empties the backlog: all its calls have ended. With the last try of each that may have begun.
    pub(super) fn remove_backlog(&mut self) -> Vec<(CallKey, Option<Try>)> {
        let ids: Vec<_> = self.backlog.values().copied().collect();
        ids.into_iter().filter_map(|id| Some((id, self.remove(id)?.last_try))).collect()
    }

    /// Every call will end, for this reason if for no other.
    pub(super) fn condemn_all(&mut self, doom: Doom) {
        self.all.values_mut().for_each(|call| call.condemn(doom));
    }

    pub(super) fn next_timer(&self) -> Option<Instant> {
        self.timers.first().map(|&(at, _)| at)
    }

    /// Calls whose timers have come.
    pub(super) fn due(&self, now: Instant) -> impl Iterator<Item = CallKey> {
        self.timers.iter().take_while(move |&&(at, _)| at <= now).map(|&(_, id)| id)
    }

    /// A call whose timer has come; the timer is gone then.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<CallKey> {
        if self.next_timer()? > now {
            return None;
        }
        let (_, id) = self.timers.pop_first()?;
        self.all.get_mut(&id)?.timer = None;
        Some(id)
    }

    fn enqueue(&mut self, id: CallKey) {
        let call = &self.all[&id];
        let queue_deadline = call.terms.queue_deadline.filter(|_| call.last_try.is_none());
        let timer = earliest(queue_deadline, call.terms.deadline);
        self.backlog.insert((Reverse(call.terms.priority), call.age), id);
        self.set_timer(id, timer);
    }

    fn set_timer(&mut self, id: CallKey, timer: Option<Instant>) {
        let Some(call) = self.all.get_mut(&id) else { return };
        if let Some(before) = std::mem::replace(&mut call.timer, timer) {
            self.timers.remove(&(before, id));
        }
        if let Some(at) = timer {
            self.timers.insert((at, id));
        }
    }
}

#[cfg(test)]
impl Calls {
    /// Calls that a worker holds.
    pub(super) fn held(&self) -> usize {
        self.all.len() - self.backlog.len()
    }

    /// Both sides of every reference agree.
    pub(super) fn check(&self) {
        let waiting = self.all.values().filter(|call| call.holder.is_none()).count();
        assert_eq!(waiting, self.backlog.len(), "a call is in the backlog exactly if nobody holds it");
        for (&(priority, age), id) in &self.backlog {
            let call = &self.all[id];
            assert_eq!((Reverse(call.terms.priority), call.age), (priority, age));
            assert!(call.holder.is_none() && call.doom.is_none());
        }
        let timed = self.all.values().filter(|call| call.timer.is_some()).count();
        assert_eq!(timed, self.timers.len(), "every timer is that of a call, and the only one");
    }
}

/// The earlier of two moments, where `None` never comes.
pub(super) fn earliest(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
