//! Every call that has not ended: where it is, and by when something must happen to it.
//!
//! A call lies in the slot that its key names, so it is found without a search; where the number differs, the key is an
//! old one and finds nothing. Nothing here decides; it answers and keeps in order.

use std::collections::BTreeSet;
use std::time::Instant;

use super::asked::Asked;
use super::backlog::Backlog;
pub(super) use super::call::Call;
use super::ending::Doom;
use super::event::{Terms, Try};
use super::workers::Seat;
use crate::ids::{CallId, CallKey};

/// All calls that have not ended.
#[derive(Debug, Default)]
pub(super) struct Calls {
    slots: Vec<Call>,
    len: usize,
    backlog: Backlog,
    timers: BTreeSet<(Instant, CallKey)>,
}

impl Calls {
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn backlog_len(&self) -> usize {
        self.backlog.len()
    }

    pub(super) fn get(&self, key: CallKey) -> Option<&Call> {
        self.slots.get(key.slot as usize).filter(|call| call.id == key.id)
    }

    pub(super) fn get_mut(&mut self, key: CallKey) -> Option<&mut Call> {
        self.slots.get_mut(key.slot as usize).filter(|call| call.id == key.id)
    }

    pub(super) fn add(&mut self, key: CallKey, terms: Terms) {
        self.put(key, Call::new(key.id, terms));
        self.enqueue(key);
    }

    /// The same for one on plain terms.
    pub(super) fn add_plain(&mut self, key: CallKey) {
        self.put(key, Call { id: key.id, ..Call::VACANT });
        self.backlog.insert(&mut self.slots, key.slot);
    }

    fn put(&mut self, key: CallKey, call: Call) {
        let slot = key.slot as usize;
        if slot == self.slots.len() {
            self.slots.push(call);
        } else {
            self.fill(key, call);
        }
        self.len += 1;
    }

    /// Into a slot that was used before, or beyond some that were not.
    fn fill(&mut self, key: CallKey, call: Call) {
        let slot = key.slot as usize;
        if slot > self.slots.len() {
            self.slots.resize_with(slot + 1, || Call::VACANT);
        }
        assert!(self.slots[slot].id == CallId::NONE, "call {key} was given the slot of another");
        self.slots[slot] = call;
    }

    /// The priority of the call that is next.
    pub(super) fn front_priority(&self) -> Option<i32> {
        self.backlog.front().map(|(priority, _)| priority)
    }

    /// Takes the next call out of the backlog and gives it to `holder`.
    pub(super) fn hold_next(&mut self, holder: Seat) -> Option<(CallKey, &mut Call)> {
        let (_, slot) = self.backlog.front()?;
        self.backlog.remove(&mut self.slots, slot);
        let call = &mut self.slots[slot as usize];
        call.hold(holder);
        Some((CallKey { id: call.id, slot }, call))
    }

    /// The call begins to run now: its run limit counts from here.
    pub(super) fn start_clock(&mut self, key: CallKey, now: Instant) {
        let Some(extra) = self.get(key).and_then(Call::extra) else { return };
        let run_until = extra.run_limit.and_then(|limit| now.checked_add(limit));
        let end_by = earliest(extra.deadline, extra.asked.and_then(Asked::kill_at));
        self.set_timer(key, earliest(run_until, end_by));
    }

    /// The call runs: its grace counts, if it is asked to end. Returns whether that is to be told.
    pub(super) fn tell_asked(&mut self, key: CallKey) -> bool {
        let Some(extra) = self.get_mut(key).and_then(|call| call.extra.as_mut()) else { return false };
        let Some(asked) = &mut extra.asked else { return false };
        let (is_news, timer) = (asked.tell(), earliest(extra.timer, asked.kill_at()));
        self.set_timer(key, timer);
        is_news
    }

