//! Bytes over a socket without a signal and without waiting, and descriptors along with them.

use std::io::{self, IoSlice, IoSliceMut, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc;
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
    let len = u32::from_le_bytes(len);
    // Room for all at once, unless it is long beyond reason: then it is read piece by piece.
    let mut words = Vec::with_capacity((len as usize).min(PIECE));
    let read = stream.take(len.into()).read_to_end(&mut words)?;
    if read == len as usize { Ok(Some((words, fds))) } else { Err(wrong()) }
}

/// First words are shorter, as a rule.
const PIECE: usize = 4 << 10;

/// Sends one descriptor, with a byte that is no bell. Waits for room if the stream blocks. `false`: there is no room
/// now, in the stream or because too many descriptors of this user are on their way.
pub(crate) fn send_descriptor(stream: &UnixStream, fd: BorrowedFd<'_>) -> io::Result<bool> {
    let fds = [fd.as_raw_fd()];
    let (bytes, rights) = ([IoSlice::new(&[DESCRIPTOR])], [ControlMessage::ScmRights(&fds)]);
    loop {
        match sendmsg::<UnixAddr>(stream.as_raw_fd(), &bytes, &rights, MsgFlags::MSG_NOSIGNAL, None) {
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN | Errno::ETOOMANYREFS | Errno::ENOBUFS | Errno::ENOMEM) => return Ok(false),
            sent => return Ok(sent.map(|_| true)?),
        }
    }
}

/// What was read at once.
#[derive(Debug)]
pub(crate) enum Heard {
    /// The other end is closed.
    End,
    /// Bells and nothing else; whether they were all that was there.
    Bells { are_all: bool },
    /// Maybe bells, and behind them a descriptor; `None`: this process had no room for it, or it was none.
    Descriptor(Option<OwnedFd>),
}

/// Reads bells as far as the next descriptor. Waits for something if the stream blocks; else it is an error of the
/// kind `WouldBlock` if there is nothing.
pub(crate) fn hear(stream: &UnixStream) -> io::Result<Heard> {
    let (mut heard, mut space) = ([0_u8; 64], [0_u64; 3]);
    let mut bytes = libc::iovec { iov_base: heard.as_mut_ptr().cast(), iov_len: heard.len() };
    // SAFETY: all zeroes are a message without any parts.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    (message.msg_iov, message.msg_iovlen) = (&raw mut bytes, 1);
    (message.msg_control, message.msg_controllen) = (space.as_mut_ptr().cast(), size_of_val(&space));
    // SAFETY: both parts of the message are ours to write to, and as long as they say.
    let len = unsafe { libc::recvmsg(stream.as_raw_fd(), &mut message, libc::MSG_CMSG_CLOEXEC) };
    let len = usize::try_from(Errno::result(len)?).map_err(|_| io::ErrorKind::InvalidData)?;
    // Also where the kernel says that it has left some out: those that have come are ours to close.
    let mut fds = received_fds(&message);
    Ok(match heard[..len].last() {
        None => Heard::End,
        Some(&DESCRIPTOR) => Heard::Descriptor((!fds.is_empty()).then(|| fds.swap_remove(0))),
        Some(_) => Heard::Bells { are_all: len < heard.len() },
    })
}

/// The descriptors that have come with a message, which must have been filled by the kernel just now.
fn received_fds(message: &libc::msghdr) -> Vec<OwnedFd> {
    // SAFETY: the kernel has written whole headers there, as many bytes of them as the message says.
    let Some(head) = (unsafe { libc::CMSG_FIRSTHDR(message).as_ref() }) else { return Vec::new() };
    if (head.cmsg_level, head.cmsg_type) != (libc::SOL_SOCKET, libc::SCM_RIGHTS) {
        return Vec::new();
    }
    // The kernel says in bytes how long head and numbers are together; there is no room for more than two numbers.
    // SAFETY: computes only.
    let is_there = |count: &u32| head.cmsg_len >= unsafe { libc::CMSG_LEN(count * size_of::<RawFd>() as u32) } as _;
    let count = (1..=2).filter(is_there).count();
    // SAFETY: so many numbers stand behind the head; they need not be aligned. The kernel has just made them for us,
    // and nobody else has seen them.
    let fd = |at| unsafe { OwnedFd::from_raw_fd(libc::CMSG_DATA(head).cast::<RawFd>().add(at).read_unaligned()) };
    (0..count).map(fd).collect()
}

/// The byte that comes with a descriptor. A bell is another.
const DESCRIPTOR: u8 = 1;

/// Makes room for as little as there can be on the way to the other end.
#[cfg(all(test, not(loom)))]
pub(crate) fn narrow(stream: &UnixStream) -> io::Result<()> {
    Ok(nix::sys::socket::setsockopt(stream, nix::sys::socket::sockopt::SndBuf, &1)?)
}

/// Has the kernel keep no more than about so many bytes of a connection, in each direction: what is written next is not far
/// behind then.
#[cfg(feature = "cluster")]
pub(crate) fn bound(socket: &std::net::TcpStream, bytes: usize) -> io::Result<()> {
    use nix::sys::socket::{setsockopt, sockopt};
    setsockopt(socket, sockopt::SndBuf, &bytes)?;
    Ok(setsockopt(socket, sockopt::RcvBuf, &bytes)?)
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

    fn fds_open() -> usize {
        std::fs::read_dir("/proc/thread-self/fd").unwrap().count()
    }

    #[test]
    fn descriptors_come_one_by_one_between_bells() {
        // Other tests open and close theirs in this process, so whoever counts has a table of its own.
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_FILES).unwrap();
        let (one, other) = UnixStream::pair().unwrap();
        other.set_nonblocking(true).unwrap();
        write_some(&one, &[0, 0]).unwrap();
        assert!(send_descriptor(&one, one.as_fd()).unwrap() && send_descriptor(&one, other.as_fd()).unwrap());
        write_some(&one, &[0]).unwrap();
        assert!(matches!(hear(&other).unwrap(), Heard::Descriptor(Some(_))), "behind the bells");
        assert!(matches!(hear(&other).unwrap(), Heard::Descriptor(Some(_))));
        assert!(matches!(hear(&other).unwrap(), Heard::Bells { are_all: true }));
        assert_eq!(hear(&other).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        write_some(&one, &[DESCRIPTOR]).unwrap();
        assert!(matches!(hear(&other).unwrap(), Heard::Descriptor(None)), "one that is missing");
        let many = [one.as_raw_fd(); 9];
        let rights = [ControlMessage::ScmRights(&many)];
        let before = fds_open();
        sendmsg::<UnixAddr>(one.as_raw_fd(), &[IoSlice::new(&[DESCRIPTOR])], &rights, MsgFlags::empty(), None).unwrap();
        assert!(matches!(hear(&other).unwrap(), Heard::Descriptor(Some(_))));
        assert_eq!(fds_open(), before, "what is too many is closed");
        drop(one);
        assert!(matches!(hear(&other).unwrap(), Heard::End));
    }

    #[test]
    fn first_words_that_do_not_fit_are_refused_and_wait_for_nobody() {
        let (one, _other) = UnixStream::pair().unwrap();
        assert!(send_first(&one, &vec![0; 10 << 20], [one.as_fd()]).is_err());
    }
}
