//! Many handles at once: in order of completion, or all of them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Thread, current, park, park_timeout};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use super::Engine;
use super::handle::JoinHandle;
use crate::error::Error;
use crate::ids::CallKey;

/// Iterates over `handles` in the order in which their calls finish, each with its place in `handles`.
///
/// Dropping the iterator detaches what is left. The handles may be of several pools.
///
/// # Blocking
///
/// Not here; but all of `handles` is taken in first, and an iterator that spawns may wait for room. `next` blocks until one
/// more call has finished.
///
/// # Examples
///
/// ```
/// use loky::prelude::*;
///
/// #[loky::task]
/// fn square(x: u64) -> u64 {
///     x * x
/// }
///
/// # loky::main! { fn main() {
/// let handles = (0..10).map(|x| square.spawn(x));
/// for (index, result) in loky::as_completed(handles) {
///     println!("{index}: {result:?}");
/// }
/// # } }
/// ```
pub fn as_completed<R: DeserializeOwned>(handles: impl IntoIterator<Item = JoinHandle<R>>) -> AsCompleted<R> {
    AsCompleted::of(handles, Awaited::Each)
}

/// Waits for all `handles` and gives their results in order. The first error cancels the rest.
///
/// # Errors
///
/// The error of the call that failed first in time.
///
/// # If the worker dies
///
/// That is an error like any other: the rest is cancelled. To go on, use [`as_completed`], or give the calls
/// [`retries`](super::Call::retries).
///
/// # Blocking
///
/// Until all calls have ended, or one of them in an error; what is cancelled is not waited for.
///
/// # Examples
///
/// ```
/// use loky::prelude::*;
///
/// #[loky::task]
/// fn square(x: u64) -> u64 {
///     x * x
/// }
///
/// # loky::main! { fn main() -> Result<(), loky::Error> {
/// let squares = loky::join_all((0..3).map(|x| square.spawn(x)))?;
/// assert_eq!(squares, [0, 1, 4]);
/// # Ok(()) } }
/// ```
pub fn join_all<R: DeserializeOwned>(handles: impl IntoIterator<Item = JoinHandle<R>>) -> Result<Vec<R>, Error> {
    let mut completed = AsCompleted::of(handles, Awaited::Last);
    let mut results: Vec<Option<R>> = (0..completed.left).map(|_| None).collect();
    while let Some((index, result)) = completed.next() {
        match result {
            Ok(result) => results[index] = Some(result),
            Err(why) => {
                completed.cancel();
                return Err(why);
            }
        }
    }
    Ok(results.into_iter().flatten().collect())
}

/// The iterator that [`as_completed`] returns: of each call, its place among the handles and its result.
///
/// # If the worker dies
///
/// The call that it ran comes as an error, and the iterator goes on with the others.
///
/// # Blocking
///
/// `next` blocks until one more call has finished; [`next_timeout`](Self::next_timeout) has a limit.
#[derive(Debug)]
#[must_use = "iterators do nothing unless consumed"]
pub struct AsCompleted<R> {
    handles: Vec<Option<JoinHandle<R>>>,
    pools: Pools,
    finished: Arc<Finished>,
    awaited: Awaited,
    left: usize,
}

/// Of which ends this thread is to be told at once; of a failure it always is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    Each,
    /// Of the last call that has not finished: in most cases all others have finished by then.
    Last,
}

/// Where the calls are; of several pools any one.
#[derive(Debug)]
enum Pools {
    None,
    One(Engine),
    Several(Engine),
}

/// Which calls have finished and were not asked for yet, in that order.
#[derive(Debug, Default)]
struct Finished(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Needs no limit of its own: each handle is in it once.
    indices: VecDeque<usize>,
    /// Parks until there is one.
    waiter: Option<Thread>,
}

impl Finished {
    fn add(&self, index: usize) {
        let mut state = self.lock();
        state.indices.push_back(index);
        let waiter = state.waiter.take();
        drop(state);
        if let Some(waiter) = waiter {
            waiter.unpark();
        }
    }

    fn take(&self) -> Option<usize> {
        self.lock().indices.pop_front()
    }

    fn is_empty(&self) -> bool {
        self.lock().indices.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The calling thread is unparked when there is one.
    fn watch(&self) {
        self.lock().waiter = Some(current());
    }
}

impl<R> AsCompleted<R> {
    fn of(handles: impl IntoIterator<Item = JoinHandle<R>>, awaited: Awaited) -> Self {
        let finished = Arc::new(Finished::default());
        let handles: Vec<_> = handles.into_iter().map(Some).collect();
        for (index, handle) in handles.iter().flatten().enumerate() {
            let finished = Arc::clone(&finished);
            handle.hook(move || finished.add(index));
        }
        let (pools, left) = (Pools::of(&handles), handles.len());
        match (&pools, awaited) {
            (Pools::One(engine), Awaited::Each) => engine.await_calls(handles.iter().flatten().map(JoinHandle::key)),
            // Nobody drives them.
            (Pools::Several(_), _) => handles.iter().flatten().for_each(JoinHandle::await_it),
            (Pools::None, _) | (Pools::One(_), Awaited::Last) => {}
        }
        Self { handles, pools, finished, awaited, left }
    }

