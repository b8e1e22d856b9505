//! Names for what the rooms talk about: calls, attempts, workers.
//!
//! Plain numbers, minted by the pool and never reused, so that an answer that arrives late can always be told from
//! the one that is awaited. Nothing here knows what a process is.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// One execution of a task with its arguments, named uniquely within the process that spawned it, over all its pools.
///
/// Errors, logs and traces name calls by it. `Display` is the bare number.
///
/// # Examples
///
/// ```
/// use loky::prelude::*;
///
/// #[loky::task]
/// fn which() -> Option<loky::CallId> {
///     loky::worker().map(|worker| worker.call)
/// }
///
/// # loky::main! { fn main() -> Result<(), loky::Error> {
/// let handle = which.spawn();
/// let id = handle.id();
/// assert_eq!(handle.join()?, Some(id), "it is the same one there");
/// # Ok(()) } }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CallId(u64);

static NEXT: AtomicU64 = AtomicU64::new(1);

impl CallId {
    /// The next number; unique in this process, over all its pools.
    pub(crate) fn mint() -> Self {
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// From now on, numbers are taken from where no other process of this program takes any: calls of another one, which
    /// keep their numbers, are run here.
    #[cfg(feature = "cluster")]
    pub(crate) fn mint_apart() {
        NEXT.fetch_max(1 << 62, Ordering::Relaxed);
    }

    pub(crate) const fn raw(self) -> u64 {
        self.0
    }

    /// The number that no call gets.
    pub(crate) const NONE: Self = Self(u64::MAX);

    /// A number that came from elsewhere; it may name no call.
    pub(crate) const fn from_raw(raw: u64) -> Self {
        Self(raw)
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A call that has not ended: its number, and where its pool keeps it.
///
/// Places are used again. So whoever looks a call up compares the number, and finds nothing where another call lies
/// now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CallKey {
    pub(crate) id: CallId,
    pub(crate) slot: u32,
}

impl CallKey {
    /// Of a call that came to no pool, or is the pool's own.
    pub(crate) fn nowhere() -> Self {
        Self { id: CallId::mint(), slot: u32::MAX }
    }

    /// The same call, once it is kept nowhere.
    pub(crate) const fn nowhere_any_more(self) -> Self {
        Self { slot: u32::MAX, ..self }
    }

    /// Whether it is kept nowhere: so many places there are not.
    pub(crate) const fn is_nowhere(self) -> bool {
        self.slot == u32::MAX
    }
}

impl fmt::Display for CallKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)
    }
}

/// One try of a call on one worker, counted from 1.
///
/// A call that is taken back before it has begun makes the same try elsewhere, and yet whatever came of it where it was
/// must not be mistaken for that: attempts are equal only if the call was taken back as often, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Attempt {
    number: u32,
    recalls: u32,
}

impl Attempt {
    pub(crate) const FIRST: Self = Self { number: 1, recalls: 0 };

    /// Attempts count from 1.
    pub(crate) const fn new(number: u32) -> Option<Self> {
        if number == 0 { None } else { Some(Self { number, recalls: 0 }) }
    }

    /// The try after one that may have begun.
    pub(crate) const fn next(self) -> Self {
        Self { number: self.number.saturating_add(1), recalls: 0 }
    }

    /// The same try, after the call was taken back.
    pub(crate) const fn recalled(self) -> Self {
        Self { number: self.number, recalls: self.recalls.wrapping_add(1) }
    }

    pub(crate) const fn get(self) -> u32 {
        self.number
    }
}

/// One worker process of one pool. Never reused, unlike a pid and unlike the worker's index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct WorkerId(pub(crate) u64);

/// Which code a call runs: the same in every process of one build. One word, for millions of calls may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TaskId(u64);

/// Where that code is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaskPlace {
    /// A place in the registry.
    Registered(u32),
    /// A place in the image of the program, of instances of generic functions and of closures: nobody can list those
    /// before they are compiled.
    Located(u64),
}

impl TaskId {
    /// No image is as long as that.
    const LOCATED: u64 = 1 << 63;

    pub(crate) const fn registered(index: u32) -> Self {
        Self(index as u64)
    }

    pub(crate) const fn located(offset: u64) -> Self {
        Self(offset | Self::LOCATED)
    }

    pub(crate) fn place(self) -> Option<TaskPlace> {
        match self.0 & Self::LOCATED {
            0 => u32::try_from(self.0).ok().map(TaskPlace::Registered),
            _ => Some(TaskPlace::Located(self.0 & !Self::LOCATED)),
        }
    }

    pub(crate) const fn raw(self) -> u64 {
        self.0
    }

    /// A number that came from elsewhere; it may name no task.
    pub(crate) const fn from_raw(raw: u64) -> Self {
        Self(raw)
    }
}
