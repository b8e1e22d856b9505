//! Every order in which the threads of a role can meet.

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
    fn turn(&self, _: Option<Instant>, _: bool) {
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

/// When a waiter has gone, whatever comes next is the background thread's, whether that lingered or slept meanwhile.
#[test]
fn model_the_background_takes_over_from_the_last_waiter() {
    explore(|scene| {
        let end = background(&scene);
        let me = current().id();
        let outside = aside(&scene, move |(_, world)| {
            world.arrive_for(me, 0);
            world.arrive(&[1]);
        });
        join(&scene, 0);
        let cell = &scene.1.cells[1];
        cell.watch(Watcher::this_thread());
        while !cell.is_done() {
            park();
        }
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
