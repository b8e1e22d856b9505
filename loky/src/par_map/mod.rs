//! A task applied to every item of a collection, in the workers of a pool.
//!
//! The iterators here describe and hand out; `gather` keeps the calls going, `chunk` says how many items travel
//! together, `callable` and `supplies` say what can be applied to what.

pub(crate) mod callable;
mod chunk;
mod gather;
mod piece;
mod sent;
pub(crate) mod supplies;

use std::fmt;
use std::iter::FusedIterator;
use std::time::Duration;

use serde::de::DeserializeOwned;

use self::callable::Callable;
use self::gather::Gather;
use crate::error::Error;
use crate::pool::{Pool, decode_result};

/// `par_map` for everything that can be iterated over.
pub trait ParMap: IntoIterator + Sized {
    /// Applies `task` to every item, in worker processes, and yields the results in the order of the items.
    ///
    /// Where `.map(f)` runs `f` here, `.par_map(f)` runs it in the workers of [`loky::pool()`](crate::pool()), or of
    /// another pool, see [`on`](ParMapIter::on). Each item gives one `Result`: an item that fails, in whatever way, is
    /// one `Err`, and its neighbours keep their results.
    ///
    /// Items may be owned or references: a `T` or `&T` for a task that takes `T` or `&T`, a `String` for `&str`, a
    /// `Vec<T>` for `&[T]`. A task of several arguments takes tuples. A generic task over references could take the
    /// reference or what it points to, so it names its type: `items.iter().par_map(square::<u64>)`.
    ///
    /// Nothing runs until the iterator is asked for its first item. It needs neither `Send` nor `'static`: input is
    /// pulled inside `next` only, and only as far as the [`window`](ParMapIter::window) allows, so an endless input is
    /// fine. Dropping the iterator cancels what is left.
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
    /// let squares: Vec<u64> = (0..1000).par_map(square).collect::<Result<_, _>>()?;
    /// assert_eq!(squares[31], 961);
    /// # Ok(())
    /// # }
    /// ```
    fn par_map<F, How>(self, task: F) -> ParMapIter<Self::IntoIter, F::Output>
    where
        F: Callable<Self::Item, How>;
}

impl<C: IntoIterator> ParMap for C {
    fn par_map<F, How>(self, task: F) -> ParMapIter<Self::IntoIter, F::Output>
    where
        F: Callable<Self::Item, How>,
    {
        let task = task.task();
        let name = task.as_ref().map_or("", |task| task.entry.name);
        let gather = Gather::new::<F, How>(self.into_iter(), task);
        ParMapIter { gather, task: name, result: std::marker::PhantomData }
    }
}

/// What [`ParMap::par_map`] returns: an iterator over the results, in the order of the items.
///
/// What the items print appears as the pool's [`output`](crate::PoolBuilder::output) says; what is kept is printed by
/// `next`, when it takes in the results of a chunk. If the program is [interrupted](crate::PoolBuilder::on_interrupt),
/// the chunks that have begun are finished, and the items of the others have errors.
///
/// # Blocking
///
/// `next` blocks until the next item's result is there. Every item resolves, see [`Error`].
#[must_use = "a `par_map` does nothing unless consumed"]
pub struct ParMapIter<I: Iterator, R> {
    gather: Gather<I>,
    /// Its name.
    task: &'static str,
    result: std::marker::PhantomData<fn() -> R>,
}

