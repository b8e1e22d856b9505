//! Bytes over a socket without a signal and without waiting, and descriptors along with them.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, UnixAddr, recvmsg, send, sendmsg};

/// Writes some of `bytes`. A reader that is gone is an error here, never a SIGPIPE, whatever the program does with
/// that signal.
pub(crate) fn write_some(stream: &UnixStream, bytes: &[u8]) -> io::Result<usize> {
    Ok(send(stream.as_raw_fd(), bytes, MsgFlags::MSG_NOSIGNAL)?)
}

/// Sends one byte that carries `fds`. For the first message on a link, which always fits.
pub(crate) fn send_descriptors<const N: usize>(stream: &UnixStream, fds: [BorrowedFd<'_>; N]) -> io::Result<()> {
    let fds = fds.map(|fd| fd.as_raw_fd());
    let bytes = [IoSlice::new(&[0])];
    let rights = [ControlMessage::ScmRights(&fds)];
    sendmsg::<UnixAddr>(stream.as_raw_fd(), &bytes, &rights, MsgFlags::MSG_NOSIGNAL, None)?;
    Ok(())
}

/// Receives what [`send_descriptors`] sent; blocks until it is there.
pub(crate) fn receive_descriptors<const N: usize>(stream: &UnixStream) -> io::Result<[OwnedFd; N]> {
    let mut byte = [0];
    let mut bytes = [IoSliceMut::new(&mut byte)];
    let mut space = nix::cmsg_space!([std::os::fd::RawFd; N]);
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let message = recvmsg::<UnixAddr>(stream.as_raw_fd(), &mut bytes, Some(&mut space), flags)?;
    for control in message.cmsgs()? {
        let ControlMessageOwned::ScmRights(fds) = control else { continue };
        // SAFETY: the kernel has just made these descriptors for us, and nobody else has seen their numbers.
        let fds: Vec<_> = fds.into_iter().map(|fd| unsafe { OwnedFd::from_raw_fd(fd) }).collect();
        if let Ok(fds) = fds.try_into() {
            return Ok(fds);
        }
    }
    Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the first message does not carry what it should"))
}

/// Makes reads from a pipe of ours return at once when there is nothing.
pub(crate) fn set_nonblocking(pipe: impl AsFd) -> io::Result<()> {
    let flags = OFlag::from_bits_retain(fcntl(&pipe, FcntlArg::F_GETFL)?);
    fcntl(&pipe, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(())
}
