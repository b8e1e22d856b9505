//! Who drives: at any time at most one of the threads that wait for results waits for the workers, and carries out what
//! the scheduler decides.
//!
//! The driver is a role, not a thread. A thread that waits for a result takes the role if it is vacant, drives until
//! its own result is there, and hands the role on; so a call that is awaited costs no hop through another thread. A
//! background thread does the same work while nobody waits, and hears at all times what no waiter listens to: output
//! and timers. Deaths are heard by both. Which of them hears of answers is told by [`Duty`](super::duty::Duty).
//!
//! # States
//!
//! The role is *vacant*, or held by a *waiter*. Waiters that found it held are *followers*: they park, and are in a
//! list in the order of their coming.
//!
//! # Steps
//!
//! 1. A waiter whose condition does not hold takes the vacant role, or becomes a follower.
//! 2. Whoever vacates the role makes an *offer*: the first follower is unparked. Without followers, the holder *leaves*:
//!    from then on the background thread hears of everything.
//! 3. A waiter whose condition holds leaves. A follower that leaves takes its name off the list, and if the role is
//!    vacant at that moment, the offer it may have received is made again.
//! 4. A waiter that need not be told of its result may take a vacant role without a word, and drive; where the role is held,
//!    it begins anew as any other.
//! 5. When there is nothing to drive any more, since the pool has ended, the holder vacates the role and parks, too. What
//!    it waits for is in the hands of a thread that will tell it.
//!
//! # Why nobody sleeps for ever
//!
//! Whenever the role is vacant and nobody holds the lock, the last holder has left, or an offer is under way: its
//! receiver has been unparked and has not looked since. The receiver either takes the role, or finds it taken, or
//! makes the offer again. Every change to *vacant*, and every departure from the list while it is vacant, makes an
//! offer or leaves, under the same lock. An unpark that comes before its park is not lost. And a follower's own
//! condition is told to it by an unpark, too: it names itself as a watcher before it looks for the last time. The
//! holder is interrupted instead, at the latest when the pool ends: from then on it is one that parks. The models in
//! `model` explore all of this, together with the duty.

#[cfg(all(test, loom))]
mod model;

use std::collections::VecDeque;
use std::time::Instant;

use crate::sync::{Mutex, Thread, current, park, park_timeout};

/// What the holder of the role does.
pub(super) trait Drive {
    /// This thread drives from now on.
    fn take(&self);

    /// Waits for the workers, at the longest until `until`, and acts once. Returns early when interrupted. `false`: nothing
    /// comes from the workers any more, so that there is nothing to drive.
    fn turn(&self, until: Option<Instant>) -> bool;

    /// No waiter drives from now on.
    fn leave(&self);
}

/// The role; see the module.
#[derive(Debug, Default)]
pub(super) struct Role {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    is_held: bool,
    followers: VecDeque<Thread>,
}

impl Role {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Blocks until `is_done` or `until`, driving if nobody else does. Returns whether it is done.
    ///
    /// Whoever makes `is_done` true must interrupt whoever drives, which may be this thread, as long as there is something
    /// to drive; and unpark this thread, if it has called `watch` before.
    pub(super) fn wait(
        &self,
        drive: &impl Drive,
        until: Option<Instant>,
        is_done: impl Fn() -> bool,
        watch: impl Fn(),
    ) -> bool {
        loop {
            if is_done() {
                return true;
            }
            if is_past(until) {
                return false;
            }
            if self.enter(drive) && self.hold(drive, until, &is_done) {
                continue;
            }
            watch();
            if !is_done() {
                park_until(until);
            }
            self.leave_list(drive);
        }
    }

    /// Drives until `is_done`, if nobody else does and there is something to drive; else returns at once. For whoever learns
    /// in its own turns that it is done, and need not be told.
    pub(super) fn drive(&self, drive: &impl Drive, is_done: impl Fn() -> bool) {
        let is_taken = self.state.lock().take(drive);
        if is_taken {
            self.hold(drive, None, is_done);
        }
    }

    /// Drives until `is_done` or `until`. `false`: there is nothing to drive.
    fn hold(&self, drive: &impl Drive, until: Option<Instant>, is_done: impl Fn() -> bool) -> bool {
        // Vacates the role also when a turn panics: the others must not wait for a thread that is gone.
        let _vacate = Vacate(self, drive);
        while !is_done() && !is_past(until) {
            if !drive.turn(until) {
                return false;
            }
        }
        true
    }

    /// Takes the vacant role, or joins the followers. Returns whether it is taken.
    fn enter(&self, drive: &impl Drive) -> bool {
        let mut state = self.state.lock();
        let is_taken = state.take(drive);
        if !is_taken {
            state.followers.push_back(current());
        }
        is_taken
    }

    fn leave_list(&self, drive: &impl Drive) {
        let mut state = self.state.lock();
        let me = current().id();
        if let Some(place) = state.followers.iter().position(|thread| thread.id() == me) {
            state.followers.remove(place);
        }
        if !state.is_held {
            state.offer(drive);
        }
    }

    fn vacate(&self, drive: &impl Drive) {
        let mut state = self.state.lock();
        state.is_held = false;
        state.offer(drive);
    }
}

impl State {
    /// Takes the role, if it is vacant.
    fn take(&mut self, drive: &impl Drive) -> bool {
        let is_vacant = !std::mem::replace(&mut self.is_held, true);
        if is_vacant {
            drive.take();
        }
        is_vacant
    }

    fn offer(&self, drive: &impl Drive) {
        match self.followers.front() {
            Some(follower) => follower.unpark(),
            None => drive.leave(),
        }
    }
}

struct Vacate<'a, D: Drive>(&'a Role, &'a D);

impl<D: Drive> Drop for Vacate<'_, D> {
    fn drop(&mut self) {
        self.0.vacate(self.1);
    }
}

fn park_until(until: Option<Instant>) {
    match until {
        Some(at) => park_timeout(at.saturating_duration_since(Instant::now())),
        None => park(),
    }
}

fn is_past(until: Option<Instant>) -> bool {
    until.is_some_and(|at| at <= Instant::now())
}
