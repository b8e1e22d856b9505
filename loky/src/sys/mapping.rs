//! Memory that two processes share: anonymous (no name, no file), and gone with its last mapping, also after a
//! SIGKILL of either side. What lies in it is not known here.

use std::io;
use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::ops::Deref;
use std::os::fd::{AsFd, OwnedFd};
use std::ptr::NonNull;

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use nix::unistd::ftruncate;

/// What may be shared with another process that writes to it at any time.
///
/// # Safety
///
/// It must consist of atomic numbers alone, which are valid whatever their bits are, and need no alignment beyond
/// that of a page.
pub(super) unsafe trait Atomics: Send + Sync {}

/// One side's view of a `T` that is all zeroes at first.
#[derive(Debug)]
pub(super) struct Mapping<T> {
    start: NonNull<T>,
    owns: PhantomData<T>,
}

// SAFETY: the pointer is to a mapping that this value owns, and what lies there is only ever accessed as atomics.
unsafe impl<T: Atomics> Send for Mapping<T> {}
// SAFETY: as above; atomics may be shared.
unsafe impl<T: Atomics> Sync for Mapping<T> {}

impl<T: Atomics> Mapping<T> {
    const LEN: NonZeroUsize = NonZeroUsize::new(size_of::<T>()).expect("something is shared");

    /// New memory, and the descriptor by which another process can map it.
    pub(super) fn create() -> io::Result<(Self, OwnedFd)> {
        let fd = memfd_create(c"loky", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?;
        ftruncate(&fd, Self::LEN.get() as i64)?;
        // Were the file to shrink under a mapping, reading there would kill the reader.
        fcntl(&fd, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_SEAL))?;
        Ok((Self::map(&fd)?, fd))
    }

    /// The memory behind a descriptor made by [`create`](Self::create) in another process.
    pub(super) fn map(fd: impl AsFd) -> io::Result<Self> {
        Self::map_with(fd, MapFlags::empty())
    }

    pub(super) fn map_with(fd: impl AsFd, flags: MapFlags) -> io::Result<Self> {
        let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: the kernel chooses the address, so no other mapping is touched; the length is not zero.
        let start = unsafe { mmap(None, Self::LEN, access, MapFlags::MAP_SHARED | flags, fd, 0) }?;
        Ok(Self { start: start.cast(), owns: PhantomData })
    }
}

impl<T> Mapping<T> {
    /// Where it lies, as long as this value lives.
    pub(super) const fn start(&self) -> *const T {
        self.start.as_ptr()
    }
}

impl<T: Atomics> Deref for Mapping<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the mapping lasts as long as this value, has this length, is aligned to a page, and is zeroed or
        // written through atomics; whatever it holds is a valid `T`, see `Atomics`.
        unsafe { self.start.as_ref() }
    }
}

impl<T> Drop for Mapping<T> {
    fn drop(&mut self) {
        // SAFETY: this value has owned the mapping with this length, and nothing borrowed from it outlives it.
        let unmapped = unsafe { munmap(self.start.cast(), size_of::<T>()) };
        debug_assert!(unmapped.is_ok(), "our own mapping can be unmapped");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[repr(transparent)]
    struct Number(AtomicU64);

    // SAFETY: it is an atomic number.
    unsafe impl Atomics for Number {}

    #[test]
    fn two_mappings_are_one_memory() {
        let (one, fd) = Mapping::<Number>::create().unwrap();
        let other = Mapping::<Number>::map(&fd).unwrap();
        assert_eq!(other.0.load(Ordering::SeqCst), 0);
        one.0.store(7, Ordering::SeqCst);
        assert_eq!(other.0.load(Ordering::SeqCst), 7);
        assert!(ftruncate(&fd, 0).is_err(), "it cannot shrink under us");
    }
}
