//! A page of memory that a worker and its parent share: a few numbers, each written by one side.
//!
//! Whatever happens to the worker, the parent can still read what it wrote last. The page is anonymous (no name, no
//! file) and goes with its last mapping, also after a SIGKILL of either side.

use std::io;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use nix::unistd::ftruncate;

const LEN: NonZeroUsize = NonZeroUsize::new(4096).expect("a page is not empty");

/// One side's view of the page.
#[derive(Debug)]
pub(crate) struct Page(NonNull<Numbers>);

/// Lies at the start of the page; all zeroes at first.
#[repr(C)]
#[derive(Debug)]
struct Numbers {
    call: AtomicU64,
    item: AtomicU64,
}

// SAFETY: the pointer is to a mapping that this value owns, and what lies there is only ever accessed as atomics.
unsafe impl Send for Page {}
// SAFETY: as above; atomics may be shared.
unsafe impl Sync for Page {}

impl Page {
    /// A new page, and the descriptor by which another process can map it.
    pub(crate) fn create() -> io::Result<(Self, OwnedFd)> {
        let fd = memfd_create(c"loky", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?;
        ftruncate(&fd, LEN.get() as i64)?;
        // Were the file to shrink under a mapping, reading there would kill the reader.
        fcntl(&fd, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_SEAL))?;
        Ok((Self::map(&fd)?, fd))
    }

    /// The page behind a descriptor made by [`create`](Self::create) in another process.
    pub(crate) fn map(fd: impl AsFd) -> io::Result<Self> {
        let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: the kernel chooses the address, so no other mapping is touched; the length is not zero.
        let start = unsafe { mmap(None, LEN, access, MapFlags::MAP_SHARED, fd, 0) }?;
        Ok(Self(start.cast()))
    }

    /// Says that item `item` of call `call` begins now.
    pub(crate) fn begin(&self, call: u64, item: u64) {
        self.numbers().item.store(item, Ordering::Relaxed);
        self.numbers().call.store(call, Ordering::Release);
    }

    /// Which item of which call was begun last; zero calls if none was. Exact once the other side has died.
    pub(crate) fn begun(&self) -> (u64, u64) {
        let call = self.numbers().call.load(Ordering::Acquire);
        (call, self.numbers().item.load(Ordering::Relaxed))
    }

    fn numbers(&self) -> &Numbers {
        // SAFETY: the mapping is as long as this value lives, at least a page long, aligned to a page, and zeroed or
        // written through these same atomics; any bit pattern is a valid number.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for Page {
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
    fn two_mappings_show_the_same_numbers() {
        let (page, fd) = Page::create().unwrap();
        let other = Page::map(&fd).unwrap();
        assert_eq!(other.begun(), (0, 0));
        page.begin(7, 3);
        assert_eq!(other.begun(), (7, 3));
    }
}
