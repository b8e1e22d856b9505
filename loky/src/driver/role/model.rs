//! Every order in which the threads of a role, the background thread and the workers can meet.

use loom::sync::{Arc, Condvar, Mutex};
use loom::thread::{self, JoinHandle, ThreadId};

use super::super::duty::{Duty, Farewell, Sleep};
use super::*;
use crate::oneshot::{Cell, Watcher};
use crate::transport::link::Chime;

/// Cells and places that the outside world fills, and two bells.
struct World {
    state: Mutex<Outside>,
    changed: Condvar,
    cells: [Cell<usize>; 3],
    start: Instant,
}

struct Outside {
    duty: Duty,
    arrived: Vec<usize>,
    /// What has landed where nobody is told of it.
    landed: Vec<usize>,
    /// Whose landing somebody sleeps for.
    awaited: Vec<usize>,
    /// Which bell is rung for what arrives.
    announced: Option<Chime>,
    rung: Vec<Chime>,
    driver: Option<ThreadId>,
    /// The background thread is to end.
    is_over: bool,
    /// Nobody hears a bell any more.
    is_closed: bool,
}

impl Outside {
    fn interrupt(&mut self) {
        if self.duty.interrupt() && !self.is_closed {
            self.rung.push(Chime::Pool);
        }
    }
}

impl World {
    /// With so many waiters in a row, the background thread lingers.
    fn new(row: u32) -> Self {
        let start = Instant::now();
        let outside = Outside {
            duty: Duty::new(start, row),
            arrived: Vec::new(),
            landed: Vec::new(),
            awaited: Vec::new(),
            announced: None,
            rung: Vec::new(),
            driver: None,
            is_over: false,
            is_closed: false,
        };
        let cells = [Cell::new(), Cell::new(), Cell::new()];
        Self { state: Mutex::new(outside), changed: Condvar::new(), cells, start }
    }

    /// Results arrive, all at one moment.
    fn arrive(&self, cells: &[usize]) {
        let mut state = self.state.lock().unwrap();
        state.arrived.extend(cells);
        let bell = state.announced.take();
        state.rung.extend(bell);
        self.changed.notify_all();
    }

    /// A result arrives as soon as this thread drives, and not before.
    fn arrive_for(&self, driver: ThreadId, cell: usize) {
        let mut state = self.state.lock().unwrap();
        while state.driver != Some(driver) {
            state = self.changed.wait(state).unwrap();
        }
        drop(state);
        self.arrive(&[cell]);
    }

    fn ring(&self, bell: Chime) {
        self.state.lock().unwrap().rung.push(bell);
        self.changed.notify_all();
    }

    fn interrupt(&self) {
        self.state.lock().unwrap().interrupt();
        self.changed.notify_all();
    }

    /// A thread that does not drive brings a result to its place, and tells of it where that is awaited.
    fn land(&self, place: usize) {
        let mut state = self.state.lock().unwrap();
        state.landed.push(place);
        let is_awaited = state.awaited.contains(&place);
        drop(state);
        if is_awaited {
            self.interrupt();
        }
    }

    /// The pool has ended.
    fn close(&self) {
        let mut state = self.state.lock().unwrap();
        state.interrupt();
        state.is_closed = true;
        self.changed.notify_all();
    }

