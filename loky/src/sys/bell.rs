//! A bell that workers ring and one thread of this program hears, and that this program can ring itself.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use super::poll;
use super::socket;

/// See the module. Two ends of a socket: whoever rings cannot take away what others have rung.
#[derive(Debug)]
pub(crate) struct Bell {
    hears: UnixStream,
    rings: UnixStream,
}

impl Bell {
    pub(crate) fn new() -> io::Result<Self> {
        let (hears, rings) = UnixStream::pair()?;
        hears.set_nonblocking(true)?;
        rings.set_nonblocking(true)?;
        Ok(Self { hears, rings })
    }

    /// Ends the current wait, or the next one.
    pub(crate) fn ring(&self) {
        ring(&self.rings);
    }

    /// The end by which another process can ring.
    pub(crate) fn ringing_end(&self) -> BorrowedFd<'_> {
        self.rings.as_fd()
    }

    /// Blocks until it is rung, or `until` has come; `None` waits without a limit.
    pub(crate) fn wait(&self, until: Option<Instant>) -> io::Result<()> {
        poll::wait_readable_until(self.hears.as_fd(), until)?;
        let mut rung = [0; 64];
        // What is left in there ends the next wait, which is no harm.
        match (&self.hears).read(&mut rung) {
            Err(why) if !matches!(why.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Err(why),
            _ => Ok(()),
        }
    }
}

/// Rings by an end. One that is full is heard anyhow, and one that nobody hears needs no ringing.
pub(crate) fn ring(end: &UnixStream) {
    let _ = socket::write_some(end, &[0]);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bell_is_heard_whenever_it_was_rung() {
        let bell = Bell::new().unwrap();
        (0..100_000).for_each(|_| bell.ring());
        bell.wait(None).unwrap();
        let theirs = UnixStream::from(bell.ringing_end().try_clone_to_owned().unwrap());
        while poll::wait_readable_until(bell.hears.as_fd(), Some(Instant::now())).unwrap() {
            bell.wait(None).unwrap();
        }
        let until = Instant::now() + Duration::from_millis(5);
        bell.wait(Some(until)).unwrap();
        assert!(Instant::now() >= until, "nobody has rung");
        ring(&theirs);
        bell.wait(None).unwrap();
    }
}
