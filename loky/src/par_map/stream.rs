//! A `par_map` as a stream, for async code: the same results, without a thread that waits for them.
//!
//! Whatever drives the pool wakes whoever polls; nothing here blocks, and nothing here knows how the calls are kept going.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use serde::de::DeserializeOwned;

use super::gather::Gather;
use super::{ParMapIter, Unordered};
use crate::error::Error;

/// What [`ParMapIter::into_stream`] returns: a stream of the results, in the order of the items.
///
/// # If the worker dies
///
/// As with [`ParMapIter`]: one item is an `Err`, and the stream goes on.
///
/// # Examples
///
/// ```
/// use futures_core::Stream;
/// use loky::ParMapStream;
///
/// /// Whatever reads streams reads this one.
/// fn lengths<I: Iterator>(stream: ParMapStream<I, u64>) -> impl Stream<Item = Result<u64, loky::Error>> {
///     stream
/// }
/// ```
#[must_use = "a stream does nothing unless polled"]
pub struct ParMapStream<I: Iterator, R> {
    gather: Gather<I>,
    /// Its name.
    task: &'static str,
    result: std::marker::PhantomData<fn() -> R>,
}

/// What [`Unordered::into_stream`] returns: a stream of the results as they come, each with the place of its item in the
/// input, from 0.
///
/// # If the worker dies
///
/// As with [`ParMapIter`]: one item is an `Err`, and the stream goes on.
///
/// # Examples
///
/// ```
/// use loky::UnorderedStream;
/// use loky::prelude::*;
///
/// #[loky::task]
/// fn length(line: String) -> u64 {
///     line.len() as u64
/// }
///
/// /// One per place, as they come.
/// fn lengths(lines: Vec<String>) -> UnorderedStream<std::vec::IntoIter<String>, u64> {
///     lines.into_iter().par_map(length).unordered().into_stream()
/// }
/// ```
#[must_use = "a stream does nothing unless polled"]
pub struct UnorderedStream<I: Iterator, R> {
    gather: Gather<I>,
    /// Its name.
    task: &'static str,
    result: std::marker::PhantomData<fn() -> R>,
}

impl<I: Iterator, R> ParMapIter<I, R> {
    /// The same as a [`Stream`], for async code on any runtime. Only with the feature `futures`.
    ///
    /// Polling never blocks its thread: not while workers start, nor while items run, nor while the pool's queue is full. As with
    /// the iterator, nothing runs before the first poll, input is pulled inside of `poll_next` only, as far as the
    /// [`window`](Self::window) allows, and dropping the stream cancels what is left. The input itself is an iterator: one whose
    /// `next` blocks blocks whoever polls.
    ///
    /// Results are decoded inside of `poll_next`, and tasks are fed from there as well: who takes long between two polls leaves
    /// workers idle.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use loky::prelude::*;
    /// # #[cfg(feature = "futures")]
    /// # mod stream {
    /// # use std::{future, pin::Pin};
    /// # pub async fn next<S: futures_core::Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    /// #     future::poll_fn(|context| Pin::new(&mut *stream).poll_next(context)).await
    /// # }
    ///
    /// #[loky::task]
    /// fn parse(line: &str) -> Option<u64> {
    ///     line.parse().ok()
    /// }
    ///
    /// # use loky::prelude::*;
    /// async fn sum(lines: Vec<String>) -> Result<u64, loky::Error> {
    ///     let mut numbers = lines.par_map(parse).into_stream();
    ///     let mut sum = 0;
    ///     // `StreamExt::next` of whichever library you use.
    ///     while let Some(number) = next(&mut numbers).await {
    ///         sum += number?.unwrap_or(0);
    ///     }
    ///     Ok(sum)
    /// }
    /// # }
    /// ```
    pub fn into_stream(self) -> ParMapStream<I, R> {
        ParMapStream { gather: self.gather, task: self.task, result: self.result }
    }
}

impl<I: Iterator, R> Unordered<I, R> {
    /// The same as a [`Stream`], for async code on any runtime: see [`ParMapIter::into_stream`]. Only with the feature
    /// `futures`.
    pub fn into_stream(self) -> UnorderedStream<I, R> {
        UnorderedStream { gather: self.gather, task: self.task, result: self.result }
    }
}

// The input is never pinned.
impl<I: Iterator, R> Unpin for ParMapStream<I, R> {}
impl<I: Iterator, R> Unpin for UnorderedStream<I, R> {}

impl<I: Iterator, R: DeserializeOwned> Stream for ParMapStream<I, R> {
    type Item = Result<R, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { gather, task, .. } = self.get_mut();
        let answer = gather.poll_in_order(context.waker());
        answer.map(|answer| answer.map(|(_, result)| result.and_then(|found| found.decode(task))))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.gather.size_hint()
    }
}

impl<I: Iterator, R: DeserializeOwned> Stream for UnorderedStream<I, R> {
    type Item = (usize, Result<R, Error>);

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { gather, task, .. } = self.get_mut();
        let answer = gather.poll_finished(context.waker());
        answer.map(|answer| answer.map(|(place, result)| (place, result.and_then(|found| found.decode(task)))))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.gather.size_hint()
    }
}

impl<I: Iterator, R> fmt::Debug for ParMapStream<I, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParMapStream").field("options", &self.gather.options).finish_non_exhaustive()
    }
}

impl<I: Iterator, R> fmt::Debug for UnorderedStream<I, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnorderedStream").field("options", &self.gather.options).finish_non_exhaustive()
    }
}
