//! Whole messages over a socket, with descriptors along with them: what one end sends at once the other receives at
//! once.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::cmsg_space;
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, UnixAddr, recv, recvmsg, sendmsg,
    socketpair,
};

/// More descriptors than this never travel with one message.
pub(crate) const FDS_MAX: usize = 4;

/// More bytes than this never travel in one message.
pub(crate) const LEN_MAX: usize = 32 << 10;

/// Two ends of a socket that keeps messages apart.
pub(crate) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?)
}

/// Sends one message, which must not be empty. Never blocks: an error if there is no room for it now, if it is too
/// long, or if the other end is gone.
pub(crate) fn send(socket: &OwnedFd, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    if bytes.is_empty() || bytes.len() > LEN_MAX || fds.len() > FDS_MAX {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let fds: Vec<RawFd> = fds.iter().map(AsRawFd::as_raw_fd).collect();
    let rights = [ControlMessage::ScmRights(&fds)];
    let rights = if fds.is_empty() { &[][..] } else { &rights[..] };
    let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
    sendmsg::<UnixAddr>(socket.as_raw_fd(), &[IoSlice::new(bytes)], rights, flags, None)?;
    Ok(())
}

/// The next message, empty if the other end is gone. An error of the kind `WouldBlock` if there is none and `waits` is
/// not true.
pub(crate) fn receive(socket: &OwnedFd, waits: bool) -> io::Result<(Vec<u8>, Vec<OwnedFd>)> {
    let waiting = if waits { MsgFlags::empty() } else { MsgFlags::MSG_DONTWAIT };
    // Room for the longest would cost more than to ask: in a process that has been copied, memory is dear to write to.
    let len = recv(socket.as_raw_fd(), &mut [], MsgFlags::MSG_PEEK | MsgFlags::MSG_TRUNC | waiting)?;
    let mut bytes = vec![0; len.min(LEN_MAX)];
    let mut space = cmsg_space!([RawFd; FDS_MAX]);
    let mut parts = [IoSliceMut::new(&mut bytes)];
    let flags = MsgFlags::MSG_CMSG_CLOEXEC | waiting;
    let message = recvmsg::<UnixAddr>(socket.as_raw_fd(), &mut parts, Some(&mut space), flags)?;
    let mut fds = Vec::new();
    for control in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(new) = control {
            // SAFETY: the kernel has just made these descriptors for us, and nobody else has seen their numbers.
            fds.extend(new.into_iter().map(|fd| unsafe { OwnedFd::from_raw_fd(fd) }));
        }
    }
    let len = message.bytes;
    bytes.truncate(len);
    Ok((bytes, fds))
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn messages_stay_apart_and_bring_their_descriptors() {
        let (one, other) = pair().unwrap();
        send(&one, b"first", &[one.as_fd(), other.as_fd()]).unwrap();
        send(&one, b"second", &[]).unwrap();
        let (bytes, fds) = receive(&other, true).unwrap();
        assert_eq!((&bytes[..], fds.len()), (&b"first"[..], 2));
        drop(fds);
        assert_eq!(receive(&other, true).unwrap().0, b"second");
        assert_eq!(receive(&other, false).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        drop(one);
        assert_eq!(receive(&other, true).unwrap().0, b"", "the end is no message");
        assert!(send(&other, b"late", &[]).is_err());
    }

    #[test]
    fn what_is_too_long_is_refused() {
        let (one, _other) = pair().unwrap();
        assert!(send(&one, &vec![0; LEN_MAX + 1], &[]).is_err());
    }
}
