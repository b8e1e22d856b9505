//! Where the outcome of a call lands: written once, watched by any number of threads, wakers and hooks.
//!
//! The writer first stores the outcome and then tells the watchers, outside the lock; a watcher that comes later finds
//! the outcome and is told at once. So nobody can watch in vain: either the watcher was in the list when the outcome
//! was stored, or it sees the outcome.

use std::fmt;
use std::task::Waker;

use crate::caught::caught;
use crate::sync::{AtomicBool, Mutex, Ordering, Thread, current};

/// One place for one outcome.
pub(crate) struct Cell<T> {
    /// Set before `state` changes hands; lets `is_done` answer without the lock.
    is_done: AtomicBool,
    state: Mutex<State<T>>,
}

enum State<T> {
    Awaited(Option<Box<Watching>>),
    Done(T),
    Taken,
}

/// Those who watch: as a rule nobody, or one.
struct Watching {
    watcher: Watcher,
    others: Option<Box<Self>>,
}

/// Whom to tell that the outcome is there.
pub(crate) enum Watcher {
    /// A thread that parks until then.
    Thread(Thread),
    /// An asynchronous task.
    Task(Waker),
    /// Anything else of ours; must not block and must not panic.
    Hook(Box<dyn FnOnce() + Send>),
}

impl<T> Cell<T> {
    pub(crate) fn new() -> Self {
        Self { is_done: AtomicBool::new(false), state: Mutex::new(State::Awaited(None)) }
    }

    /// One whose outcome is there.
    pub(crate) fn filled(outcome: T) -> Self {
        Self { is_done: AtomicBool::new(true), state: Mutex::new(State::Done(outcome)) }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.is_done.load(Ordering::Acquire)
    }

    /// Stores the outcome and tells all watchers. The first outcome stays; another one is dropped.
    pub(crate) fn complete(&self, outcome: T) {
        let watchers = {
            let mut state = self.state.lock();
            let State::Awaited(watchers) = &mut *state else { return };
            let watchers = std::mem::take(watchers);
            *state = State::Done(outcome);
            self.is_done.store(true, Ordering::Release);
            watchers
        };
        let mut next = watchers;
        while let Some(watching) = next {
            next = watching.others;
            watching.watcher.tell();
        }
    }

    /// Tells `watcher` when the outcome is there: now, if it is there already.
    pub(crate) fn watch(&self, watcher: Watcher) {
        let mut state = self.state.lock();
        if let State::Awaited(watchers) = &mut *state {
            Watching::enter(watchers, watcher);
        } else {
            drop(state);
            watcher.tell();
        }
    }

    /// What `look` sees of the outcome; `None` before it is there and after it was taken.
    pub(crate) fn look<U>(&self, look: impl FnOnce(&T) -> U) -> Option<U> {
        match &*self.state.lock() {
            State::Done(outcome) => Some(look(outcome)),
            State::Awaited(_) | State::Taken => None,
        }
    }

    /// Takes the outcome out; `None` before it is there and after it was taken.
    pub(crate) fn take(&self) -> Option<T> {
        if !self.is_done() {
            return None;
        }
        match std::mem::replace(&mut *self.state.lock(), State::Taken) {
            State::Done(outcome) => Some(outcome),
            State::Awaited(_) | State::Taken => None,
        }
    }
}

impl Watching {
    /// Takes the place of one that would wake the same.
    fn enter(mut watchers: &mut Option<Box<Self>>, watcher: Watcher) {
        while let Some(watching) = watchers {
            if watching.watcher.is_same(&watcher) {
                watching.watcher = watcher;
                return;
            }
            watchers = &mut watching.others;
        }
        *watchers = Some(Box::new(Self { watcher, others: None }));
    }
}

impl Watcher {
    /// The calling thread, which parks, or drives, until it is told.
    pub(crate) fn this_thread() -> Self {
        Self::Thread(current())
    }

    pub(crate) fn tell(self) {
        match self {
            Self::Thread(thread) => thread.unpark(),
            Self::Task(waker) => wake(waker),
            Self::Hook(hook) => hook(),
        }
    }

    /// Whether both would wake the same one, so that whoever looks often is in the list once.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Task(a), Self::Task(b)) => a.will_wake(b),
            (Self::Thread(a), Self::Thread(b)) => a.id() == b.id(),
            _ => false,
        }
    }
}

/// A waker is foreign code: its panic must not keep the others from being told.
fn wake(waker: Waker) {
    if caught(|| waker.wake()).is_err() {
        eprintln!("loky: the panic above is that of a waker, which an async runtime gave a future; the pool goes on");
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Thread(_) => "Thread",
            Self::Task(_) => "Task",
            Self::Hook(_) => "Hook",
        })
    }
}

impl<T> fmt::Debug for Cell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cell").field("is_done", &self.is_done()).finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn fut_07_the_first_outcome_stays_and_is_taken_once() {
        for (first, second) in [(Ok(1), Ok(2)), (Ok(1), Err(2)), (Err(1), Ok(2)), (Err(1), Err(2))] {
            let cell = Cell::new();
            assert_eq!((cell.look(Clone::clone), cell.take()), (None, None));
            cell.complete(first);
            cell.complete(second);
            assert_eq!((cell.look(Clone::clone), cell.take(), cell.take()), (Some(first), Some(first), None));
            cell.complete(second);
            assert_eq!((cell.is_done(), cell.look(Clone::clone), cell.take()), (true, None, None));
        }
    }

    #[test]
    fn every_watcher_is_told_once_whenever_it_came() {
        let (cell, told) = (Cell::new(), Arc::new(AtomicUsize::new(0)));
        let hook = || {
            let told = Arc::clone(&told);
            Watcher::Hook(Box::new(move || {
                told.fetch_add(1, Ordering::Relaxed);
            }))
        };
        cell.watch(hook());
        cell.watch(hook());
        assert_eq!(told.load(Ordering::Relaxed), 0);
        cell.complete(());
        assert_eq!(told.load(Ordering::Relaxed), 2);
        cell.watch(hook());
        assert_eq!(told.load(Ordering::Relaxed), 3);
    }
}

#[cfg(all(test, loom))]
mod model {
    use loom::sync::Arc;

    use super::*;

    /// A thread that watches and parks is always woken, in whichever order the two meet.
    #[test]
    fn race_10_model_no_watcher_sleeps_for_ever() {
        loom::model(|| {
            let cell = Arc::new(Cell::new());
            let writer = {
                let cell = Arc::clone(&cell);
                loom::thread::spawn(move || cell.complete(7))
            };
            cell.watch(Watcher::this_thread());
            while !cell.is_done() {
                crate::sync::park();
            }
            assert_eq!(cell.take(), Some(7));
            writer.join().unwrap();
        });
    }
}
