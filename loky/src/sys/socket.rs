//! Bytes over a socket without a signal and without waiting, and descriptors along with them.

use std::io::{self, IoSlice, IoSliceMut, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, UnixAddr, recvmsg, send, sendmsg};

/// Writes some of `bytes`. A reader that is gone is an error here, never a SIGPIPE, whatever the program does with
/// that signal.
pub(crate) fn write_some(stream: &UnixStream, bytes: &[u8]) -> io::Result<usize> {
    Ok(send(stream.as_raw_fd(), bytes, MsgFlags::MSG_NOSIGNAL)?)
}

/// Sends `words`, which carry `fds`. For the first message on a link: never blocks, and it is an error if it does not
/// fit.
pub(crate) fn send_first<const N: usize>(
    stream: &UnixStream,
    words: &[u8],
    fds: [BorrowedFd<'_>; N],
) -> io::Result<()> {
    let fds = fds.map(|fd| fd.as_raw_fd());
    let len = u32::try_from(words.len()).map_err(|_| io::ErrorKind::InvalidInput)?.to_le_bytes();
    let rights = [ControlMessage::ScmRights(&fds)];
    let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
    let bytes = [IoSlice::new(&len), IoSlice::new(words)];
    let sent = sendmsg::<UnixAddr>(stream.as_raw_fd(), &bytes, &rights, flags, None)?;
    if sent == len.len() + words.len() {
        Ok(())
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "what is to be told to a worker is too long"))
    }
}

/// Receives what [`send_first`] sent; blocks until it is there. `None`: the other end is gone.
pub(crate) fn receive_first<const N: usize>(stream: &UnixStream) -> io::Result<Option<(Vec<u8>, [OwnedFd; N])>> {
    let mut len = [0; 4];
    let mut bytes = [IoSliceMut::new(&mut len)];
    let mut space = nix::cmsg_space!([std::os::fd::RawFd; N]);
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let message = recvmsg::<UnixAddr>(stream.as_raw_fd(), &mut bytes, Some(&mut space), flags)?;
    if message.bytes == 0 {
        return Ok(None);
    }
    let mut received = Vec::new();
    for control in message.cmsgs()? {
        let ControlMessageOwned::ScmRights(fds) = control else { continue };
        // SAFETY: the kernel has just made these descriptors for us, and nobody else has seen their numbers.
        received.extend(fds.into_iter().map(|fd| unsafe { OwnedFd::from_raw_fd(fd) }));
    }
    let wrong = || io::Error::new(io::ErrorKind::InvalidData, "the first message does not carry what it should");
    let fds = received.try_into().map_err(|_| wrong())?;
    let mut words = Vec::new();
    let len = u64::from(u32::from_le_bytes(len));
    let read = stream.take(len).read_to_end(&mut words)?;
    if read as u64 == len { Ok(Some((words, fds))) } else { Err(wrong()) }
}

/// Makes reads from a pipe of ours return at once when there is nothing.
pub(crate) fn set_nonblocking(pipe: impl AsFd) -> io::Result<()> {
    let flags = OFlag::from_bits_retain(fcntl(&pipe, FcntlArg::F_GETFL)?);
    fcntl(&pipe, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn the_first_words_bring_descriptors_and_end_where_they_end() {
        let (one, other) = UnixStream::pair().unwrap();
        send_first(&one, b"words", [one.as_fd(), other.as_fd()]).unwrap();
        write_some(&one, b"more").unwrap();
        let (words, fds) = receive_first::<2>(&other).unwrap().unwrap();
        assert_eq!(words, b"words");
        let mut more = [0; 4];
        (&other).read_exact(&mut more).unwrap();
        assert_eq!(&more, b"more");
        drop((one, fds));
        assert!(receive_first::<2>(&other).unwrap().is_none(), "the end is no message");
    }

    #[test]
    fn first_words_that_do_not_fit_are_refused_and_wait_for_nobody() {
        let (one, _other) = UnixStream::pair().unwrap();
        assert!(send_first(&one, &vec![0; 10 << 20], [one.as_fd()]).is_err());
    }
}