    /// Sleeps until this bell is rung.
    fn sleep<'a>(
        &'a self,
        bell: Chime,
        mut state: loom::sync::MutexGuard<'a, Outside>,
    ) -> loom::sync::MutexGuard<'a, Outside> {
        while !state.rung.contains(&bell) {
            state = self.changed.wait(state).unwrap();
        }
        state.rung.retain(|&rung| rung != bell);
        state
    }

    /// The waiter that drives sleeps, if it may and there is nothing to hear.
    fn sleep_for_waiter<'a>(
        &'a self,
        mut state: loom::sync::MutexGuard<'a, Outside>,
    ) -> loom::sync::MutexGuard<'a, Outside> {
        if state.arrived.is_empty() && !state.is_closed && state.duty.may_sleep() {
            state.announced = Some(Chime::Pool);
            state = self.sleep(Chime::Pool, state);
            state.duty.wake();
            state.announced = None;
        }
        state
    }

    fn hear(&self, mut state: loom::sync::MutexGuard<'_, Outside>) -> bool {
        let arrived = std::mem::take(&mut state.arrived);
        drop(state);
        arrived.iter().for_each(|&cell| self.cells[cell].complete(cell));
        !arrived.is_empty()
    }

    /// The life of the background thread.
    fn live_in_background(&self) {
        loop {
            let mut state = self.state.lock().unwrap();
            if state.is_over {
                return;
            }
            match state.duty.sleep_in_background() {
                Sleep::Announced if !state.arrived.is_empty() => {}
                Sleep::Announced => {
                    state.announced = Some(Chime::Link);
                    state = self.sleep(Chime::Link, state);
                }
                Sleep::ForWaiter if !state.arrived.is_empty() => {}
                Sleep::ForWaiter => {
                    state.announced = Some(Chime::Pool);
                    state = self.sleep(Chime::Link, state);
                }
                Sleep::Quiet => state = self.sleep(Chime::Link, state),
                Sleep::Brief(_) => {
                    drop(state);
                    thread::yield_now();
                    state = self.state.lock().unwrap();
                }
            }
            if self.hear(state) {
                self.interrupt();
            }
        }
    }
}

/// A waiter that looks for its result in its own turns.
struct Taker<'a> {
    world: &'a World,
    place: usize,
    has_taken: std::cell::Cell<bool>,
}

impl Taker<'_> {
    fn look(&self, outside: &mut Outside) {
        let before = outside.landed.len();
        outside.landed.retain(|&place| place != self.place);
        self.has_taken.set(outside.landed.len() < before);
    }
}

impl Drive for Taker<'_> {
    fn take(&self) {
        self.world.take();
        self.look(&mut self.world.state.lock().unwrap());
    }

    fn turn(&self, _: Option<Instant>) -> bool {
        let mut state = self.world.state.lock().unwrap();
        let is_closed = state.is_closed;
        if !state.landed.contains(&self.place) {
            state.awaited.push(self.place);
            state = self.world.sleep_for_waiter(state);
        }
        if state.arrived.contains(&self.place) {
            state.landed.push(self.place);
            state.arrived.retain(|&place| place != self.place);
        }
        self.look(&mut state);
        self.world.hear(state);
        !is_closed
    }

    fn leave(&self) {
        self.world.leave();
    }
}

impl Drive for World {
    fn take(&self) {
        let mut state = self.state.lock().unwrap();
        if state.duty.take() {
            state.announced = None;
        }
        state.driver = Some(current().id());
        self.changed.notify_all();
    }

    fn turn(&self, _: Option<Instant>) -> bool {
        let state = self.state.lock().unwrap();
        let is_closed = state.is_closed;
        let state = self.sleep_for_waiter(state);
        self.hear(state);
        !is_closed
    }

    fn leave(&self) {
        let mut state = self.state.lock().unwrap();
        let must_call = match state.duty.leave(|| self.start) {
            Farewell::Nothing => false,
            Farewell::Announce if state.arrived.is_empty() => {
                state.announced = Some(Chime::Link);
                false
            }
            Farewell::Announce | Farewell::Call => true,
        };
        drop(state);
        if must_call {
            self.ring(Chime::Link);
        }
    }
}

type Scene = (Arc<Role>, Arc<World>);

fn join((role, world): &Scene, index: usize) {
    let cell = &world.cells[index];
    assert!(role.wait(&**world, None, || cell.is_done(), || cell.watch(Watcher::this_thread())));
    assert_eq!(cell.take(), Some(index));
}

/// Waits for what lands in a place, where nobody is told of it. Returns whether it could drive until then.
fn take((role, world): &Scene, place: usize) -> bool {
    let taker = Taker { world, place, has_taken: false.into() };
    role.drive(&taker, || taker.has_taken.get());
    taker.has_taken.get()
}

/// Waits without driving, as an asynchronous task does.
fn look_on((_, world): &Scene, index: usize) {
    let cell = &world.cells[index];
    cell.watch(Watcher::this_thread());
    while !cell.is_done() {
        park();
    }
}