/// What both iterators can be told before they are asked for the first item.
macro_rules! options {
    ($Map:ident) => {
        impl<I: Iterator, R> $Map<I, R> {
            /// Runs in `pool`. Default: [`loky::pool()`](crate::pool()).
            pub fn on(mut self, pool: &Pool) -> Self {
                self.gather.options.pool = Some(pool.clone());
                self
            }

            /// How many items travel in one call; zero counts as one. Default: chosen while running, so that a chunk
            /// takes about 200 microseconds, at most 4096 items, and fewer towards the end of the input.
            pub fn chunk_size(mut self, items: usize) -> Self {
                self.gather.options.chunk_size = Some(items);
                self
            }

            /// How many items may have been pulled from the input and not been yielded yet; zero counts as one. It
            /// bounds the memory that a slow item, or a slow consumer, can cost. Default: 16384 for each worker.
            pub fn window(mut self, items: usize) -> Self {
                self.gather.options.window = Some(items);
                self
            }

            /// How long each item may run; see [`Call::timeout`](crate::Call::timeout).
            pub fn timeout(mut self, limit: Duration) -> Self {
                self.gather.options.limits.timeout = Some(limit);
                self
            }

            /// How many extra attempts each item has after its worker has died; see
            /// [`Call::retries`](crate::Call::retries).
            pub fn retries(mut self, extra_attempts: u32) -> Self {
                self.gather.options.limits.retries = Some(extra_attempts);
                self
            }
        }
    };
}

options!(ParMapIter);
options!(Unordered);

impl<I: Iterator, R> ParMapIter<I, R> {
    /// Yields results as they come, each with the place of its item in the input: a slow item holds up nobody.
    pub fn unordered(self) -> Unordered<I, R> {
        Unordered { gather: self.gather, task: self.task, result: self.result }
    }

    /// All results, in the order of the items, for those who have no use for an error.
    ///
    /// # Panics
    ///
    /// With the text of the first error, in the order of the items. What is left is cancelled.
    pub fn unwrap_all(self) -> Vec<R>
    where
        R: DeserializeOwned,
    {
        self.map(|result| result.unwrap_or_else(|why| panic!("{why}"))).collect()
    }
}

impl<I: Iterator, R: DeserializeOwned> ParMapIter<I, R> {
    /// The next result, wherever it comes from.
    #[inline(never)]
    fn next_of_all(&mut self) -> Option<Result<R, Error>> {
        let (_, result) = self.gather.next_in_order()?;
        Some(result.and_then(|found| found.decode(self.task)))
    }
}

impl<I: Iterator, R: DeserializeOwned> Iterator for ParMapIter<I, R> {
    type Item = Result<R, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self.gather.next_in_row() {
            Some((_, bytes)) => Some(decode_result(bytes, self.task)),
            None => self.next_of_all(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.gather.size_hint()
    }
}

impl<I: Iterator, R: DeserializeOwned> FusedIterator for ParMapIter<I, R> {}

/// What [`ParMapIter::unordered`] returns: an iterator over the results as they come, each with the place of its item
/// in the input.
///
/// # Blocking
///
/// `next` blocks until one more result is there.
#[must_use = "a `par_map` does nothing unless consumed"]
pub struct Unordered<I: Iterator, R> {
    gather: Gather<I>,
    /// Its name.
    task: &'static str,
    result: std::marker::PhantomData<fn() -> R>,
}

impl<I: Iterator, R: DeserializeOwned> Unordered<I, R> {
    /// Likewise.
    #[inline(never)]
    fn next_of_all(&mut self) -> Option<(usize, Result<R, Error>)> {
        let (place, result) = self.gather.next_finished()?;
        Some((place, result.and_then(|found| found.decode(self.task))))
    }
}

impl<I: Iterator, R: DeserializeOwned> Iterator for Unordered<I, R> {
    type Item = (usize, Result<R, Error>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self.gather.next_in_row() {
            Some((place, bytes)) => Some((place, decode_result(bytes, self.task))),
            None => self.next_of_all(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.gather.size_hint()
    }
}

impl<I: Iterator, R: DeserializeOwned> FusedIterator for Unordered<I, R> {}

impl<I: Iterator, R> fmt::Debug for ParMapIter<I, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParMapIter").field("options", &self.gather.options).finish_non_exhaustive()
    }
}

impl<I: Iterator, R> fmt::Debug for Unordered<I, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unordered").field("options", &self.gather.options).finish_non_exhaustive()
    }
}
