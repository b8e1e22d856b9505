//! Which call goes to which worker next.
//!
//! The next call is the first of the backlog. It goes to an idle worker, the one that was freed last, unless as many
//! are busy as there may be: then those that idle are spares. Without one, it goes to the worker that holds the
//! fewest, of those that may hold one more. There it lies ready, so that a tiny call need not wait for a round trip.
//! An idle worker is given what lies ready behind a call that seems to be long, rather than a younger call: or that
//! one might be long, too, and the older one wait for it. How many may lie ready is up to `pace`; that all of them
//! can be had back is up to `recall`.
//!
//! Priority holds until the start of a call, wherever it lies. So only calls of one priority lie ready, the highest
//! that any call has which has not started: a higher one takes them all back first, and a lower one waits until they
//! have begun. It does not even go to an idle worker before they have; that one is given one of them.

use std::cmp::Ordering;
use std::time::Instant;

use super::event::Action;
use super::workers::{Phase, Seat};
use super::{Scheduler, later};

impl Scheduler {
    pub(super) fn dispatch(&mut self, now: Instant) {
        while let Some(priority) = self.calls.front_priority() {
            let Some(seat) = self.seat_for(priority, now) else { return };
            self.dispatch_next(seat, now);
        }
    }

    /// Who is given the next call, which has this priority; nobody for now if something must be taken back first.
    fn seat_for(&mut self, priority: i32, now: Instant) -> Option<Seat> {
        if self.workers.recalling() > 0 {
            return None;
        }
        let idle = self.idle_seat();
        if self.workers.ahead() == 0 {
            return idle.or_else(|| self.seat_to_load());
        }
        match (idle, priority.cmp(&self.level)) {
            (Some(seat), Ordering::Greater) => return Some(seat),
            (Some(seat), Ordering::Equal) => return Some(seat).filter(|_| !self.recall_late(now)),
            (None, Ordering::Equal) => return self.seat_to_load(),
            (Some(_), Ordering::Less) => self.recall_most(),
            (None, Ordering::Greater) => self.recall_all(),
            (None, Ordering::Less) => {}
        }
        None
    }

    /// An idle worker that may become busy.
    pub(super) fn idle_seat(&self) -> Option<Seat> {
        self.workers.idle_last_freed().filter(|_| self.workers.busy() < self.sizing.target())
    }

    /// A busy worker that may hold one more call; only if none is to go or to become a spare: one that always holds
    /// another call would never become free.
    fn seat_to_load(&self) -> Option<Seat> {
        self.workers.least_loaded().filter(|_| !self.has_surplus())
    }

    fn dispatch_next(&mut self, seat: Seat, now: Instant) {
        let Some((key, call)) = self.calls.hold_next(seat) else { return };
        let (attempt, priority, is_plain) = (call.attempt(), call.priority(), call.extra().is_none());
        let items = call.items();
        self.workers.hold(seat, key, items, now);
        let worker = self.workers.at(seat);
        let (worker, is_ahead) = (worker.id, worker.ahead() > 0);
        if is_ahead {
            self.level = priority;
        } else if !is_plain {
            self.calls.start_clock(key, now);
        }
        self.actions.push_back(Action::Dispatch { call: key, attempt, worker });
    }

    pub(super) fn stop(&mut self, seat: Seat, now: Instant) {
        self.workers.enter(seat, Phase::Stopping { kill_at: later(now, self.rules.stop_grace) });
        self.actions.push_back(Action::Stop { worker: self.workers.at(seat).id });
    }
}
