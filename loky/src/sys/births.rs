//! One number that the kernel writes while it makes a process: a page of memory that two processes share.
//!
//! Whoever asked for the process reads there that it has been made, even if who made it was killed in the same moment
//! and has told nobody. The page is anonymous and goes with its last mapping.

use std::io;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicI32, Ordering};

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use nix::unistd::ftruncate;

const LEN: NonZeroUsize = NonZeroUsize::new(4096).expect("a page is not empty");

/// One side's view of the number.
#[derive(Debug)]
pub(crate) struct Births(NonNull<AtomicI32>);

// SAFETY: the pointer is to a mapping that this value owns, and what lies there is only ever accessed as an atomic.
unsafe impl Send for Births {}

impl Births {
    /// A new page, and the descriptor by which another process can map it.
    pub(crate) fn create() -> io::Result<(Self, OwnedFd)> {
        let fd = memfd_create(c"loky-births", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?;
        ftruncate(&fd, LEN.get() as i64)?;
        // Were the file to shrink under a mapping, reading there would kill the reader.
        fcntl(&fd, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_SEAL))?;
        Ok((Self::map(&fd)?, fd))
    }

    /// The page behind a descriptor made by [`create`](Self::create) in another process.
    pub(crate) fn map(fd: impl AsFd) -> io::Result<Self> {
        // Mapped for good: the kernel must not have to look for the page while it makes a process.
        let flags = MapFlags::MAP_SHARED | MapFlags::MAP_POPULATE;
        // SAFETY: the kernel chooses the address, so no other mapping is touched; the length is not zero.
        let start = unsafe { mmap(None, LEN, ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, flags, fd, 0) }?;
        Ok(Self(start.cast()))
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
        self.0.as_ptr()
    }

    fn number(&self) -> &AtomicI32 {
        // SAFETY: the mapping is as long as this value lives, aligned to a page, and zeroed or written as a number of
        // this size; any bit pattern is a valid number.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for Births {
    fn drop(&mut self) {
        // SAFETY: this value made the mapping with this length, and nothing borrowed from it outlives it.
        let unmapped = unsafe { munmap(self.0.cast(), LEN.get()) };
        debug_assert!(unmapped.is_ok(), "our own mapping can be unmapped");
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
