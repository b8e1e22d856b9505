//! A bell that workers ring and one thread of this program hears, and that this program can ring itself.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;

use super::poll::{self, Poller};
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

    /// Blocks until it is rung, something urgent of `poller` is ready, or `until` has come; `None` waits without a
    /// limit. Returns the tokens of what is urgent.
    pub(crate) fn wait(&self, until: Option<Instant>, poller: &Poller) -> io::Result<Vec<u64>> {
        let fds = [self.hears.as_fd(), poller.urgent()];
        let [is_rung, is_urgent] = poll::wait_any_readable_until(fds, until)?;
        if is_rung {
            self.take_in()?;
        }
        if is_urgent { poller.urgent_tokens() } else { Ok(Vec::new()) }
    }

    /// Whether a wait would end at once.
    #[cfg(all(test, not(loom)))]
    pub(crate) fn is_ready(&self, poller: &Poller) -> io::Result<bool> {
        let ready = poll::wait_any_readable_until([self.hears.as_fd(), poller.urgent()], Some(Instant::now()))?;
        Ok(ready != [false; 2])
    }

    /// What is left in there ends the next wait, which is no harm.
    fn take_in(&self) -> io::Result<()> {
        let mut rung = [0; 64];
        match (&self.hears).read(&mut rung) {
            Err(why) if !matches!(why.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Err(why),
            _ => Ok(()),
        }
    }
}

/// Rings by an end. One that is full is heard anyhow, and one that nobody hears needs no ringing. But while the kernel
/// has no memory for a byte, it is tried again: a bell that is lost wakes nobody, ever.
pub(crate) fn ring(end: &UnixStream) {
    while let Err(why) = socket::write_some(end, &[0]) {
        let errno = why.raw_os_error().map(Errno::from_raw);
        match errno {
            Some(Errno::EINTR) => {}
            Some(Errno::ENOBUFS | Errno::ENOMEM) => thread::sleep(NO_MEMORY_POLL),
            _ => return,
        }
    }
}

/// It takes a while until somebody has given memory back.
const NO_MEMORY_POLL: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bell_is_heard_whenever_it_was_rung() {
        let (bell, poller) = (Bell::new().unwrap(), Poller::new().unwrap());
        let wait = |until| assert!(bell.wait(until, &poller).unwrap().is_empty());
        (0..100_000).for_each(|_| bell.ring());
        wait(None);
        let theirs = UnixStream::from(bell.ringing_end().try_clone_to_owned().unwrap());
        while poll::wait_readable_until(bell.hears.as_fd(), Some(Instant::now())).unwrap() {
            wait(None);
        }
        let until = Instant::now() + Duration::from_millis(5);
        wait(Some(until));
        assert!(Instant::now() >= until, "nobody has rung");
        ring(&theirs);
        wait(None);
    }

    #[test]
    fn whoever_waits_for_the_bell_of_a_poller_leaves_it_to_the_next_wait() {
        let poller = Poller::new().unwrap();
        poller.ring();
        poller.wait_for_bell(Duration::from_secs(1000));
        assert!(poller.wait(None).unwrap().is_empty());
        poller.wait_for_bell(Duration::from_millis(1));
    }

    #[test]
    fn what_is_urgent_is_seen_by_both_who_wait_for_it() {
        let (bell, poller) = (Bell::new().unwrap(), Poller::new().unwrap());
        let (other, end) = UnixStream::pair().unwrap();
        poller.add_urgent(&end, 7).unwrap();
        assert!(poller.wait(Some(Instant::now())).unwrap().is_empty());
        drop(other);
        assert_eq!((bell.wait(None, &poller).unwrap(), poller.wait(None).unwrap()), (vec![7], vec![7]));
        bell.ring();
        assert_eq!(bell.wait(None, &poller).unwrap(), [7]);
        poller.remove_urgent(&end).unwrap();
        let now = Some(Instant::now());
        assert!(bell.wait(now, &poller).unwrap().is_empty() && poller.wait(now).unwrap().is_empty());
    }
}
