//! Waits until a descriptor has something to say, a bell is rung, or a moment has come.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll, ppoll};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::time::TimeSpec;

/// A set of descriptors to wait for, each under a token, and a bell that ends a wait from outside. Some of the
/// descriptors are urgent: another thread may wait for those, too, and whichever comes first finds them.
#[derive(Debug)]
pub(crate) struct Poller {
    epoll: Epoll,
    /// Is one of the descriptors itself.
    urgent: Epoll,
    bell: EventFd,
}

/// What a registered descriptor is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interest {
    Read,
    /// Room to write, too.
    #[cfg(feature = "cluster")]
    ReadAndWrite,
    /// Nothing, for now; an error or a hang-up is told all the same.
    Nothing,
}

/// How many descriptors one wait may report; more of them are reported by the next.
const READY_MAX: usize = 64;

/// What is nearer is waited for exactly.
const NEAR: Duration = Duration::from_millis(10);

/// What is farther off is looked at again before.
const FAR: Duration = Duration::from_secs(60 * 60);

/// The token of the bell.
const BELL: u64 = u64::MAX;

/// The token of all that is urgent.
const URGENT: u64 = u64::MAX - 1;

/// Other tokens are smaller.
pub(crate) const TOKENS_END: u64 = URGENT;

impl Poller {
    pub(crate) fn new() -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let bell = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        let urgent = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        epoll.add(&bell, EpollEvent::new(EpollFlags::EPOLLIN, BELL))?;
        epoll.add(&urgent.0, EpollEvent::new(EpollFlags::EPOLLIN, URGENT))?;
        Ok(Self { epoll, urgent, bell })
    }

    /// Reports `fd` under `token`, which is below [`TOKENS_END`], until it is removed or closed.
    pub(crate) fn add(&self, fd: impl AsFd, token: u64, interest: Interest) -> io::Result<()> {
        Ok(self.epoll.add(fd, EpollEvent::new(interest.flags(), token))?)
    }

    /// Reports `fd` each time that something new has come, whether what came before was read or not.
    pub(crate) fn add_edge(&self, fd: impl AsFd, token: u64) -> io::Result<()> {
        Ok(self.epoll.add(fd, EpollEvent::new(EpollFlags::EPOLLIN | EpollFlags::EPOLLET, token))?)
    }

    pub(crate) fn change(&self, fd: impl AsFd, token: u64, interest: Interest) -> io::Result<()> {
        Ok(self.epoll.modify(fd, &mut EpollEvent::new(interest.flags(), token))?)
    }

    pub(crate) fn remove(&self, fd: impl AsFd) -> io::Result<()> {
        Ok(self.epoll.delete(fd)?)
    }

    /// The same, and also to whoever waits for what is urgent.
    pub(crate) fn add_urgent(&self, fd: impl AsFd, token: u64) -> io::Result<()> {
        Ok(self.urgent.add(fd, EpollEvent::new(EpollFlags::EPOLLIN, token))?)
    }

    pub(crate) fn remove_urgent(&self, fd: impl AsFd) -> io::Result<()> {
        Ok(self.urgent.delete(fd)?)
    }

    /// Is readable while something urgent is ready.
    pub(super) fn urgent(&self) -> BorrowedFd<'_> {
        self.urgent.0.as_fd()
    }

    /// What is urgent and ready now.
    pub(super) fn urgent_tokens(&self) -> io::Result<Vec<u64>> {
        let mut events = [EpollEvent::empty(); READY_MAX];
        let count = self.urgent.wait(&mut events, EpollTimeout::ZERO)?;
        Ok(events[..count].iter().map(EpollEvent::data).collect())
    }

    /// Ends the current wait, or the next one.
    pub(crate) fn ring(&self) {
        // A full counter means that the bell rings already; there is no other error for a valid event descriptor.
        let _ = self.bell.write(1);
    }

    /// Blocks until something is ready, the bell rings or `until` has come; `None` waits without a limit. Returns the
    /// tokens that are ready, which may be none.
    pub(crate) fn wait(&self, until: Option<Instant>) -> io::Result<Vec<u64>> {
        let mut events = [EpollEvent::empty(); READY_MAX];
        let limit = match until {
            None => EpollTimeout::NONE,
            Some(at) => self.sleep_exactly(at)?,
        };
        let count = match self.epoll.wait(&mut events, limit) {
            Err(Errno::EINTR) => 0,
            count => count?,
        };
        let mut ready = Vec::with_capacity(count);
        for token in events[..count].iter().map(EpollEvent::data) {
            match token {
                BELL => _ = self.bell.read(),
                // Whoever else waits for it may have seen to it.
                URGENT => ready.append(&mut self.urgent_tokens()?),
                token => ready.push(token),
            }
        }
        Ok(ready)
    }

    /// Blocks until the bell is rung, at the longest for `limit`. The next wait ends by that, too.
    pub(crate) fn wait_for_bell(&self, limit: Duration) {
        let _ = wait_readable_until(self.bell.as_fd(), Some(Instant::now() + limit));
    }

    /// Whether a wait would end at once.
    #[cfg(all(test, not(loom)))]
    pub(crate) fn is_ready(&self) -> io::Result<bool> {
        wait_readable_until(self.epoll.0.as_fd(), Some(Instant::now()))
    }

    /// `epoll_wait` counts in milliseconds, and a time limit should not be late by one. So what is far off is waited
    /// for there, not quite to the end, and what is near is waited for here. Returns how long is left.
    fn sleep_exactly(&self, until: Instant) -> io::Result<EpollTimeout> {
        let left = until.saturating_duration_since(Instant::now());
        if left > NEAR {
            return Ok(EpollTimeout::try_from(left.min(FAR)).expect("that is not too far"));
        }
        wait_readable_until(self.epoll.0.as_fd(), Some(until))?;
        Ok(EpollTimeout::ZERO)
    }
}

