//! What a worker has begun: a word for which it races with its parent.
//!
//! The calls that are sent to a worker are numbered, from 1. Before it begins an item of one of them, it writes both
//! numbers into one word, and the parent reads them there. The word decides races: the worker changes it only from what
//! it wrote last, and the parent has two flags in it, each of which makes that fail. One *halts*: the worker begins
//! nothing until the flag is gone. The other *recalls*: the worker drops all calls up to a number that have not begun.
//! So what the word says at the moment when the parent sets a flag is final.
//!
//! To change a word on such terms takes a while, beside a tiny item. So where only whole calls are raced for, the
//! worker *goes on* from one item to the next: it looks at the flags, and writes the numbers into a word of its own.
//! That heeds a flag as soon as it is seen, maybe an item later; it is exact once the worker is dead, and about calls
//! it always is.

#[cfg(all(test, loom))]
mod model;
#[cfg(all(test, not(loom)))]
mod tests;

#[cfg(not(all(loom, test)))]
pub(crate) use std::sync::atomic::AtomicU64;
use std::sync::atomic::{Ordering, compiler_fence};

#[cfg(all(loom, test))]
pub(crate) use loom::sync::atomic::AtomicU64;

/// Calls of so many items can be told apart from each other; more items do not travel in one call.
pub(crate) const ITEMS_MAX: usize = 1 << ITEM_BITS;

const ITEM_BITS: u32 = 24;

/// The worker begins nothing.
pub(super) const HALTED: u64 = 1 << 63;

/// There are calls to be dropped.
const RECALLED: u64 = 1 << 62;

/// Zeroes at first.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Race {
    /// The call and the item that have begun last, and the flags.
    pub(crate) begun: Line,
    /// Written by the worker alone: the item that it has gone on to, and its call.
    pub(crate) gone_on: Line,
    /// Written by the parent: calls up to this number that have not begun are dropped.
    pub(crate) recalled: Line,
}

#[repr(C, align(128))]
#[derive(Debug)]
pub(crate) struct Line(pub(crate) AtomicU64);

/// What the worker's side lies in.
pub(crate) trait Side {
    fn race(&self) -> &Race;

    /// Whoever looks from now on sees that the call with this number runs.
    fn runs(&self, call: u64);
}

/// What a worker has begun last: which item of which of the calls that were sent to it; call 0 if none was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Begun {
    /// The number of the call, as far as it fits: see [`is`](Self::is).
    call: u64,
    pub(crate) item: u32,
}

/// The worker's side of the word that says what has begun.
#[derive(Debug)]
pub(crate) struct Beginner<S> {
    side: S,
    last: u64,
    /// Calls up to this number were recalled.
    recalled: u64,
    is_damaged: bool,
}

impl Begun {
    const fn from_word(word: u64) -> Self {
        let item = word & (ITEMS_MAX as u64 - 1);
        Self { call: (word & !(HALTED | RECALLED)) >> ITEM_BITS, item: item as u32 }
    }

    const fn word(call: u64, item: u32) -> u64 {
        (call << ITEM_BITS | item as u64) & !(HALTED | RECALLED)
    }

    /// As one number; zero if nothing has begun.
    pub(super) const fn to_word(self) -> u64 {
        Self::word(self.call, self.item)
    }

    /// The later one of two, if both are of one call; otherwise this one.
    fn or_later(self, other: Self) -> Self {
        if other.call == self.call && other.item > self.item { other } else { self }
    }

    /// Whether this cannot be, since no more than `last` calls were sent.
    pub(crate) const fn is_beyond(self, last: u64) -> bool {
        last < 1 << (u64::BITS - ITEM_BITS - 2) && self.call > last
    }

    /// Whether this cannot be, since the call with this number has begun.
    pub(crate) const fn is_before(self, begun: u64) -> bool {
        begun < 1 << (u64::BITS - ITEM_BITS - 2) && self.call < begun
    }

    /// Whether call number `call` is meant, one of those that the worker may have begun.
    pub(crate) const fn is(self, call: u64) -> bool {
        self.call == Self::word(call, 0) >> ITEM_BITS
    }
}

impl<S: Side> Beginner<S> {
    /// For the worker, once.
    pub(crate) fn new(side: &S) -> Self
    where
        S: Clone,
    {
        Self { side: side.clone(), last: 0, recalled: 0, is_damaged: false }
    }

    /// Whether the word that says what has begun is not what this side has written there. Then nothing begins any more: who
    /// waited for it to become right would wait for ever.
    pub(crate) const fn is_damaged(&self) -> bool {
        self.is_damaged
    }

    /// Item `item` of call number `call` begins now. `false`: the call was recalled, or all [is
    /// damaged](Self::is_damaged). Waits while the parent halts.
    pub(crate) fn begin(&mut self, call: u64, item: u32) -> bool {
        let (word, begun) = (Begun::word(call, item), &self.side.race().begun.0);
        let is_under_way = Begun::from_word(self.last).is(call);
        while call > self.recalled || is_under_way {
            match begun.compare_exchange(self.last, word, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => {
                    self.last = word;
                    if !is_under_way {
                        self.side.runs(call);
                    }
                    return true;
                }
                Err(flagged) if flagged & RECALLED != 0 => {
                    begun.fetch_and(!RECALLED, Ordering::SeqCst);
                    self.recalled = self.side.race().recalled.0.load(Ordering::SeqCst);
                }
                Err(halted) if halted & !HALTED == self.last => pause(),
                Err(_) => {
                    self.is_damaged = true;
                    return false;
                }
            }
        }
        false
    }

    /// Item `item` of the call that was begun last begins now, and it is only for the call that the parent races. Waits
    /// while the parent is seen to halt. `false`: all [is damaged](Self::is_damaged).
    #[inline]
    pub(crate) fn go_on(&mut self, item: u32) -> bool {
        let race = self.side.race();
        let call = self.last & !(ITEMS_MAX as u64 - 1);
        if race.begun.0.load(Ordering::Relaxed) == self.last {
            // Before the item runs, as far as the compiler is concerned; and the processor does not matter to who reads this,
            // when this process is dead.
            race.gone_on.0.store(call | u64::from(item), Ordering::Release);
            compiler_fence(Ordering::SeqCst);
            true
        } else {
            self.begin(call >> ITEM_BITS, item)
        }
    }
}

impl Race {
    pub(super) fn halt(&self) -> Begun {
        self.begun_by(self.begun.0.fetch_or(HALTED, Ordering::SeqCst))
    }

    pub(super) fn resume(&self) {
        self.begun.0.fetch_and(!HALTED, Ordering::SeqCst);
    }

    pub(super) fn recall(&self, last: u64) -> Begun {
        // Before the flag: whoever sees that one reads this.
        self.recalled.0.store(last, Ordering::SeqCst);
        self.begun_by(self.begun.0.fetch_or(RECALLED, Ordering::SeqCst))
    }

    pub(super) fn begun(&self) -> Begun {
        self.begun_by(self.begun.0.load(Ordering::SeqCst))
    }

    /// What has begun last, if the word that decides races said so.
    fn begun_by(&self, word: u64) -> Begun {
        Begun::from_word(word).or_later(Begun::from_word(self.gone_on.0.load(Ordering::SeqCst)))
    }
}

/// Lets some time pass, while it is halted; as a rule it is killed then.
fn pause() {
    #[cfg(not(all(loom, test)))]
    std::thread::sleep(std::time::Duration::from_micros(100));
    #[cfg(all(loom, test))]
    loom::thread::yield_now();
}
