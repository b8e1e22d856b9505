//! Descriptors that travel beside the frames of a link: over its socket, between the bells, one by one and in order.
//!
//! The frame that says what a descriptor is goes through the ring. A parent that has no room for a descriptor in the
//! socket keeps it and goes on: a worker that reads the frame first waits. A worker sends the descriptor first, so
//! that a parent finds it at once; one that is not there by then never was.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};

use crate::sys::socket::{self, Heard};

/// What has a descriptor.
pub(crate) trait Descriptor: AsFd + Debug + Send + Sync {}

impl<T: AsFd + Debug + Send + Sync> Descriptor for T {}

/// Those that are to be sent, at the parent's end.
#[derive(Debug, Default)]
pub(super) struct Departing(VecDeque<Arc<dyn Descriptor>>);

/// Those that were received and not asked for yet; `None` is one that this process had no room for.
#[derive(Debug, Default)]
pub(super) struct Arrived(VecDeque<Option<OwnedFd>>);

/// The worker's end of the socket: on it the parent rings, and sends what it has to give.
#[derive(Clone, Debug)]
pub(super) struct Door {
    pub(super) socket: Arc<UnixStream>,
    arrived: Arc<Mutex<Arrived>>,
}

/// What a parent has heard on the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rung {
    /// Bells, or nothing.
    Open,
    /// The worker has closed its end.
    Closed,
    /// More descriptors than it has any reason to send ahead of their frames.
    TooMuch,
}

/// A worker says of each descriptor what it is before it sends the next one. Those of which that was heard are taken
/// out between two looks at the socket, so there are never so many.
const ARRIVED_MAX: usize = 128;

impl Departing {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn add(&mut self, fd: Arc<dyn Descriptor>) {
        self.0.push_back(fd);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Sends as many as there is room for, through a socket that does not block.
    pub(super) fn send(&mut self, socket: &UnixStream) {
        while let Some(fd) = self.0.front() {
            match socket::send_descriptor(socket, (**fd).as_fd()) {
                Ok(true) => _ = self.0.pop_front(),
                Ok(false) => return,
                // The worker is gone, and its end of file tells that.
                Err(_) => return self.clear(),
            }
        }
    }
}

impl Arrived {
    /// Takes in what a worker has rung and sent, from a socket that does not block.
    pub(super) fn take_in(&mut self, socket: &UnixStream) -> Rung {
        if self.0.len() >= ARRIVED_MAX {
            return Rung::TooMuch;
        }
        while self.0.len() < ARRIVED_MAX {
            match socket::hear(socket) {
                Ok(Heard::End) => return Rung::Closed,
                Ok(Heard::Bells { are_all: true }) => break,
                Ok(Heard::Bells { are_all: false }) => {}
                Ok(Heard::Descriptor(fd)) => self.0.push_back(fd),
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => return Rung::Closed,
            }
        }
        Rung::Open
    }

    /// The next one; `None` if it is not there. To be asked for when a frame has said that it is.
    pub(super) fn next(&mut self, socket: &UnixStream) -> Option<Option<OwnedFd>> {
        if self.0.is_empty() {
            self.take_in(socket);
        }
        self.0.pop_front()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

impl Door {
    pub(super) fn new(socket: &Arc<UnixStream>) -> Self {
        Self { socket: Arc::clone(socket), arrived: Arc::default() }
    }

    /// Blocks until the parent rings or sends a descriptor. `false`: it is gone.
    pub(super) fn wait(&self) -> io::Result<bool> {
        loop {
            match socket::hear(&self.socket) {
                Ok(Heard::End) => return Ok(false),
                Ok(Heard::Bells { .. }) => return Ok(true),
                Ok(Heard::Descriptor(fd)) => {
                    self.arrived.lock().unwrap_or_else(PoisonError::into_inner).0.push_back(fd);
                    return Ok(true);
                }
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(why) => return Err(why),
            }
        }
    }

    /// Blocks until the next descriptor is there. The outer `None`: the parent is gone. The inner one: this process had
    /// no room for it.
    pub(super) fn next(&self) -> io::Result<Option<Option<OwnedFd>>> {
        loop {
            let next = self.arrived.lock().unwrap_or_else(PoisonError::into_inner).0.pop_front();
            if next.is_some() {
                return Ok(next);
            }
            if !self.wait()? {
                return Ok(None);
            }
        }
    }

    /// Sends a descriptor, and waits for room. `false`: too many descriptors of this user are on their way.
    pub(super) fn send(&self, fd: impl AsFd) -> io::Result<bool> {
        socket::send_descriptor(&self.socket, fd.as_fd())
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::sys::bell::ring;

    fn pair() -> (UnixStream, Door) {
        let (parent, worker) = UnixStream::pair().unwrap();
        parent.set_nonblocking(true).unwrap();
        (parent, Door::new(&Arc::new(worker)))
    }

    #[test]
    fn what_the_socket_does_not_take_is_sent_later_and_in_order() {
        const COUNT: usize = 3000;
        let ((parent, door), mut departing) = (pair(), Departing::default());
        let file = Arc::new(std::fs::File::open("/dev/null").unwrap());
        (0..COUNT).for_each(|_| departing.add(file.clone()));
        departing.send(&parent);
        assert!(!departing.is_empty(), "there is no room for so many");
        for _ in 0..COUNT {
            departing.send(&parent);
            ring(&parent);
            assert!(matches!(door.next(), Ok(Some(Some(_)))));
        }
        assert!(departing.is_empty());
        drop(parent);
        assert!(matches!(door.next(), Ok(None)), "the parent is gone");
    }

    #[test]
    fn a_parent_finds_what_a_worker_has_sent_and_is_not_flooded() {
        let ((parent, door), mut arrived) = (pair(), Arrived::default());
        assert!(arrived.next(&parent).is_none() && arrived.take_in(&parent) == Rung::Open);
        ring(&door.socket);
        assert!(door.send(&parent).unwrap() && matches!(arrived.next(&parent), Some(Some(_))));
        (0..=ARRIVED_MAX).for_each(|_| assert!(door.send(&parent).unwrap()));
        assert_eq!((arrived.take_in(&parent), arrived.0.len()), (Rung::Open, ARRIVED_MAX));
        assert_eq!(arrived.take_in(&parent), Rung::TooMuch);
        (0..=ARRIVED_MAX).for_each(|_| assert!(matches!(arrived.next(&parent), Some(Some(_)))));
        drop(door);
        assert_eq!(arrived.take_in(&parent), Rung::Closed);
    }
}