    /// The call is done, and its answer on the way: a run limit that has come for it came too late, and one that is to
    /// come says nothing; so does the grace of one that is asked to end.
    pub(super) fn await_answer(&mut self, key: CallKey) {
        let Some(extra) = self.get_mut(key).and_then(|call| call.extra.as_mut()) else { return };
        extra.doom = extra.doom.filter(|&doom| doom != Doom::RanTooLong);
        let timer = extra.deadline.filter(|_| extra.doom.is_none());
        self.set_timer(key, timer);
    }

    /// Puts the call back into the backlog, at its old place.
    pub(super) fn requeue(&mut self, key: CallKey) {
        if let Some(call) = self.get_mut(key) {
            if let Some(extra) = &mut call.extra {
                extra.doom = None;
            }
            self.enqueue(key);
        }
    }

    /// The call has ended.
    pub(super) fn remove(&mut self, key: CallKey) -> Option<Call> {
        self.set_timer(key, None);
        if !self.get(key)?.is_held() {
            self.backlog.remove(&mut self.slots, key.slot);
        }
        self.len -= 1;
        Some(std::mem::replace(&mut self.slots[key.slot as usize], Call::VACANT))
    }

    /// Takes a call that waits out of the backlog: it has ended. With the last try that may have begun.
    pub(super) fn remove_waiting(&mut self) -> Option<(CallKey, Option<Try>)> {
        let (_, slot) = self.backlog.front()?;
        let key = CallKey { id: self.slots[slot as usize].id, slot };
        Some((key, self.remove(key)?.last_try()))
    }

    pub(super) fn next_timer(&self) -> Option<Instant> {
        self.timers.first().map(|&(at, _)| at)
    }

    /// Calls whose timers have come.
    pub(super) fn due(&self, now: Instant) -> impl Iterator<Item = CallKey> {
        self.timers.iter().take_while(move |&&(at, _)| at <= now).map(|&(_, key)| key)
    }

    /// A call whose timer has come; the timer is gone then.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<CallKey> {
        if self.next_timer()? > now {
            return None;
        }
        let (_, key) = self.timers.pop_first()?;
        self.get_mut(key)?.extra_mut().timer = None;
        Some(key)
    }

    fn enqueue(&mut self, key: CallKey) {
        self.backlog.insert(&mut self.slots, key.slot);
        let Some(extra) = self.slots[key.slot as usize].extra() else { return };
        let queue_deadline = extra.queue_deadline.filter(|_| extra.last_try.is_none());
        let timer = earliest(queue_deadline, extra.deadline);
        self.set_timer(key, timer);
    }

    fn set_timer(&mut self, key: CallKey, timer: Option<Instant>) {
        let Some(extra) = self.get_mut(key).and_then(|call| call.extra.as_mut()) else { return };
        if extra.timer == timer {
            return;
        }
        if let Some(before) = std::mem::replace(&mut extra.timer, timer) {
            self.timers.remove(&(before, key));
        }
        if let Some(at) = timer {
            self.timers.insert((at, key));
        }
    }
}

#[cfg(any(test, fuzzing))]
impl Calls {
    /// Calls that a worker holds.
    pub(super) fn held(&self) -> usize {
        self.len - self.backlog.len()
    }

    /// Both sides of every reference agree.
    pub(super) fn check(&self) {
        let all: Vec<_> = self.slots.iter().filter(|call| call.id != CallId::NONE).collect();
        assert_eq!(all.len(), self.len, "every call is counted");
        let waiting: Vec<_> = self.backlog.walk(&self.slots).collect();
        assert_eq!(waiting.len(), self.backlog.len(), "every call that waits is counted");
        assert_eq!(waiting.len(), all.iter().filter(|call| !call.is_held()).count(), "who waits is in the backlog");
        assert!(waiting.iter().all(|call| !call.is_held() && call.doom().is_none()));
        let rank = |call: &Call| (std::cmp::Reverse(call.priority()), call.id);
        assert!(waiting.is_sorted_by_key(|call| rank(call)), "the highest priority first, then the oldest");
        let timed = all.iter().filter(|call| call.extra().is_some_and(|extra| extra.timer.is_some())).count();
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
