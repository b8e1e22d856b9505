//! Memory that a worker and its parent share: what the worker has begun, and two rings.
//!
//! Whatever happens to the worker, the parent can still read what it wrote last. What a ring is, is not known here.
//!
//! # What has begun
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

mod wishes;

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering, compiler_fence};
use std::thread;
use std::time::Duration;

use self::wishes::Wishes;
use super::mapping::{Atomics, Mapping};

/// How many words each ring has: a power of two. 1 MiB, of which only what is used becomes memory.
const RING_WORDS: usize = 1 << 17;

/// How often a halted worker looks whether it may go on; as a rule it is killed before.
const HALT_POLL: Duration = Duration::from_micros(100);

/// Calls of so many items can be told apart from each other; more items do not travel in one call.
pub(crate) const ITEMS_MAX: usize = 1 << ITEM_BITS;

const ITEM_BITS: u32 = 24;

/// The worker begins nothing.
const HALTED: u64 = 1 << 63;

/// There are calls to be dropped.
const RECALLED: u64 = 1 << 62;

/// One side's view of the memory. A clone is the same mapping.
#[derive(Clone, Debug)]
pub(crate) struct Page(Arc<Mapping<Shared>>);

/// All zeroes at first.
#[repr(C)]
#[derive(Debug)]
struct Shared {
    /// The call and the item that have begun last, and the flags.
    begun: Line,
    /// Written by the worker alone: the item that it has gone on to, and its call.
    gone_on: Line,
    /// Written by the parent: calls up to this number that have not begun are dropped.
    recalled: Line,
    wishes: Wishes,
    signs: [Signs; 2],
    rings: [[AtomicU64; RING_WORDS]; 2],
}

/// The numbers of one ring, each on cache lines of its own: processors fetch them by twos.
#[repr(C)]
#[derive(Debug)]
struct Signs {
    read: Line,
    reader_sleeps: Line,
    writer_sleeps: Line,
}

#[repr(C, align(128))]
#[derive(Debug)]
struct Line(AtomicU64);

/// Which way a ring goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    ToWorker,
    FromWorker,
}

/// One of the rings.
#[derive(Clone, Debug)]
pub(crate) struct RingMemory {
    page: Page,
    way: Way,
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
pub(crate) struct Beginner {
    page: Page,
    last: u64,
    /// Calls up to this number were recalled.
    recalled: u64,
}

impl RingMemory {
    pub(crate) fn read(&self) -> &AtomicU64 {
        &self.signs().read.0
    }

    pub(crate) fn reader_sleeps(&self) -> &AtomicU64 {
        &self.signs().reader_sleeps.0
    }

    pub(crate) fn writer_sleeps(&self) -> &AtomicU64 {
        &self.signs().writer_sleeps.0
    }

    pub(crate) fn words(&self) -> &[AtomicU64] {
        &self.page.shared().rings[self.way as usize]
    }

    fn signs(&self) -> &Signs {
        &self.page.shared().signs[self.way as usize]
    }
}

impl Begun {
    const fn from_word(word: u64) -> Self {
        let item = word & (ITEMS_MAX as u64 - 1);
        Self { call: (word & !(HALTED | RECALLED)) >> ITEM_BITS, item: item as u32 }
    }

    const fn word(call: u64, item: u32) -> u64 {
        (call << ITEM_BITS | item as u64) & !(HALTED | RECALLED)
    }

    /// The later one of two, if both are of one call; otherwise this one.
    fn or_later(self, other: Self) -> Self {
        if other.call == self.call && other.item > self.item { other } else { self }
    }

    /// Whether this cannot be, since no more than `last` calls were sent.
    pub(crate) const fn is_beyond(self, last: u64) -> bool {
        last < 1 << (u64::BITS - ITEM_BITS - 2) && self.call > last
    }

    /// Whether call number `call` is meant, one of those that the worker may have begun.
    pub(crate) const fn is(self, call: u64) -> bool {
        self.call == Self::word(call, 0) >> ITEM_BITS
    }
}

impl Beginner {
    /// For the worker, once.
    pub(crate) fn new(page: &Page) -> Self {
        Self { page: page.clone(), last: 0, recalled: 0 }
    }

    /// Item `item` of call number `call` begins now. `false`: the call was recalled. Waits while the parent halts.
    pub(crate) fn begin(&mut self, call: u64, item: u32) -> bool {
        let (word, begun) = (Begun::word(call, item), &self.page.shared().begun.0);
        let is_under_way = Begun::from_word(self.last).is(call);
        while call > self.recalled || is_under_way {
            match begun.compare_exchange(self.last, word, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => {
                    self.last = word;
                    if !is_under_way {
                        self.page.shared().wishes.running.0.store(call, Ordering::Release);
                    }
                    return true;
                }
                Err(flagged) if flagged & RECALLED != 0 => {
                    begun.fetch_and(!RECALLED, Ordering::SeqCst);
                    self.recalled = self.page.shared().recalled.0.load(Ordering::SeqCst);
                }
                Err(_) => thread::sleep(HALT_POLL),
            }
        }
        false
    }

    /// Item `item` of the call that was begun last begins now, and it is only for the call that the parent races. Waits
    /// while the parent is seen to halt.
    #[inline]
    pub(crate) fn go_on(&mut self, item: u32) {
        let shared = self.page.shared();
        let call = self.last & !(ITEMS_MAX as u64 - 1);
        if shared.begun.0.load(Ordering::Relaxed) == self.last {
            // Before the item runs, as far as the compiler is concerned; and the processor does not matter to who reads this,
            // when this process is dead.
            shared.gone_on.0.store(call | u64::from(item), Ordering::Release);
            compiler_fence(Ordering::SeqCst);
        } else {
            self.begin(call >> ITEM_BITS, item);
        }
    }
}

// SAFETY: it is made of atomic numbers, in lines that are aligned to less than a page.
unsafe impl Atomics for Shared {}

impl Page {
    /// A new page, and the descriptor by which another process can map it.
    pub(crate) fn create() -> io::Result<(Self, OwnedFd)> {
        let (mapping, fd) = Mapping::create()?;
        Ok((Self(Arc::new(mapping)), fd))
    }

