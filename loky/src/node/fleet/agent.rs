//! What the fleet knows of one agent: what it has, and how much it may have.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::ids::CallId;
use crate::node::lease::Moment;

/// See the module.
#[derive(Debug)]
pub(super) struct Agent {
    slots: usize,
    /// What it has, with how many calls lay before each of them for each of its workers.
    held: BTreeMap<CallId, u32>,
    /// Whether it may be given anything.
    is_open: bool,
    /// How long a call takes one of its workers, as far as that is known.
    service: Option<Duration>,
    /// When it was given something while it had nothing, or when its last answer came.
    heard_at: Moment,
    /// Whether it was asked for what lies ready with it, since then.
    is_recalled: bool,
}

/// Calls that take longer do not travel ahead.
const LONG: Duration = Duration::from_millis(50);

/// What travels ahead is to keep the workers busy for so long: some journeys there and back.
const JOURNEY: Duration = Duration::from_millis(10);

/// How many calls may travel ahead, if there are fewer workers than that; else as many as there are workers.
const AHEAD: usize = 16;

/// How much of what is known of the pace is kept when an answer comes.
const MEMORY: u32 = 8;

impl Agent {
    pub(super) const fn new(slots: usize, now: Moment) -> Self {
        Self { slots, held: BTreeMap::new(), is_open: true, service: None, heard_at: now, is_recalled: false }
    }

    pub(super) const fn slots(&self) -> usize {
        self.slots
    }

    pub(super) fn resize(&mut self, slots: usize) {
        self.slots = slots;
    }

    pub(super) const fn is_open(&self) -> bool {
        self.is_open
    }

    pub(super) fn close(&mut self) {
        self.is_open = false;
    }

    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    pub(super) fn into_held(self) -> impl Iterator<Item = CallId> {
        self.held.into_keys()
    }

    /// What it has beyond what its workers can run, the youngest first.
    pub(super) fn ahead(&self) -> impl ExactSizeIterator<Item = CallId> + '_ {
        self.held.keys().rev().take(self.held.len().saturating_sub(self.slots)).copied()
    }

    /// When it was given something while it had nothing, or when its last answer came.
    pub(super) const fn heard_at(&self) -> Moment {
        self.heard_at
    }

    /// Whether it has something beyond what its workers can run, and was not asked for that since its last answer.
    pub(super) fn may_be_recalled(&self) -> bool {
        !self.is_recalled && self.is_open && self.ahead().len() > 0
    }

    /// It is asked for that, and is given no more of it until it has answered something.
    pub(super) fn recall(&mut self) {
        self.is_recalled = true;
    }

    /// How loaded it is, if it may be given one more.
    pub(super) fn load(&self) -> Option<u64> {
        let may = self.is_open && self.held.len() < self.credit();
        may.then(|| (self.held.len() as u64).saturating_mul(1 << 16) / self.slots.max(1) as u64)
    }

    pub(super) fn hold(&mut self, call: CallId, now: Moment) {
        if self.held.is_empty() {
            self.heard_at = now;
        }
        let before = u32::try_from(self.held.len() / self.slots.max(1)).unwrap_or(u32::MAX);
        self.held.insert(call, before);
    }

    /// The call is over there, after it was there for so long, if it was run.
    pub(super) fn release(&mut self, call: CallId, took: Option<Duration>, now: Moment) {
        let before = self.held.remove(&call);
        if let (Some(before), Some(took)) = (before, took) {
            let one = took / before.saturating_add(1);
            self.service = Some(self.service.map_or(one, |known| (known * (MEMORY - 1) + one) / MEMORY));
            (self.heard_at, self.is_recalled) = (now, false);
        }
    }

    /// How many calls it may have.
    fn credit(&self) -> usize {
        let Some(service) = self.service.filter(|service| *service < LONG && !self.is_recalled) else {
            return self.slots;
        };
        let most = AHEAD.max(self.slots);
        let wanted = (JOURNEY.as_nanos() * self.slots as u128).checked_div(service.as_nanos());
        self.slots + wanted.map_or(most, |wanted| usize::try_from(wanted).unwrap_or(most)).clamp(1, most)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn credit(slots: usize, service: Duration) -> usize {
        Agent { service: Some(service), ..Agent::new(slots, Moment::ZERO) }.credit()
    }

    #[test]
    fn short_calls_travel_ahead_and_long_ones_do_not() {
        let ms = Duration::from_millis;
        assert_eq!(Agent::new(4, Moment::ZERO).credit(), 4, "as long as nothing is known");
        assert_eq!([credit(4, ms(50)), credit(4, ms(49)), credit(4, ms(10)), credit(4, ms(5))], [4, 5, 8, 12]);
        assert_eq!([credit(1, ms(0)), credit(2, ms(0)), credit(64, ms(0)), credit(64, ms(1))], [17, 18, 128, 128]);
    }

    #[test]
    fn the_pace_is_that_of_one_worker() {
        let mut agent = Agent::new(2, Moment::ZERO);
        let calls: Vec<_> = (0..6).map(CallId::from_raw).collect();
        calls.iter().for_each(|&call| agent.hold(call, Moment::ZERO));
        let ms = Duration::from_millis;
        agent.release(calls[0], Some(ms(10)), ms(10));
        assert_eq!(agent.service, Some(ms(10)));
        agent.release(calls[4], Some(ms(30)), ms(30));
        assert_eq!(agent.service, Some(ms(10)), "four were before it, and two at a time are run");
        agent.release(calls[1], None, ms(40));
        assert_eq!((agent.held(), agent.service, agent.heard_at), (3, Some(ms(10)), ms(30)));
    }
}
