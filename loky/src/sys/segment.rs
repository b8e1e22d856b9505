//! Memory that is filled once and then changes no more, in whichever process: sealed by the kernel, and mapped for
//! reading. It has no name, and is gone with its last descriptor and mapping. Whose it is, is not known here.
//!
//! Also files that are mapped for reading; those the kernel seals against nobody.

use std::fs::File;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::ops::Deref;
use std::os::fd::{AsFd, OwnedFd};
use std::ptr::NonNull;
use std::slice;

use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, FcntlArg, SealFlag, fallocate, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, MmapAdvise, ProtFlags, madvise, mmap, mmap_anonymous, munmap};
use nix::sys::stat::{SFlag, fstat};

/// Bytes that are mapped for reading, aligned to a page.
#[derive(Debug)]
pub(crate) struct View {
    start: NonNull<u8>,
    len: NonZeroUsize,
}

/// Bytes that are mapped for writing, all zero at first.
struct Canvas {
    start: NonNull<u8>,
    len: NonZeroUsize,
}

// SAFETY: the pointer is to a mapping that this value owns, and what lies there is only ever read.
unsafe impl Send for View {}
// SAFETY: as above.
unsafe impl Sync for View {}

/// Whoever wants less is not worth the question.
const ASKED_FOR_MIN: usize = 1 << 20;

/// In what `st_blocks` counts.
const BLOCK: usize = 512;

/// Sealed memory with these bytes.
pub(crate) fn sealed(bytes: &[u8]) -> io::Result<OwnedFd> {
    let mut file = File::from(anonymous()?);
    // Written and not mapped: pages that are written as a whole need not be zeroed before.
    file.write_all(bytes)?;
    seal(file.into())
}

/// Sealed memory that `fill` fills, which finds zeroes.
pub(crate) fn sealed_with(len: NonZeroUsize, fill: impl FnOnce(&mut [u8])) -> io::Result<OwnedFd> {
    refuse_too_much(len)?;
    let fd = anonymous()?;
    let all = i64::try_from(len.get()).map_err(|_| io::ErrorKind::OutOfMemory)?;
    // At once: memory that is missing is an error here, and would be a signal where it is written to.
    fallocate(&fd, FallocateFlags::empty(), 0, all)?;
    let mut canvas = Canvas::map(&fd, len)?;
    fill(canvas.bytes());
    drop(canvas);
    seal(fd)
}

/// An error if the kernel would not give this process so many bytes of its own: more than there are in the machine, or than
/// it may map. Memory without a name it gives to whoever asks, as long as there is any, and then kills somebody.
fn refuse_too_much(len: NonZeroUsize) -> io::Result<()> {
    if len.get() < ASKED_FOR_MIN {
        return Ok(());
    }
    let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: the kernel chooses the address, so no other mapping is touched; the length is not zero.
    let start = unsafe { mmap_anonymous(None, len, access, MapFlags::MAP_PRIVATE) }?;
    // SAFETY: it was mapped just now, with this length, and nobody has seen it.
    Ok(unsafe { munmap(start, len.get()) }?)
}

fn anonymous() -> io::Result<OwnedFd> {
    Ok(memfd_create(c"loky shared", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?)
}

/// An error if anybody could still write.
fn seal(fd: OwnedFd) -> io::Result<OwnedFd> {
    fcntl(&fd, FcntlArg::F_ADD_SEALS(seals() | SealFlag::F_SEAL_SEAL))?;
    Ok(fd)
}

/// What it takes for the bytes to stay as they are.
fn seals() -> SealFlag {
    SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_WRITE
}

/// Whether `fd`, which came from somebody who may lie, is sealed memory of just this length. All of it must be there:
/// else it would be made where it is read, and would count as the reader's.
pub(crate) fn is_sealed(fd: impl AsFd, len: u64) -> bool {
    let is_sealed =
        fcntl(&fd, FcntlArg::F_GET_SEALS).is_ok_and(|set| SealFlag::from_bits_retain(set).contains(seals()));
    let is_so_long = || {
        let Ok(stat) = fstat(&fd) else { return false };
        let is_there = u64::try_from(stat.st_blocks).is_ok_and(|blocks| blocks.saturating_mul(BLOCK as u64) >= len);
        u64::try_from(stat.st_size) == Ok(len) && is_there
    };
    is_sealed && is_so_long()
}

/// The length of a regular file; an error if it is something else.
pub(crate) fn file_len(fd: impl AsFd) -> io::Result<u64> {
    let stat = fstat(fd)?;
    let is_file = SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT == SFlag::S_IFREG;
    let len = u64::try_from(stat.st_size).ok().filter(|_| is_file);
    len.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"))
}

/// Whether the system has refused something because this process, or all together, have too much already.
pub(crate) fn is_for_want(why: &io::Error) -> bool {
    let errno = why.raw_os_error().map(Errno::from_raw);
    matches!(errno, Some(Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM | Errno::ENOSPC))
}

impl View {
    /// The first `len` bytes of sealed memory, or of a file that nobody changes; the caller has found out which of
    /// both it is, and that it is so long.
    pub(crate) fn map(fd: impl AsFd, len: NonZeroUsize) -> io::Result<Self> {
        // Private, since some kernels refuse to share what is sealed. Nobody writes, so the pages are shared anyhow.
        // SAFETY: the kernel chooses the address, so no other mapping is touched; the length is not zero.
        let start = unsafe { mmap(None, len, ProtFlags::PROT_READ, MapFlags::MAP_PRIVATE, fd, 0) }?;
        Ok(Self { start: start.cast(), len })
    }
}

impl Deref for View {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        // SAFETY: the mapping lasts as long as this value and has this length. What lies there was filled before, and
        // is changed by nobody: it is sealed, or a file of which the user has promised that.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.len.get()) }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        // SAFETY: this value has owned the mapping with this length, and nothing borrowed from it outlives it.
        let unmapped = unsafe { munmap(self.start.cast(), self.len.get()) };
        debug_assert!(unmapped.is_ok(), "our own mapping can be unmapped");
    }
}

