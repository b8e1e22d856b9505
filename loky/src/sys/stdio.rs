//! This program's standard error, without the lock that the standard library puts around it.
//!
//! A user's thread may hold that lock while it waits for a result; whoever brings the result must not wait for it.

use std::io;
use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::write;

/// Whether a write of one page would not block now. An error counts as yes: the write will meet it.
pub(crate) fn is_stderr_writable() -> bool {
    let stderr = io::stderr();
    let mut fds = [PollFd::new(stderr.as_fd(), PollFlags::POLLOUT)];
    !matches!(poll(&mut fds, PollTimeout::ZERO), Ok(0))
}

/// Writes all of it; a program without a standard error has nobody to show it to.
pub(crate) fn write_stderr(mut bytes: &[u8]) {
    let stderr = io::stderr();
    while !bytes.is_empty() {
        match write(&stderr, bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::EINTR) => {}
            Err(_) => return,
        }
    }
}