impl Interest {
    fn flags(self) -> EpollFlags {
        match self {
            Self::Read => EpollFlags::EPOLLIN,
            #[cfg(feature = "cluster")]
            Self::ReadAndWrite => EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT,
            Self::Nothing => EpollFlags::empty(),
        }
    }
}

/// Blocks until the other end of `link` is closed, or `process` (a process descriptor) has ended.
pub(crate) fn wait_for_end(link: BorrowedFd<'_>, process: Option<BorrowedFd<'_>>) {
    // A hang-up is told unasked. What arrives on the link is not waited for: it is another thread's to read.
    // Not on the heap: whoever waits here should have none.
    let mut fds = [PollFd::new(link, PollFlags::empty()), PollFd::new(process.unwrap_or(link), PollFlags::POLLIN)];
    let fds = &mut fds[..1 + usize::from(process.is_some())];
    while poll(fds, PollTimeout::NONE) == Err(Errno::EINTR) {}
}

/// Blocks until there is something to read from `link`, or its other end is closed: true. Or until `process` has
/// ended and there is nothing to read: false.
pub(crate) fn wait_for_more(link: BorrowedFd<'_>, process: Option<BorrowedFd<'_>>) -> bool {
    let mut fds = vec![PollFd::new(link, PollFlags::POLLIN)];
    fds.extend(process.map(|process| PollFd::new(process, PollFlags::POLLIN)));
    while poll(&mut fds, PollTimeout::NONE) == Err(Errno::EINTR) {}
    fds[0].any().unwrap_or(true)
}

/// Blocks until `fd` is readable, at the longest for `limit`.
pub(crate) fn wait_readable(fd: BorrowedFd<'_>, limit: Duration) {
    let until = Instant::now() + limit;
    while !matches!(wait_readable_until(fd, Some(until)), Ok(true)) && Instant::now() < until {}
}

/// Blocks until `fd` is readable, `until` has come, or a signal was handled; `None` waits without a limit. Returns
/// whether it is readable.
pub(crate) fn wait_readable_until(fd: BorrowedFd<'_>, until: Option<Instant>) -> io::Result<bool> {
    Ok(wait_any_readable_until([fd], until)?[0])
}

/// The same for several. Returns which of them are readable.
pub(super) fn wait_any_readable_until<const N: usize>(
    fds: [BorrowedFd<'_>; N],
    until: Option<Instant>,
) -> io::Result<[bool; N]> {
    let limit = until.map(|at| TimeSpec::from_duration(at.saturating_duration_since(Instant::now())));
    let mut fds = fds.map(|fd| PollFd::new(fd, PollFlags::POLLIN));
    match ppoll(&mut fds, limit, None) {
        Ok(_) => Ok(fds.map(|fd| fd.any().unwrap_or(true))),
        Err(Errno::EINTR) => Ok([false; N]),
        Err(why) => Err(why.into()),
    }
}
