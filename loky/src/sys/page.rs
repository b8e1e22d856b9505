//! Memory that a worker and its parent share: what the worker has begun (`race`), how far its task says that it has come
//! (`progress`), what its parent wants it to know (`wishes`, `wanted`), and rings.
//!
//! Whatever happens to the worker, the parent can still read what it wrote last. What a ring is, is not known here.

#[cfg(any(test, fuzzing))]
mod bare;
mod progress;
mod race;
#[cfg(feature = "tracing")]
mod wanted;
mod wishes;

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use self::progress::Told;
pub(crate) use self::progress::{Advance, TEXT_MAX};
use self::race::{AtomicU64, Line, Race, Side};
pub(crate) use self::race::{Begun, ITEMS_MAX};
#[cfg(feature = "tracing")]
pub(crate) use self::wanted::SITES_MAX;
#[cfg(feature = "tracing")]
use self::wanted::Wanted;
use self::wishes::Wishes;
use super::mapping::{Atomics, Mapping};

/// How many words each ring has: a power of two. 1 MiB, of which only what is used becomes memory.
const RING_WORDS: usize = 1 << 17;

/// One each way, and one for what a worker says beside its answers.
const RINGS: usize = if cfg!(feature = "tracing") { 3 } else { 2 };

/// The worker's side of the word that says what has begun.
pub(crate) type Beginner = race::Beginner<Page>;

/// One side's view of the memory. A clone is the same mapping.
#[derive(Clone, Debug)]
pub(crate) struct Page(Arc<Mapping<Shared>>);

/// All zeroes at first.
#[repr(C)]
#[derive(Debug)]
struct Shared {
    race: Race,
    wishes: Wishes,
    told: Told,
    #[cfg(feature = "tracing")]
    wanted: Wanted,
    signs: [Signs; RINGS],
    rings: [[AtomicU64; RING_WORDS]; RINGS],
}

/// The numbers of one ring, each on cache lines of its own: processors fetch them by twos.
#[repr(C)]
#[derive(Debug)]
struct Signs {
    read: Line,
    reader_sleeps: Line,
    writer_sleeps: Line,
}

/// Which way a ring goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    ToWorker,
    FromWorker,
    /// What its tasks log.
    #[cfg(feature = "tracing")]
    Notes,
}

/// One of the rings.
#[derive(Clone, Debug)]
pub(crate) struct RingMemory {
    page: Page,
    way: Way,
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
        self.race().halt()
    }

    pub(crate) fn resume(&self) {
        self.race().resume();
    }

    /// For the parent: the worker drops all calls up to number `last` that have not begun. Returns what has begun.
    pub(crate) fn recall(&self, last: u64) -> Begun {
        self.race().recall(last)
    }

    /// What has begun last. Final when the worker is dead; of a halted one, too, but for an item that it may just go
    /// on to.
    pub(crate) fn begun(&self) -> Begun {
        self.race().begun()
    }

    fn shared(&self) -> &Shared {
        &self.0
    }
}

impl Side for Page {
    fn race(&self) -> &Race {
        &self.shared().race
    }

    fn runs(&self, call: u64) {
        self.shared().wishes.run(call);
    }
}
