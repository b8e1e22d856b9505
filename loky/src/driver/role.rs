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
//!    thread is.
//! 3. A waiter whose condition holds leaves. A follower that leaves takes its name off the list, and if the role is
//!    vacant at that moment, the offer it may have received is made again.
//! 4. The background thread takes the role only when it is vacant and nobody follows; before, it lingers for a moment,
//!    because a thread that has just got one result often waits for the next one at once.
//!
//! # Why nobody sleeps for ever
//!
//! Whenever the role is vacant and nobody holds the lock, an offer is under way: its receiver has been unparked and
//! has not looked since. The receiver either takes the role, or finds it taken, or leaves and makes the offer again.
//! Every change to *vacant*, and every departure from the list while it is vacant, makes an offer under the same
//! lock. An unpark that comes before its park is not lost. And a follower's own condition is told to it by an unpark,
//! too: it names itself as a watcher before it first looks. The model below explores all of this.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::sync::{Mutex, Thread, current, park, park_timeout};

/// What the holder of the role does.
pub(super) trait Drive {
    /// Waits for the outside world, at the longest until `until`, and acts once. Returns early when interrupted.
    fn turn(&self, until: Option<Instant>);

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
    /// It is vacant, but a waiter had it a moment ago.
    Moving,
    /// It is somebody else's, or has been offered to a follower: an offer will come.
    Held,
}

/// How long the background thread leaves a vacant role alone.
const LINGER: Duration = Duration::from_millis(1);

impl Role {
    pub(super) fn new() -> Self {
        let state = State { holder: Holder::Vacant, followers: VecDeque::new(), background: None, taken: 0 };
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
                    drive.turn(None);
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
            drive.turn(until);
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
        if state.holder != Holder::Vacant || !state.followers.is_empty() {
            return Look::Held;
        }
        if std::mem::replace(seen, state.taken) != state.taken && !is_over {
            return Look::Moving;
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
        if let Some(thread) = self.followers.front().or(self.background.as_ref()) {
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

#[cfg(all(test, loom))]
mod model {
    use loom::sync::atomic::{AtomicBool, Ordering};
    use loom::sync::{Arc, Condvar, Mutex};
    use loom::thread::{self, JoinHandle, ThreadId};

    use super::*;
    use crate::oneshot::{Cell, Watcher};

    /// Cells that the outside world fills, and a bell.
    struct World {
        state: Mutex<Outside>,
        changed: Condvar,
        cells: [Cell<usize>; 3],
    }

    #[derive(Default)]
    struct Outside {
        is_rung: bool,
        arrived: Vec<usize>,
        driver: Option<ThreadId>,
    }

    impl World {
        fn new() -> Self {
            let cells = [Cell::new(), Cell::new(), Cell::new()];
            Self { state: Mutex::default(), changed: Condvar::new(), cells }
        }

        /// Results arrive, all at one moment.
        fn arrive(&self, cells: &[usize]) {
            self.state.lock().unwrap().arrived.extend(cells);
            self.changed.notify_all();
        }

        /// A result arrives as soon as this thread drives, and not before.
        fn arrive_for(&self, driver: ThreadId, cell: usize) {
            let mut state = self.state.lock().unwrap();
            while state.driver != Some(driver) {
                state = self.changed.wait(state).unwrap();
            }
            state.arrived.push(cell);
            self.changed.notify_all();
        }
    }

    impl Drive for World {
        fn turn(&self, _: Option<Instant>) {
            let mut state = self.state.lock().unwrap();
            state.driver = Some(current().id());
            self.changed.notify_all();
            while !state.is_rung && state.arrived.is_empty() {
                state = self.changed.wait(state).unwrap();
            }
            state.is_rung = false;
            let arrived = std::mem::take(&mut state.arrived);
            drop(state);
            arrived.into_iter().for_each(|cell| self.cells[cell].complete(cell));
        }

        fn interrupt(&self) {
            self.state.lock().unwrap().is_rung = true;
            self.changed.notify_all();
        }
    }

    type Scene = (Arc<Role>, Arc<World>);

    fn join((role, world): &Scene, index: usize) {
        let cell = &world.cells[index];
        cell.watch(Watcher::this_thread());
        assert!(role.wait(&**world, None, || cell.is_done()));
        assert_eq!(cell.take(), Some(index));
    }

    fn aside(scene: &Scene, act: impl FnOnce(&Scene) + 'static) -> JoinHandle<()> {
        let scene = scene.clone();
        thread::spawn(move || act(&scene))
    }

    fn explore(test: impl Fn(Scene) + Send + Sync + 'static) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(2);
        builder.check(move || test((Arc::new(Role::new()), Arc::new(World::new()))));
    }

    /// Three threads wait for a result each. Two results come at once, so a follower may be offered the role and need
    /// it no more; the third thread must not be left alone with it.
    #[test]
    fn model_waiters_pass_the_role_on() {
        explore(|scene| {
            let others = [1, 2].map(|index| aside(&scene, move |scene| join(scene, index)));
            let outside = aside(&scene, |(_, world)| {
                world.arrive(&[0, 1]);
                world.arrive(&[2]);
            });
            join(&scene, 0);
            others.into_iter().chain([outside]).for_each(|thread| thread.join().unwrap());
        });
    }

    /// Starts the background thread; the function that is returned tells it to end, and waits until it has.
    fn background(scene: &Scene) -> impl FnOnce() {
        let (over, (role, world)) = (Arc::new(AtomicBool::new(false)), scene.clone());
        let is_over = Arc::clone(&over);
        let thread = aside(scene, move |(role, world)| {
            role.wait_in_background(&**world, || (), || is_over.load(Ordering::Acquire));
        });
        move || {
            over.store(true, Ordering::Release);
            role.call_background(&*world);
            thread.join().unwrap();
        }
    }

    /// The background thread drives until a waiter comes, gives way to it, and takes over again.
    #[test]
    fn model_the_background_gives_way_and_takes_over() {
        explore(|scene| {
            let end = background(&scene);
            let me = current().id();
            let outside = aside(&scene, move |(_, world)| world.arrive_for(me, 0));
            join(&scene, 0);
            end();
            outside.join().unwrap();
        });
    }

    /// A thread that does not drive brings the result, be it that a cancel was asked for: whoever waits notices, whether
    /// it drives or follows.
    #[test]
    fn model_a_result_from_elsewhere_is_noticed() {
        explore(|scene| {
            // This thread only looks on: an unpark that comes late would disturb the model's `join`.
            let waiters = [0, 1].map(|index| aside(&scene, move |scene| join(scene, index)));
            let elsewhere = aside(&scene, |(_, world)| {
                for index in [0, 1] {
                    world.cells[index].complete(index);
                    world.interrupt();
                }
            });
            waiters.into_iter().chain([elsewhere]).for_each(|thread| thread.join().unwrap());
        });
    }

    /// The background thread hears a call whatever it is doing: before its first look, between two, or in a turn.
    #[test]
    fn model_the_background_hears_a_call() {
        explore(|scene| background(&scene)());
    }
}
