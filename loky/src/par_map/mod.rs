//! A task applied to every item of a collection, in the workers of a pool.
//!
//! The iterators here describe and hand out; `gather` keeps the calls going, `chunk` says how many items travel
//! together, `callable` and `supplies` say what can be applied to what.

pub(crate) mod callable;
mod chunk;
mod gather;
mod leftovers;
mod piece;
mod run;
mod sent;
#[cfg(feature = "progress")]
mod shown;
#[cfg(feature = "futures")]
mod stream;
pub(crate) mod supplies;

#[cfg(feature = "futures")]
pub use self::stream::{ParMapStream, UnorderedStream};

use std::fmt;
use std::iter::FusedIterator;
use std::time::Duration;

use serde::de::DeserializeOwned;

use self::callable::Callable;
use self::gather::Gather;
use crate::error::Error;
use crate::pool::{Pool, decode_result};

/// `par_map` for everything that can be iterated over; comes with `use loky::prelude::*;`.
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
    /// ```
    /// use loky::prelude::*;
    ///
    /// #[loky::task]
    /// fn square(x: u64) -> u64 {
    ///     x * x
    /// }
    ///
    /// # loky::main! { fn main() -> Result<(), loky::Error> {
    /// let squares: Vec<u64> = (0..1000).par_map(square).collect::<Result<_, _>>()?;
    /// assert_eq!(squares[31], 961);
    /// # Ok(()) } }
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
/// # If the worker dies
///
/// The item that it ran is an `Err`, or is tried again if it has [`retries`](Self::retries) left. Items that had been
/// answered keep their results, and the rest of the chunk goes to another worker.
///
/// # Blocking
///
/// `next` blocks until the next item's result is there. Every item resolves, see [`Error`]; to bound how long each may take,
/// say [`timeout`](Self::timeout).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use loky::prelude::*;
///
/// #[loky::task]
/// fn parse(line: &str) -> Result<u64, String> {
///     line.trim().parse().map_err(|why| format!("{line}: {why}"))
/// }
///
/// # loky::main! { fn main() {
/// let lines = ["1", "20", "x"].map(String::from);
/// let mut sum = 0;
/// for number in lines.into_iter().par_map(parse).timeout(Duration::from_secs(10)).retries(1) {
///     match number {
///         Ok(Ok(number)) => sum += number,
///         Ok(Err(why)) => println!("no number: {why}"), // the task's own error
///         Err(why) => println!("no result: {why}"),     // a panic, a crash, a limit
///     }
/// }
/// assert_eq!(sum, 21);
/// # } }
/// ```
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
            /// takes about a millisecond, at most 4096 items, and fewer towards the end of the input. A chunk so chosen that
            /// runs for ten milliseconds all the same is broken off, and what is left of it is shared out anew; one of a
            /// length that was asked for is not.
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

            /// How long each item may run; see [`Call::timeout`](crate::Call::timeout). Default: the task's own
            /// `timeout`, then the pool's, then none.
            pub fn timeout(mut self, limit: Duration) -> Self {
                self.gather.options.limits.timeout = Some(limit);
                self
            }

            /// Shows how far it is on the program's standard error, under this name: items that are through, their rate,
            /// the time that is left if it goes on so, workers that are busy, and failures. Only with the feature
            /// `progress`.
            ///
            /// On a terminal it is a bar, drawn at most ten times in a second; of several at once each has its line. What
            /// tasks say of themselves by [`loky::progress`](crate::progress()) stands below it, beside their workers.
            /// Elsewhere it is a plain line every five seconds, and one at the end. It is shown while this iterator is
            /// asked for its next item: who takes long between two items sees it stand still.
            ///
            /// What tasks print goes above the bars wherever it passes through this program: their standard error, and with
            /// [`Output::Prefix`](crate::Output::Prefix) or [`Output::Capture`](crate::Output::Capture) their standard output.
            /// With [`Output::Inherit`](crate::Output::Inherit) they have the terminal itself as standard output, and what they
            /// print there may be mixed with a bar until that is drawn anew. So it is with what the program prints itself.
            ///
            /// Items count as failed if they have no result; an `Err` that a task returns is one.
            ///
            /// # Examples
            ///
            /// ```no_run
            /// use loky::prelude::*;
            ///
            /// #[loky::task]
            /// fn resize(path: &str) -> Result<(), String> {
            ///     // …
            /// #   Ok(())
            /// }
            ///
            /// # fn demo(paths: Vec<String>) {
            /// # #[cfg(feature = "progress")]
            /// let done = paths.par_map(resize).progress("resizing").filter(Result::is_ok).count();
            /// # }
            /// ```
            #[cfg(feature = "progress")]
            pub fn progress(mut self, name: &str) -> Self {
                self.gather.options.progress = Some(name.to_string());
                self
            }

            /// How many extra attempts each item has after its worker has died; see
            /// [`Call::retries`](crate::Call::retries). Default: the task's own `retries`, then the pool's, then 0.
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
    /// Yields results as they come, each with the place of its item in the input, from 0: a slow item holds up nobody.
    pub fn unordered(self) -> Unordered<I, R> {
        Unordered { gather: self.gather, task: self.task, result: self.result }
    }

    /// All results, in the order of the items, for those who have no use for an error.
    ///
    /// # Blocking
    ///
    /// Until all items have been through, or one of them has failed.
    ///
    /// # Panics
    ///
    /// With the text of the first error, in the order of the items. What is left is cancelled.
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
    /// assert_eq!((0..4).par_map(square).unwrap_all(), [0, 1, 4, 9]);
    /// # } }
    /// ```
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
/// # If the worker dies
///
/// As with [`ParMapIter`].
///
/// # Blocking
///
/// `next` blocks until one more result is there.
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
/// let inputs = [3, 4, 5];
/// for (place, result) in inputs.iter().par_map(square).unordered() {
///     assert_eq!(result?, inputs[place] * inputs[place]);
/// }
/// # Ok(()) } }
/// ```
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
