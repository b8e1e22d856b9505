//! One call that has not ended. What every call needs is small, for there may be millions: what only a few have, such as
//! limits, lies in a box of its own. Which neighbors it has is up to others.

use std::time::{Duration, Instant};

use super::asked::Asked;
use super::ending::Doom;
use super::event::{Terms, Try};
use super::workers::Seat;
use crate::ids::{Attempt, CallId};

/// A call that has not ended; or a vacant slot, if the number is that of no call.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) id: CallId,
    /// Its neighbors in the backlog; of one that is held, who holds it, and that it is.
    pub(super) older: u32,
    pub(super) younger: u32,
    pub(super) extra: Option<Box<Extra>>,
}

/// What only few calls have: terms beyond the plain ones, or a history.
#[derive(Debug)]
pub(super) struct Extra {
    priority: i32,
    pub(super) attempt: Attempt,
    pub(super) retries_left: u32,
    pub(super) run_limit: Option<Duration>,
    pub(super) queue_deadline: Option<Instant>,
    pub(super) deadline: Option<Instant>,
    /// How many it counts for, if that was said.
    items: u32,
    /// Why it will end, whatever its worker still says.
    pub(super) doom: Option<Doom>,
    /// Whether it is asked to end by itself.
    pub(super) asked: Option<Asked>,
    /// The last try that may have begun, of those that are over.
    pub(super) last_try: Option<Try>,
    /// Workers that died, one after the other, when this was the next call that they should have begun.
    pub(super) deaths_before_begun: u32,
    pub(super) timer: Option<Instant>,
}

/// In the place of a neighbor. So many calls there are not.
const HELD: u32 = u32::MAX - 1;

// A million calls may wait.
const _: () = assert!(size_of::<Call>() <= 24, "a call that waits is small");

impl Call {
    pub(super) const VACANT: Self = Self { id: CallId::NONE, older: 0, younger: 0, extra: None };

    pub(super) fn new(id: CallId, terms: Terms) -> Self {
        let Terms { priority, retries, run_limit, queue_deadline, deadline, items } = terms;
        let is_timed = run_limit.is_some() || queue_deadline.is_some() || deadline.is_some();
        let is_plain = priority == 0 && retries == 0 && !is_timed && items <= 1;
        let extra = || Extra {
            priority,
            retries_left: retries,
            run_limit,
            queue_deadline,
            deadline,
            items,
            ..Extra::default()
        };
        Self { id, extra: (!is_plain).then(|| Box::new(extra())), ..Self::VACANT }
    }

    pub(super) fn priority(&self) -> i32 {
        self.extra().map_or(0, |extra| extra.priority)
    }

    /// The try that it makes, or will make next.
    pub(super) fn attempt(&self) -> Attempt {
        self.extra().map_or(Attempt::FIRST, |extra| extra.attempt)
    }

    pub(super) fn hold(&mut self, holder: Seat) {
        (self.older, self.younger) = (holder.raw(), HELD);
    }

    pub(super) fn is_held(&self) -> bool {
        self.younger == HELD
    }

    /// Who holds it; nobody in the backlog.
    pub(super) fn holder(&self) -> Option<Seat> {
        self.is_held().then(|| Seat::from_raw(self.older))
    }

    pub(super) fn doom(&self) -> Option<Doom> {
        self.extra.as_ref()?.doom
    }

    pub(super) fn last_try(&self) -> Option<Try> {
        self.extra.as_ref()?.last_try
    }

    pub(super) fn retries_left(&self) -> u32 {
        self.extra.as_ref().map_or(0, |extra| extra.retries_left)
    }

    /// For how many calls it counts.
    pub(super) fn items(&self) -> u32 {
        self.extra.as_ref().map_or(1, |extra| extra.items.max(1))
    }

    pub(super) fn extra(&self) -> Option<&Extra> {
        self.extra.as_deref()
    }

    pub(super) fn extra_mut(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    /// Whether it is asked to end now that a try is over, in which it had begun or not.
    pub(super) fn is_asked_to_end(&self, has_begun: bool) -> bool {
        self.extra().and_then(|extra| extra.asked).is_some_and(|asked| !(has_begun && asked.is_quiet()))
    }

    /// The call will end, and not by its result. The first reason counts, but those after which the call might be tried
    /// again yield to the others.
    pub(super) fn condemn(&mut self, doom: Doom) {
        let extra = self.extra_mut();
        let yields = |before: Doom| before.is_of_one_attempt() && !doom.is_of_one_attempt();
        if extra.doom.is_none_or(yields) {
            extra.doom = Some(doom);
        }
    }
}

impl Default for Extra {
    fn default() -> Self {
        Self {
            priority: 0,
            attempt: Attempt::FIRST,
            retries_left: 0,
            run_limit: None,
            queue_deadline: None,
            deadline: None,
            items: 0,
            doom: None,
            asked: None,
            last_try: None,
            deaths_before_begun: 0,
            timer: None,
        }
    }
}