    /// The page behind a descriptor made by [`create`](Self::create) in another process.
    pub(crate) fn map(fd: impl AsFd) -> io::Result<Self> {
        Ok(Self(Arc::new(Mapping::map(fd)?)))
    }

    /// The memory of one ring.
    pub(crate) fn ring(&self, way: Way) -> RingMemory {
        RingMemory { page: self.clone(), way }
    }

    /// For the parent: nothing begins from now on, until [`resume`](Self::resume). Returns what has begun.
    pub(crate) fn halt(&self) -> Begun {
        self.begun_by(self.shared().begun.0.fetch_or(HALTED, Ordering::SeqCst))
    }

    pub(crate) fn resume(&self) {
        self.shared().begun.0.fetch_and(!HALTED, Ordering::SeqCst);
    }

    /// For the parent: the worker drops all calls up to number `last` that have not begun. Returns what has begun.
    pub(crate) fn recall(&self, last: u64) -> Begun {
        self.shared().recalled.0.store(last, Ordering::SeqCst);
        self.begun_by(self.shared().begun.0.fetch_or(RECALLED, Ordering::SeqCst))
    }

    /// What has begun last. Final when the worker is dead; of a halted one, too, but for an item that it may just go
    /// on to.
    pub(crate) fn begun(&self) -> Begun {
        self.begun_by(self.shared().begun.0.load(Ordering::SeqCst))
    }

    /// What has begun last, if the word that decides races said so.
    fn begun_by(&self, word: u64) -> Begun {
        Begun::from_word(word).or_later(Begun::from_word(self.shared().gone_on.0.load(Ordering::SeqCst)))
    }

    fn shared(&self) -> &Shared {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn sides() -> (Page, Beginner) {
        let (parents, fd) = Page::create().unwrap();
        (parents, Beginner::new(&Page::map(&fd).unwrap()))
    }

    #[test]
    fn two_mappings_show_the_same_numbers() {
        let (page, mut worker) = sides();
        assert!(page.begun().is(0));
        assert!(worker.begin(7, 3));
        assert!(page.begun().is(7) && page.begun().item == 3 && !page.begun().is(8));
        let far = (1 << 50) + 5;
        assert!(worker.begin(far, 0) && page.begun().is(far) && !page.begun().is(far + 1));
    }

    #[test]
    fn a_halted_worker_begins_nothing_until_it_is_resumed() {
        let (page, mut worker) = sides();
        assert!(worker.begin(7, 3));
        assert!(page.halt().is(7));
        let worker = thread::spawn(move || worker.begin(7, 4));
        for _ in 0..20 {
            thread::sleep(HALT_POLL);
            assert!(!worker.is_finished(), "it waits");
        }
        page.resume();
        assert!(worker.join().unwrap());
        assert_eq!(page.begun().item, 4);
    }

    #[test]
    fn a_worker_goes_on_within_its_call() {
        let (page, mut worker) = sides();
        assert!(worker.begin(7, 3));
        worker.go_on(4);
        worker.go_on(5);
        assert!(page.begun().is(7) && page.begun().item == 5);
        assert!(page.recall(8).item == 5, "what has begun goes on");
        worker.go_on(6);
        worker.go_on(7);
        assert!(page.begun().is(7) && page.begun().item == 7);
        assert!(!worker.begin(8, 0) && worker.begin(9, 0));
        assert!(page.begun().is(9) && page.begun().item == 0, "it is another call's, where it had gone on to");
    }

    #[test]
    fn a_halted_worker_does_not_go_on_until_it_is_resumed() {
        let (page, mut worker) = sides();
        assert!(worker.begin(7, 3));
        worker.go_on(4);
        assert!(page.halt().item == 4);
        let worker = thread::spawn(move || worker.go_on(5));
        for _ in 0..20 {
            thread::sleep(HALT_POLL);
            assert!(!worker.is_finished() && page.begun().item == 4, "it waits");
        }
        page.resume();
        worker.join().unwrap();
        assert_eq!(page.begun().item, 5);
    }

    #[test]
    fn a_recalled_call_is_dropped_unless_it_has_begun() {
        let (page, mut worker) = sides();
        assert!(worker.begin(1, 0));
        assert!(page.recall(3).is(1));
        assert!(worker.begin(1, 1), "what has begun goes on");
        assert!(!worker.begin(2, 0) && !worker.begin(3, 0) && worker.begin(4, 0));
        assert!(page.recall(5).is(4) && page.recall(6).is(4));
        assert!(!worker.begin(5, 0) && !worker.begin(6, 0) && worker.begin(7, 0));
        assert!(page.begun().is(7));
    }

    #[test]
    fn each_call_is_either_begun_or_taken_back() {
        const LAST: u64 = 50_000;
        let (page, mut worker) = sides();
        let working = thread::spawn(move || (1..=LAST).filter(|&call| worker.begin(call, 0)).collect::<HashSet<_>>());
        let mut taken_back = HashSet::new();
        for last in (10..=LAST).step_by(10) {
            taken_back.extend(page.recall(last).call + 1..=last);
        }
        let begun = working.join().unwrap();
        assert!((1..=LAST).all(|call| begun.contains(&call) != taken_back.contains(&call)));
    }
}
