//! A page of memory that a worker and its parent share: a few numbers, each written by one side.
//!
//! Whatever happens to the worker, the parent can still read what it wrote last. The page is anonymous (no name, no
//! file) and goes with its last mapping, also after a SIGKILL of either side.

use std::io;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use nix::unistd::ftruncate;

const LEN: NonZeroUsize = NonZeroUsize::new(4096).expect("a page is not empty");

/// How often a halted worker looks whether it may go on; as a rule it is killed before.
const HALT_POLL: Duration = Duration::from_micros(100);

/// One side's view of the page.
#[derive(Debug)]
pub(crate) struct Page(NonNull<Numbers>);

/// Lies at the start of the page; all zeroes at first.
#[repr(C)]
#[derive(Debug)]
struct Numbers {
    /// Written by the worker: what it has begun last.
    call: AtomicU64,
    item: AtomicU64,
    /// Written by the parent: the worker may begin nothing while this is not zero.
    halt: AtomicU64,
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

    /// For the worker: item `item` of call `call` begins now. Waits while the other side has said [`halt`](Self::halt).
    pub(crate) fn begin(&self, call: u64, item: u64) {
        loop {
            let before = self.begun();
            self.set_begun((call, item));
            if self.numbers().halt.load(Ordering::SeqCst) == 0 {
                return;
            }
            self.set_begun(before);
            while self.numbers().halt.load(Ordering::SeqCst) != 0 {
                thread::sleep(HALT_POLL);
            }
        }
    }

    /// For the parent: nothing begins from now on. What [`begun`](Self::begun) says next is final, until
    /// [`resume`](Self::resume).
    ///
    /// Each side first writes its own number and then reads the other's, all in one order for both. So either the
    /// worker sees the halt and takes its word back, or the parent sees what has begun.
    pub(crate) fn halt(&self) {
        self.numbers().halt.store(1, Ordering::SeqCst);
    }

    pub(crate) fn resume(&self) {
        self.numbers().halt.store(0, Ordering::SeqCst);
    }

    /// Which item of which call was begun last; zero calls if none was. Final when the worker is halted or dead, but
    /// for a word that a halted worker is about to take back.
    pub(crate) fn begun(&self) -> (u64, u64) {
        let call = self.numbers().call.load(Ordering::SeqCst);
        (call, self.numbers().item.load(Ordering::SeqCst))
    }

    fn set_begun(&self, (call, item): (u64, u64)) {
        self.numbers().item.store(item, Ordering::SeqCst);
        self.numbers().call.store(call, Ordering::SeqCst);
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

    #[test]
    fn a_halted_worker_begins_nothing_until_it_is_resumed() {
        let (parents, fd) = Page::create().unwrap();
        let workers = Page::map(&fd).unwrap();
        workers.begin(7, 3);
        parents.halt();
        let worker = thread::spawn(move || workers.begin(7, 4));
        for _ in 0..20 {
            thread::sleep(HALT_POLL);
            assert!(!worker.is_finished(), "it waits");
        }
        parents.resume();
        worker.join().unwrap();
        assert_eq!(parents.begun(), (7, 4));
    }
}
