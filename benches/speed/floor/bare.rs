//! The system calls of the floor, behind safe names: processes that are forked and never start another program, and
//! memory that they share.
//!
//! The only file of this package that says `unsafe`.
#![expect(unsafe_code, reason = "the floor is what bare system calls do, and two of them have no safe form")]

use std::ffi::c_void;
use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut};
use std::num::NonZeroUsize;
use std::os::fd::{AsRawFd, FromRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;

use nix::libc;
use nix::sys::mman::{MapFlags, MmapAdvise, ProtFlags, madvise, mmap, mmap_anonymous, munmap};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, UnixAddr, recvmsg, sendmsg};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork};

/// A copy of this process, killed and collected when this is dropped.
pub(super) struct Forked(Pid);

impl Forked {
    /// The copy does `work` and ends; so it does when this process ends. To be called before there are other threads.
    pub(super) fn begin(work: impl FnOnce()) -> io::Result<Self> {
        // SAFETY: the floor's cells have one thread, so the copy finds no lock held by a thread that it lacks.
        match unsafe { fork() }? {
            ForkResult::Parent { child } => Ok(Self(child)),
            ForkResult::Child => {
                let _ = set_pdeathsig(Signal::SIGKILL);
                work();
                // SAFETY: ends the process at once and touches nothing; what `exit` would do is the parent's business.
                unsafe { libc::_exit(0) }
            }
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.0.as_raw().unsigned_abs()
    }

    /// Waits until the copy has ended by itself.
    pub(super) fn wait(self) -> io::Result<()> {
        waitpid(self.0, None)?;
        std::mem::forget(self);
        Ok(())
    }
}

impl Drop for Forked {
    fn drop(&mut self) {
        let _ = kill(self.0, Signal::SIGKILL);
        let _ = waitpid(self.0, None);
    }
}

/// Zeroed memory that is the same in this process and in all copies of it, present from the beginning.
pub(super) struct Shared {
    start: NonNull<c_void>,
    bytes: NonZeroUsize,
}

impl Shared {
    pub(super) fn new(bytes: usize) -> io::Result<Self> {
        let bytes = NonZeroUsize::new(bytes.next_multiple_of(PAGE)).expect("something is to be shared");
        let flags = MapFlags::MAP_SHARED | MapFlags::MAP_POPULATE;
        // SAFETY: a fresh mapping at an address of the kernel's choice aliases nothing.
        let start = unsafe { mmap_anonymous(None, bytes, ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, flags) }?;
        Ok(Self { start, bytes })
    }

    /// All of it, as numbers that several processes may change at once.
    pub(super) fn words(&self) -> &[AtomicU64] {
        let words = self.bytes.get() / size_of::<AtomicU64>();
        // SAFETY: the mapping is that long, aligned to a page, initialized with zeros, valid for every bit pattern, and
        // lives as long as `self`; whoever else changes it does so atomically or, by `copy_in`, in turns.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr().cast(), words) }
    }

    /// Sleeps unless the word differs from `seen`, until it is rung, or for a moment.
    pub(super) fn sleep(word: &AtomicU64, seen: u64) {
        let moment = libc::timespec { tv_sec: 0, tv_nsec: 10_000_000 };
        // SAFETY: the lower half of a living word, and a time that outlives the call; the kernel writes to neither.
        unsafe { libc::syscall(libc::SYS_futex, half(word), libc::FUTEX_WAIT, seen as u32, &raw const moment) };
    }

    /// Wakes who sleeps at this word.
    pub(super) fn ring(word: &AtomicU64) {
        // SAFETY: the lower half of a living word, which the kernel takes for nothing but a name.
        unsafe { libc::syscall(libc::SYS_futex, half(word), libc::FUTEX_WAKE, 1) };
    }

    /// Plain copying, at the speed of memory, to number `at` and on. The copies have to take turns, by a word of another
    /// `Shared`.
    pub(super) fn copy_in(&self, at: usize, from: &[f64]) {
        assert!(at * size_of::<f64>() + size_of_val(from) <= self.bytes.get(), "it has to fit");
        // SAFETY: both are that long and aligned; nobody reads meanwhile, for whose turn it is is told with
        // release and acquire.
        unsafe { std::ptr::copy_nonoverlapping(from.as_ptr(), self.start.as_ptr().cast::<f64>().add(at), from.len()) }
    }