fn aside(scene: &Scene, act: impl FnOnce(&Scene) + 'static) -> JoinHandle<()> {
    let scene = scene.clone();
    thread::spawn(move || act(&scene))
}

/// Once with a background thread that never lingers, and once with one that lingers after every waiter.
fn explore(test: impl Fn(Scene) + Clone + Send + Sync + 'static) {
    for row in [u32::MAX, 1] {
        let (mut builder, test) = (loom::model::Builder::new(), test.clone());
        builder.preemption_bound = Some(2);
        builder.check(move || test((Arc::new(Role::new()), Arc::new(World::new(row)))));
    }
}

/// Three threads wait for a result each. Two results come at once, so a follower may be offered the role and need
/// it no more; the third thread must not be left alone with it.
#[test]
fn race_10_model_waiters_pass_the_role_on() {
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
    let world = Arc::clone(&scene.1);
    let thread = aside(scene, |(_, world)| world.live_in_background());
    move || {
        world.state.lock().unwrap().is_over = true;
        world.ring(Chime::Link);
        thread.join().unwrap();
    }
}

/// The background thread leaves a waiter's result to the waiter, or brings it.
#[test]
fn race_10_model_a_waiter_gets_its_result_whoever_hears_it() {
    explore(|scene| {
        let end = background(&scene);
        let outside = aside(&scene, |(_, world)| world.arrive(&[0]));
        join(&scene, 0);
        end();
        outside.join().unwrap();
    });
}

/// When a waiter has gone, whatever comes next is the background thread's.
#[test]
fn race_10_model_the_background_takes_over_from_the_last_waiter() {
    explore(|scene| {
        let end = background(&scene);
        let me = current().id();
        let outside = aside(&scene, move |(_, world)| {
            world.arrive_for(me, 0);
            world.arrive(&[1]);
        });
        join(&scene, 0);
        look_on(&scene, 1);
        end();
        outside.join().unwrap();
    });
}

/// A thread that does not drive brings the result, be it that a cancel was asked for: whoever waits notices, whether
/// it drives or follows.
#[test]
fn race_10_model_a_result_from_elsewhere_is_noticed() {
    explore(|scene| {
        let waiters = [0, 1].map(|index| aside(&scene, move |scene| join(scene, index)));
        for index in [0, 1] {
            scene.1.cells[index].complete(index);
            scene.1.interrupt();
        }
        waiters.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

/// The pool ends while a thread that does not drive still has the results in its hand, so that it finds no bell to ring.
#[test]
fn race_10_model_the_end_of_a_pool_leaves_no_waiter_behind() {
    explore(|scene| {
        let waiters = [0, 1].map(|index| aside(&scene, move |scene| join(scene, index)));
        let background = aside(&scene, |(_, world)| world.close());
        for index in [0, 1] {
            scene.1.cells[index].complete(index);
            scene.1.interrupt();
        }
        waiters.into_iter().chain([background]).for_each(|thread| thread.join().unwrap());
    });
}

/// A waiter that is told of nothing notices its result, whoever brings it.
#[test]
fn race_10_model_a_result_that_nobody_tells_of_is_taken() {
    for bring in [|world: &World| world.land(0), |world: &World| world.arrive(&[0])] {
        explore(move |scene| {
            let outside = aside(&scene, move |(_, world)| bring(world));
            assert!(take(&scene, 0));
            outside.join().unwrap();
        });
    }
}

/// One that finds the role held returns, and waits as others do; one that holds it takes in what others wait for.
#[test]
fn race_10_model_a_waiter_that_is_told_of_nothing_shares_the_role() {
    explore(|scene| {
        let other = aside(&scene, |scene| join(scene, 1));
        let outside = aside(&scene, |(_, world)| {
            world.arrive(&[1]);
            world.land(0);
        });
        if !take(&scene, 0) {
            scene.1.cells[0].complete(0);
            join(&scene, 0);
        }
        [other, outside].into_iter().for_each(|thread| thread.join().unwrap());
    });
}
