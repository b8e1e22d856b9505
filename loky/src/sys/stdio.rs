//! This program's standard output and standard error, without the locks that the standard library puts around them.
//!
//! A user's thread may hold such a lock while it waits for a result; whoever brings the result must not wait for it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::unistd::write;

/// One of the two streams that a program writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Output,
    Error,
}

/// Both, each in the place of its number.
pub(crate) const STREAMS: [Stream; 2] = [Stream::Output, Stream::Error];

/// Whether a write of one page would not block now. An error counts as yes: the write will meet it.
pub(crate) fn is_writable(stream: Stream) -> bool {
    with_fd(stream, |fd| {
        let mut fds = [PollFd::new(fd, PollFlags::POLLOUT)];
        !matches!(poll(&mut fds, PollTimeout::ZERO), Ok(0))
    })
}

/// Whether there may be somebody who reads what is written.
pub(crate) fn has_reader(stream: Stream) -> bool {
    with_fd(stream, |fd| {
        let mut fds = [PollFd::new(fd, PollFlags::POLLOUT)];
        let _ = poll(&mut fds, PollTimeout::ZERO);
        !fds[0].revents().is_some_and(|events| events.contains(PollFlags::POLLERR))
    })
}

/// Writes all of it; a program without such a stream has nobody to show it to. If the reader is gone, that is no
/// SIGPIPE, whatever the program does with that signal.
pub(crate) fn write_all(stream: Stream, mut bytes: &[u8]) {
    let quiet = Quiet::begin();
    with_fd(stream, |fd| {
        while !bytes.is_empty() {
            match write(fd, bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(Errno::EINTR) => {}
                Err(Errno::EPIPE) => return quiet.take_signal(),
                Err(_) => return,
            }
        }
    });
}

/// SIGPIPE waits, on this thread.
struct Quiet {
    before: SigSet,
    /// Whether there was one that waits for the program.
    was_pending: bool,
}

impl Quiet {
    fn begin() -> Self {
        let pipe = SigSet::from(Signal::SIGPIPE);
        // Neither fails with such arguments.
        let before = pipe.thread_swap_mask(SigmaskHow::SIG_BLOCK).unwrap_or_else(|_| SigSet::empty());
        Self { before, was_pending: is_pending(Signal::SIGPIPE) }
    }

    /// A write has failed: the signal that came with it is taken away.
    fn take_signal(&self) {
        if !self.was_pending {
            let (pipe, at_once) = (SigSet::from(Signal::SIGPIPE), libc::timespec { tv_sec: 0, tv_nsec: 0 });
            // SAFETY: both are variables of this function, and what the signal says is not asked for.
            unsafe { libc::sigtimedwait(pipe.as_ref(), std::ptr::null_mut(), &raw const at_once) };
        }
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = self.before.thread_set_mask();
    }
}

fn is_pending(signal: Signal) -> bool {
    // SAFETY: all zeroes is a set, and the kernel writes to a variable of this function.
    unsafe {
        let mut pending: libc::sigset_t = std::mem::zeroed();
        libc::sigpending(&raw mut pending) == 0 && libc::sigismember(&raw const pending, signal as i32) == 1
    }
}

// SAFETY: this is how the C library declares it; it is set before any code of this program runs, and never changed.
unsafe extern "C" {
    #[link_name = "stdout"]
    static C_OUTPUT: *mut libc::FILE;
    fn __fpending(stream: *mut libc::FILE) -> libc::size_t;
}

/// Writes out what C code in this process has printed and its library still holds back.
pub(crate) fn flush_c() {
    // SAFETY: the stream exists as long as the process; whoever writes or flushes is locked by the library. The question is
    // not, so what another thread prints at this moment may be missed, as if it came a moment later. Not all streams at once (a null pointer):
    // a thread that waits for input holds the lock of its stream, maybe for ever.
    unsafe {
        // To ask costs a look, to flush costs a lock.
        if __fpending(C_OUTPUT) > 0 {
            libc::fflush(C_OUTPUT);
        }
    }
}

fn with_fd<T>(stream: Stream, act: impl FnOnce(BorrowedFd<'_>) -> T) -> T {
    match stream {
        Stream::Output => act(io::stdout().as_fd()),
        Stream::Error => act(io::stderr().as_fd()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_c_code_has_printed_is_written_out() {
        // SAFETY: the stream exists as long as the process, the text ends with a zero, and the question changes nothing.
        let held_back = unsafe {
            libc::fputs(c"no line".as_ptr(), C_OUTPUT);
            __fpending(C_OUTPUT)
        };
        flush_c();
        // SAFETY: as above.
        assert_eq!((held_back, unsafe { __fpending(C_OUTPUT) }), (7, 0));
    }
}
