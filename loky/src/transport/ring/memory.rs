//! What a ring needs of the memory that it lies in.

use crate::sync::AtomicU64;

/// The memory of one ring, as both sides see it; all zeroes at first.
pub(crate) trait Memory {
    /// How many words the reader has given back.
    fn read(&self) -> &AtomicU64;

    /// Odd while the reader sleeps. Written seldom, and read often by the other side: a cache line of its own.
    fn reader_sleeps(&self) -> &AtomicU64;

    /// Odd while the writer sleeps, likewise.
    fn writer_sleeps(&self) -> &AtomicU64;

    /// A power of two of them, and at least two lines.
    fn words(&self) -> &[AtomicU64];
}

#[cfg(not(all(loom, test)))]
impl Memory for crate::sys::page::RingMemory {
    fn read(&self) -> &AtomicU64 {
        Self::read(self)
    }

    fn reader_sleeps(&self) -> &AtomicU64 {
        Self::reader_sleeps(self)
    }

    fn writer_sleeps(&self) -> &AtomicU64 {
        Self::writer_sleeps(self)
    }

    fn words(&self) -> &[AtomicU64] {
        Self::words(self)
    }
}

/// A model has atomics of its own, which do not lie in memory that could be mapped.
#[cfg(all(loom, test))]
impl Memory for crate::sys::page::RingMemory {
    fn read(&self) -> &AtomicU64 {
        unreachable!("no model maps memory")
    }

    fn reader_sleeps(&self) -> &AtomicU64 {
        unreachable!("no model maps memory")
    }

    fn writer_sleeps(&self) -> &AtomicU64 {
        unreachable!("no model maps memory")
    }

    fn words(&self) -> &[AtomicU64] {
        unreachable!("no model maps memory")
    }
}
