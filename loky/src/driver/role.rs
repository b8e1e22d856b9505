//! Who drives: at any time at most one thread waits for the outside world and carries out what the scheduler decides.
//!
//! The driver is a role, not a thread. A thread that waits for a result takes the role if it is vacant, drives until
//! its own result is there, and hands the role on; so a call that is awaited costs no hop through another thread. A
//! background thread drives while nobody waits.
//!
//! # States
//!
//! The role is *vacant*, held by the *background* thread, or held by a *waiter*. Waiters that found it held are
//! *followers*: they park, and are in a list in the order of their coming.
//!
//! # Steps
//!
//! 1. A waiter whose condition does not hold takes the vacant role, or becomes a follower. If the background thread
//!    holds the role, it is interrupted: it gives way to any follower.
//! 2. Whoever vacates the role makes an *offer*: the first follower is unparked; without followers, the background
//!    thread is, unless it lingers.
//! 3. A waiter whose condition holds leaves. A follower that leaves takes its name off the list, and if the role is
//!    vacant at that moment, the offer it may have received is made again.
//! 4. The background thread takes the role only when it is vacant, nobody follows, and no waiter has taken it since it
//!    last looked: a thread that has just got one result often waits for the next one at once. As long as waiters come
//!    and go it *lingers*: it looks again after a moment, by itself, and is not woken for each of them. That would take
//!    the processor from those who work.
//!
//! # Why nobody sleeps for ever
//!
//! Whenever the role is vacant and nobody holds the lock, the background thread lingers, or an offer is under way: its
//! receiver has been unparked and has not looked since. The receiver either takes the role, or finds it taken, or
//! leaves and makes the offer again. Every change to *vacant*, and every departure from the list while it is vacant,
//! makes an offer under the same lock. An unpark that comes before its park is not lost. And a follower's own condition
//! is told to it by an unpark, too: it names itself as a watcher before it first looks. The models in `model` explore
//! all of this.

#[cfg(all(test, loom))]
mod model;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::sync::{Mutex, Thread, current, park, park_timeout};

/// What the holder of the role does.
pub(super) trait Drive {
    /// Waits for the outside world, at the longest until `until`, and acts once. Returns early when interrupted. With
    /// `is_eager`, somebody waits for what comes next, and it may cost a processor for a moment to have it sooner.
    fn turn(&self, until: Option<Instant>, is_eager: bool);

    /// Ends the current turn, or the next one.
    fn interrupt(&self);
}

/// The role; see the module.
#[derive(Debug)]
pub(super) struct Role {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    holder: Holder,
    followers: VecDeque<Thread>,
    background: Option<Thread>,
    /// Counts how often a waiter took the role.
    taken: u64,
    /// Whether the background thread will look by itself in a moment.
    is_lingering: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holder {
    Vacant,
    Background,
    Waiter,
}

enum Entry {
    Holding,
    Following { interrupt: bool },
}

/// What the background thread sees when it looks at the role.
enum Look {
    /// It was vacant, and is the background thread's now.
    Holding,
    /// A waiter has taken it since the last look.
    Moving,
    /// It is somebody else's, or has been offered to a follower: an offer will come.
    Held,
}

/// How long the background thread leaves the role alone while waiters come and go.
const LINGER: Duration = Duration::from_millis(1);

impl Role {
    pub(super) fn new() -> Self {
        let state = State {
            holder: Holder::Vacant,
            followers: VecDeque::new(),
            background: None,
            taken: 0,
            is_lingering: false,
        };
        Self { state: Mutex::new(state) }
    }

    /// Blocks until `is_done` or `until`, driving if nobody else does. Returns whether it is done.
    ///
    /// Whoever makes `is_done` true must then unpark this thread, and interrupt the driving if that was not done in a
    /// turn: this thread may be the one that drives.
    pub(super) fn wait(&self, drive: &impl Drive, until: Option<Instant>, is_done: impl Fn() -> bool) -> bool {
        loop {
            if is_done() {
                return true;
            }
            if is_past(until) {
                return false;
            }
            match self.enter() {
                Entry::Holding => return self.hold(drive, until, is_done),
                Entry::Following { interrupt } => {
                    if interrupt {
                        drive.interrupt();
                    }
                    park_until(until);
                    self.leave_list();
                }
            }
        }
    }

    /// The background thread's life: drives while nobody else does, and runs `chores` in between. Returns when
    /// `is_over`, with the role held for good.
    pub(super) fn wait_in_background(&self, drive: &impl Drive, chores: impl Fn(), is_over: impl Fn() -> bool) {
        self.state.lock().background = Some(current());
        let mut seen = 0;
        loop {
            chores();
            match self.enter_in_background(&mut seen, is_over()) {
                Look::Holding if is_over() => return,
                Look::Holding => {
                    drive.turn(None, false);
                    self.give_way();
                }
                Look::Moving => park_timeout(LINGER),
                Look::Held => park(),
            }
        }
    }

    /// Makes the background thread run its chores soon.
    pub(super) fn call_background(&self, drive: &impl Drive) {
        let (holder, background) = {
            let state = self.state.lock();
            (state.holder, state.background.clone())
        };
        if holder == Holder::Background {
            drive.interrupt();
        }
        if let Some(thread) = background {
            thread.unpark();
        }
    }

    fn hold(&self, drive: &impl Drive, until: Option<Instant>, is_done: impl Fn() -> bool) -> bool {
        // Vacates the role also when a turn panics: the others must not wait for a thread that is gone.
        let _vacate = Vacate(self);
        while !is_done() {
            if is_past(until) {
                return false;
            }
            drive.turn(until, true);
        }
        true
    }

    fn enter(&self) -> Entry {
        let mut state = self.state.lock();
        if state.holder == Holder::Vacant {
            state.holder = Holder::Waiter;
            state.taken = state.taken.wrapping_add(1);
            return Entry::Holding;
        }
        state.followers.push_back(current());
        Entry::Following { interrupt: state.holder == Holder::Background }
    }

    fn leave_list(&self) {
        let mut state = self.state.lock();
        let me = current().id();
        if let Some(place) = state.followers.iter().position(|thread| thread.id() == me) {
            state.followers.remove(place);
        }
        if state.holder == Holder::Vacant {
            state.offer();
        }
    }

    /// Takes the role if it is vacant, nobody follows, and no waiter has taken it since the last look.
    fn enter_in_background(&self, seen: &mut u64, is_over: bool) -> Look {
        let mut state = self.state.lock();
        state.is_lingering = std::mem::replace(seen, state.taken) != state.taken && !is_over;
        if state.is_lingering {
            return Look::Moving;
        }
        if state.holder != Holder::Vacant || !state.followers.is_empty() {
            return Look::Held;
        }
        state.holder = Holder::Background;
        Look::Holding
    }

    /// Vacates the role for a follower; without one, the background thread goes on at once.
    fn give_way(&self) {
        let mut state = self.state.lock();
        state.holder = Holder::Vacant;
        if let Some(follower) = state.followers.front() {
            follower.unpark();
        }
    }

    fn vacate(&self) {
        let mut state = self.state.lock();
        state.holder = Holder::Vacant;
        state.offer();
    }
}

impl State {
    fn offer(&self) {
        let background = self.background.as_ref().filter(|_| !self.is_lingering);
        if let Some(thread) = self.followers.front().or(background) {
            thread.unpark();
        }
    }
}

struct Vacate<'a>(&'a Role);

impl Drop for Vacate<'_> {
    fn drop(&mut self) {
        self.0.vacate();
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
