//! Many handles at once: in order of completion, or all of them.

use crossbeam_channel::{Receiver, unbounded};
use serde::de::DeserializeOwned;

use super::handle::JoinHandle;
use crate::error::Error;

/// Iterates over `handles` in the order in which their calls finish, each with its place in `handles`.
///
/// Dropping the iterator detaches what is left.
///
/// # Blocking
///
/// `next` blocks until one more call has finished.
///
/// # Examples
///
/// ```no_run
/// use loky::prelude::*;
///
/// #[loky::task]
/// fn square(x: u64) -> u64 {
///     x * x
/// }
///
/// # fn demo() {
/// let handles = (0..10).map(|x| square.spawn(x));
/// for (index, result) in loky::as_completed(handles) {
///     println!("{index}: {result:?}");
/// }
/// # }
/// ```
pub fn as_completed<R: DeserializeOwned>(handles: impl IntoIterator<Item = JoinHandle<R>>) -> AsCompleted<R> {
    // The channel needs no limit of its own: each handle sends once.
    let (sender, finished) = unbounded();
    let handles: Vec<_> = handles.into_iter().map(Some).collect();
    for (index, handle) in handles.iter().flatten().enumerate() {
        let sender = sender.clone();
        // A receiver that is gone has lost its interest.
        handle.hook(move || {
            let _ = sender.send(index);
        });
    }
    let left = handles.len();
    AsCompleted { handles, finished, left }
}

/// Waits for all `handles` and gives their results in order. The first error cancels the rest.
///
/// # Errors
///
/// The error of the call that failed first in time.
///
/// # Examples
///
/// ```no_run
/// use loky::prelude::*;
///
/// #[loky::task]
/// fn square(x: u64) -> u64 {
///     x * x
/// }
///
/// # fn demo() -> Result<(), loky::Error> {
/// let squares = loky::join_all((0..3).map(|x| square.spawn(x)))?;
/// assert_eq!(squares, [0, 1, 4]);
/// # Ok(())
/// # }
/// ```
pub fn join_all<R: DeserializeOwned>(handles: impl IntoIterator<Item = JoinHandle<R>>) -> Result<Vec<R>, Error> {
    let mut completed = as_completed(handles);
    let mut results: Vec<Option<R>> = (0..completed.left).map(|_| None).collect();
    while let Some((index, result)) = completed.next() {
        match result {
            Ok(result) => results[index] = Some(result),
            Err(why) => {
                // Those behind first: to end one that runs costs a worker, which would be replaced for those that wait.
                for handle in completed.handles.iter().flatten().rev() {
                    handle.cancel();
                }
                return Err(why);
            }
        }
    }
    Ok(results.into_iter().flatten().collect())
}

/// The iterator that [`as_completed`] returns.
#[derive(Debug)]
#[must_use = "iterators do nothing unless consumed"]
pub struct AsCompleted<R> {
    handles: Vec<Option<JoinHandle<R>>>,
    finished: Receiver<usize>,
    left: usize,
}

impl<R: DeserializeOwned> Iterator for AsCompleted<R> {
    type Item = (usize, Result<R, Error>);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let index = self.finished.recv().expect("every call ends and tells so");
        let handle = self.handles[index].take().expect("each call ends once");
        Some((index, handle.join()))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<R: DeserializeOwned> ExactSizeIterator for AsCompleted<R> {}
impl<R: DeserializeOwned> std::iter::FusedIterator for AsCompleted<R> {}