    /// The way back.
    pub(super) fn copy_out(&self, at: usize, to: &mut [f64]) {
        assert!(at * size_of::<f64>() + size_of_val(to) <= self.bytes.get(), "it has to fit");
        // SAFETY: as in `copy_in`, and every bit pattern is a number.
        unsafe { std::ptr::copy_nonoverlapping(self.start.as_ptr().cast::<f64>().add(at), to.as_mut_ptr(), to.len()) }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // SAFETY: nothing borrowed from it is left, since that would borrow `self`.
        let _ = unsafe { munmap(self.start, self.bytes.get()) };
    }
}

/// Numbers that nobody has touched yet, in pages as large as there are.
pub(super) fn untouched(count: usize) -> Vec<f64> {
    let mut numbers = vec![0.0_f64; count];
    let start = numbers.as_mut_ptr().map_addr(|address| address.next_multiple_of(PAGE));
    let skipped = start.addr() - numbers.as_ptr().addr();
    if let Some(bytes) = size_of_val(&numbers[..]).checked_sub(skipped).filter(|&bytes| bytes >= PAGE) {
        let start = NonNull::new(start).expect("a vector is somewhere").cast();
        // SAFETY: whole pages of the vector alone, of which nothing changes but their size.
        let _ = unsafe { madvise(start, bytes / PAGE * PAGE, MmapAdvise::MADV_HUGEPAGE) };
    }
    numbers
}

/// Numbers of a file, mapped for reading.
pub(super) struct View {
    start: NonNull<c_void>,
    bytes: NonZeroUsize,
}

impl View {
    /// The first `len` numbers, which must be there.
    pub(super) fn map(file: &File, len: usize) -> io::Result<Self> {
        let bytes = NonZeroUsize::new(len * size_of::<f64>()).expect("something is to be mapped");
        // SAFETY: a fresh mapping at an address of the kernel's choice aliases nothing.
        let start = unsafe { mmap(None, bytes, ProtFlags::PROT_READ, MapFlags::MAP_PRIVATE, file, 0) }?;
        Ok(Self { start, bytes })
    }

    pub(super) fn values(&self) -> &[f64] {
        // SAFETY: the mapping is that long, aligned to a page, valid for every bit pattern, lives as long as `self`, and
        // nobody writes to the file any more.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr().cast(), self.bytes.get() / size_of::<f64>()) }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        // SAFETY: nothing borrowed from it is left, since that would borrow `self`.
        let _ = unsafe { munmap(self.start, self.bytes.get()) };
    }
}

/// Passes a file to whoever has the other end.
pub(super) fn send_file(stream: &UnixStream, file: RawFd) -> io::Result<()> {
    let (bytes, files) = ([IoSlice::new(&[1])], [file]);
    let rights = [ControlMessage::ScmRights(&files)];
    sendmsg::<UnixAddr>(stream.as_raw_fd(), &bytes, &rights, MsgFlags::MSG_NOSIGNAL, None)?;
    Ok(())
}

/// Waits for a file that is passed.
pub(super) fn receive_file(stream: &UnixStream) -> io::Result<File> {
    let (mut byte, mut space) = ([0], nix::cmsg_space!(RawFd));
    let mut bytes = [IoSliceMut::new(&mut byte)];
    let message = recvmsg::<UnixAddr>(stream.as_raw_fd(), &mut bytes, Some(&mut space), MsgFlags::MSG_CMSG_CLOEXEC)?;
    let file = message.cmsgs()?.find_map(|control| match control {
        // SAFETY: the kernel has made this descriptor just now, and nobody else has seen its number.
        ControlMessageOwned::ScmRights(files) => Some(unsafe { File::from_raw_fd(*files.first()?) }),
        _ => None,
    });
    file.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// What the kernel compares: the lower half of a word, which comes first.
#[cfg(target_endian = "little")]
fn half(word: &AtomicU64) -> *const u32 {
    word.as_ptr().cast_const().cast()
}

const PAGE: usize = 4096;