    /// A call that has finished, the first one if there are several; `None` if there is none by `until`.
    fn one_of_finished(&self, until: Option<Instant>) -> Option<usize> {
        loop {
            if let Some(index) = self.finished.take().or_else(|| self.wait(until)) {
                return Some(index);
            }
            if until.is_some_and(|until| Instant::now() >= until) {
                return self.finished.take();
            }
        }
    }

    /// Waits until a call has finished, driving its pool meanwhile, at the longest until `until`. Where there are several
    /// pools none is driven: while one was, the others would not be heard. Returns a call without a result if none can
    /// be had, which its handle tells.
    fn wait(&self, until: Option<Instant>) -> Option<usize> {
        let is_done = || !self.finished.is_empty();
        match &self.pools {
            Pools::None => {}
            Pools::One(engine) | Pools::Several(engine) if engine.check_process().is_err() => {
                return self.handles.iter().position(Option::is_some);
            }
            Pools::One(engine) => _ = engine.wait_for(self.awaited(), until, is_done, || self.finished.watch()),
            Pools::Several(_) => loop {
                self.finished.watch();
                let left = until.map(|until| until.saturating_duration_since(Instant::now()));
                match left {
                    _ if is_done() => break,
                    Some(Duration::ZERO) => break,
                    Some(left) => park_timeout(left),
                    None => park(),
                }
            },
        }
        None
    }

    fn awaited(&self) -> Option<CallKey> {
        self.handles.last().filter(|_| self.awaited == Awaited::Last)?.as_ref().map(JoinHandle::key)
    }

    /// Gives up every call that has not finished, as [`JoinHandle::cancel`] does. The iterator goes on: those calls come
    /// with the error that they were cancelled, unless nobody asks for them any more.
    ///
    /// # Examples
    ///
    /// The first answer counts.
    ///
    /// ```
    /// use loky::prelude::*;
    ///
    /// #[loky::task]
    /// fn look_up(word: &str, server: u32) -> Option<String> {
    ///     (word.len() as u32 == server).then(|| word.to_uppercase())
    /// }
    ///
    /// # loky::main! { fn main() {
    /// let mut answers = loky::as_completed((0..3).map(|server| look_up.spawn("loky", server)));
    /// let found = answers.find_map(|(_, answer)| answer.ok().flatten());
    /// answers.cancel();
    /// println!("{found:?}");
    /// # } }
    /// ```
    pub fn cancel(&self) {
        let handles = self.handles.iter().flatten();
        match &self.pools {
            Pools::None => {}
            Pools::One(engine) => engine.cancel_all(handles.map(JoinHandle::key)),
            Pools::Several(_) => handles.for_each(|handle| _ = handle.cancel()),
        }
    }

    /// Asks every call that has not finished to end, as [`JoinHandle::cancel_within`] does: what a task returns within
    /// `grace` counts, and what is killed then comes with the error that it was cancelled.
    pub fn cancel_within(&self, grace: Duration) {
        self.handles.iter().flatten().for_each(|handle| _ = handle.cancel_within(grace));
    }
}

impl Pools {
    fn of<R>(handles: &[Option<JoinHandle<R>>]) -> Self {
        // A call that came to no pool has finished.
        let mut engines = handles.iter().flatten().filter_map(JoinHandle::engine);
        match engines.next() {
            None => Self::None,
            Some(first) if engines.all(|engine| engine.is(first)) => Self::One(first.clone()),
            Some(first) => Self::Several(first.clone()),
        }
    }
}

impl<R: DeserializeOwned> AsCompleted<R> {
    /// What `next` would give, if it is there within `limit`; zero looks at what has finished by now.
    ///
    /// `None` also if nothing is left: `len()` tells how many have not been given yet. Nothing is lost: the next time,
    /// whatever was too late is there.
    ///
    /// # Blocking
    ///
    /// For `limit` at the longest.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use loky::prelude::*;
    ///
    /// #[loky::task]
    /// fn square(x: u64) -> u64 {
    ///     x * x
    /// }
    ///
    /// # loky::main! { fn main() {
    /// let mut completed = loky::as_completed((0..10).map(|x| square.spawn(x)));
    /// while let Some((index, result)) = completed.next_timeout(Duration::from_secs(1)) {
    ///     println!("{index}: {result:?}");
    /// }
    /// println!("{} did not finish in time", completed.len());
    /// # } }
    /// ```
    pub fn next_timeout(&mut self, limit: Duration) -> Option<(usize, Result<R, Error>)> {
        self.next_until(Instant::now().checked_add(limit))
    }

    fn next_until(&mut self, until: Option<Instant>) -> Option<(usize, Result<R, Error>)> {
        if self.left == 0 {
            return None;
        }
        let index = self.one_of_finished(until)?;
        self.left -= 1;
        let handle = self.handles[index].take().expect("each call ends once");
        while let Some(None) = self.handles.last() {
            self.handles.pop();
        }
        Some((index, handle.join()))
    }
}

impl<R: DeserializeOwned> Iterator for AsCompleted<R> {
    type Item = (usize, Result<R, Error>);

    fn next(&mut self) -> Option<Self::Item> {
        self.next_until(None)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<R: DeserializeOwned> ExactSizeIterator for AsCompleted<R> {}
impl<R: DeserializeOwned> std::iter::FusedIterator for AsCompleted<R> {}
