//! One number that the kernel writes while it makes a process: a page of memory that two processes share.
//!
//! Whoever asked for the process reads there that it has been made, even if who made it was killed in the same moment
//! and has told nobody.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicI32, Ordering};

use nix::sys::mman::MapFlags;

use super::mapping::{Atomics, Mapping};

/// One side's view of the number.
#[derive(Debug)]
pub(crate) struct Births(Mapping<Number>);

#[repr(transparent)]
#[derive(Debug)]
struct Number(AtomicI32);

// SAFETY: it is an atomic number.
unsafe impl Atomics for Number {}

impl Births {
    /// A new page, and the descriptor by which another process can map it.
    pub(crate) fn create() -> io::Result<(Self, OwnedFd)> {
        let (mapping, fd) = Mapping::create()?;
        Ok((Self(mapping), fd))
    }

    /// The page behind a descriptor made by [`create`](Self::create) in another process.
    pub(crate) fn map(fd: impl AsFd) -> io::Result<Self> {
        // At once: the kernel must not have to look for the page while it makes a process.
        Ok(Self(Mapping::map_with(fd, MapFlags::MAP_POPULATE)?))
    }

    /// Which process was made last and not [told](Self::forget) yet.
    pub(crate) fn last(&self) -> Option<u32> {
        u32::try_from(self.number().load(Ordering::SeqCst)).ok().filter(|&pid| pid > 0)
    }

    /// The last birth has been told.
    pub(crate) fn forget(&self) {
        self.number().store(0, Ordering::SeqCst);
    }

    /// What the kernel would write.
    #[cfg(test)]
    pub(crate) fn note(&self, pid: i32) {
        self.number().store(pid, Ordering::SeqCst);
    }

    /// Where the kernel shall write.
    pub(super) fn place(&self) -> *const AtomicI32 {
        self.0.start().cast()
    }

    fn number(&self) -> &AtomicI32 {
        &self.0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_birth_is_seen_on_the_other_side_until_it_is_told() {
        let (births, fd) = Births::create().unwrap();
        let other = Births::map(&fd).unwrap();
        assert_eq!(other.last(), None);
        births.note(77);
        assert_eq!(other.last(), Some(77));
        births.forget();
        assert_eq!(other.last(), None);
    }
}