impl Canvas {
    fn map(fd: &OwnedFd, len: NonZeroUsize) -> io::Result<Self> {
        let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: the kernel chooses the address, so no other mapping is touched; the length is not zero.
        let start = unsafe { mmap(None, len, access, MapFlags::MAP_SHARED, fd, 0) }?;
        let canvas = Self { start: start.cast(), len };
        // A child that is forked meanwhile would keep its copy, and nothing can be sealed that somebody could write to.
        // SAFETY: the mapping is ours; whether a child inherits it changes nothing here.
        unsafe { madvise(start, len.get(), MmapAdvise::MADV_DONTFORK) }?;
        Ok(canvas)
    }

    fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: the mapping lasts as long as this value, has this length, is zeroed, and nobody else has it.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.len.get()) }
    }
}

impl Drop for Canvas {
    fn drop(&mut self) {
        // SAFETY: this value has owned the mapping with this length, and nothing borrowed from it outlives it.
        let unmapped = unsafe { munmap(self.start.cast(), self.len.get()) };
        debug_assert!(unmapped.is_ok(), "our own mapping can be unmapped");
    }
}

#[cfg(test)]
mod tests {
    use nix::unistd::{ftruncate, write};

    use super::*;

    fn len(len: usize) -> NonZeroUsize {
        NonZeroUsize::new(len).unwrap()
    }

    #[test]
    fn what_was_sealed_is_read_and_never_written_again() {
        let filled = [sealed(b"abc").unwrap(), sealed_with(len(3), |bytes| bytes.copy_from_slice(b"abc")).unwrap()];
        for fd in filled {
            assert!(is_sealed(&fd, 3) && !is_sealed(&fd, 2) && !is_sealed(&fd, 4));
            let view = View::map(&fd, len(3)).unwrap();
            assert!(&view[..] == b"abc" && view.as_ptr().addr() % 64 == 0);
            assert!(write(&fd, b"x").is_err() && ftruncate(&fd, 0).is_err() && ftruncate(&fd, 9).is_err());
            assert!(
                fallocate(&fd, FallocateFlags::FALLOC_FL_PUNCH_HOLE | FallocateFlags::FALLOC_FL_KEEP_SIZE, 0, 3)
                    .is_err()
            );
            assert!(Canvas::map(&fd, len(3)).is_err());
            assert_eq!(&view[..], b"abc");
        }
    }

    #[test]
    fn what_is_not_sealed_or_not_there_is_not_believed() {
        let open = anonymous().unwrap();
        write(&open, b"abc").unwrap();
        assert!(!is_sealed(&open, 3));
        fcntl(&open, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW)).unwrap();
        assert!(!is_sealed(&open, 3), "it can still be written to");
        let hollow = anonymous().unwrap();
        ftruncate(&hollow, 1 << 20).unwrap();
        assert!(!is_sealed(seal(hollow).unwrap(), 1 << 20), "no byte of it is there");
        let file = File::open("/proc/self/exe").unwrap();
        assert!(!is_sealed(&file, file_len(&file).unwrap()));
        assert!(file_len(File::open("/").unwrap()).is_err());
    }

    #[test]
    fn more_than_there_can_be_is_refused_before_anything_is_taken() {
        for bytes in [usize::MAX, 1 << 62, 1 << 46] {
            assert!(sealed_with(len(bytes), |_| panic!("nothing is there to be filled")).is_err(), "{bytes}");
        }
    }

    #[test]
    fn what_somebody_could_write_to_cannot_be_sealed() {
        let fd = anonymous().unwrap();
        fallocate(&fd, FallocateFlags::empty(), 0, 3).unwrap();
        let canvas = Canvas::map(&fd, len(3)).unwrap();
        assert!(seal(fd).is_err());
        drop(canvas);
    }
}
