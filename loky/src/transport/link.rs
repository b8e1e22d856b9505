//! The parent's end of a link: never blocks.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use super::descriptors::{Arrived, Departing};
pub(crate) use super::descriptors::{Descriptor, Rung};
pub(crate) use super::outgoing::Part;
use super::outgoing::{EARLY, Outgoing};
use super::ring::{Broken, Reader};
pub(crate) use super::ring::{Chime, Patience};
use super::short::Short;
use crate::sys::bell::ring;
use crate::sys::page::{Page, RingMemory, Way};
use crate::sys::row::Row;
use crate::wire::frame::{self, FrameError, Head, Said, Source};

/// The parent's end of a link to a worker.
#[derive(Debug)]
pub(crate) struct Link {
    socket: UnixStream,
    outgoing: Outgoing<RingMemory>,
    incoming: Reader<RingMemory>,
    frames: frame::Reader,
    departing: Departing,
    arrived: Arrived,
    /// Whether the worker is gone, or has written what cannot be: nothing is heard from it any more.
    is_closed: bool,
    /// Whether the worker slept when something was shown to it, which has not been told.
    has_rung: bool,
    traffic: Traffic,
}

/// How many bytes went over a link so far: of messages, without their heads.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) sent: u64,
    pub(crate) received: u64,
}

/// The words that a worker has written; none of them is waited for.
struct Incoming<'a>(&'a mut Reader<RingMemory>, &'a UnixStream);

impl Source for Incoming<'_> {
    type Error = Broken;

    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Broken> {
        let len = self.0.read(bytes)?;
        Ok(self.told(len))
    }

    fn read_row(&mut self, row: &mut Row) -> Result<usize, Broken> {
        let len = self.0.read_row(row)?;
        Ok(self.told(len))
    }
}

impl Incoming<'_> {
    /// The worker is woken, if it waits for room that there is now.
    fn told(&mut self, len: usize) -> usize {
        if len > 0 && self.0.must_ring().is_some() {
            ring(self.1);
        }
        len
    }
}

impl Link {
    /// `socket` must not block. `chime` is needed from now on: whoever waits for the workers may be asleep already,
    /// and does not know this link yet.
    pub(crate) fn new(socket: UnixStream, page: &Page, chime: Chime) -> Self {
        let mut link = Self {
            socket,
            outgoing: Outgoing::new(page.ring(Way::ToWorker)),
            incoming: Reader::new(page.ring(Way::FromWorker)),
            frames: frame::Reader::default(),
            departing: Departing::default(),
            arrived: Arrived::default(),
            is_closed: false,
            has_rung: false,
            traffic: Traffic::default(),
        };
        link.may_sleep(chime, Patience::None);
        link
    }

    /// Says a frame of these parts, which [`flush`](Self::flush) shows to the worker.
    pub(crate) fn send<'a>(&mut self, head: Head, parts: impl IntoIterator<Item = Part<'a>>) {
        // A worker that breaks its ring is found out when something is read from it, or dies.
        let _ = self.outgoing.add(&Part::Bytes(&head.bytes()));
        for part in parts {
            self.traffic.sent += part.bytes().len() as u64;
            match part.split(EARLY) {
                Some((early, rest)) => {
                    let _ = self.outgoing.add(&early);
                    self.show();
                    let _ = self.outgoing.add(&rest);
                }
                None => {
                    let _ = self.outgoing.add(&part);
                }
            }
        }
    }

    /// The same for a frame of these bytes, of which there are a few.
    pub(crate) fn send_short(&mut self, head: Head, bytes: &[u8]) {
        let is_put = Short::new(head, bytes).is_some_and(|short| self.outgoing.put(short.words()));
        if is_put {
            self.traffic.sent += bytes.len() as u64;
        } else {
            self.send(head, [Part::Bytes(bytes)]);
        }
    }

    /// Writes what the worker takes now, and wakes it; it rings when it takes more. A worker that is gone takes nothing
    /// and is no error here: its end of file tells it. Returns whether the worker slept.
    pub(crate) fn flush(&mut self) -> bool {
        self.show();
        if !self.departing.is_empty() {
            self.departing.send(&self.socket);
        }
        std::mem::take(&mut self.has_rung)
    }

    /// Whether something waits for room in the ring.
    pub(crate) fn has_more(&self) -> bool {
        self.outgoing.has_more()
    }

    /// Sends a descriptor to the worker, now or in a later [`flush`](Self::flush). It comes in its turn among those that a
    /// frame announces.
    pub(crate) fn enclose(&mut self, fd: Arc<dyn Descriptor>) {
        self.departing.add(fd);
        self.departing.send(&self.socket);
    }

    /// Whether there are descriptors that the socket had no room for; nobody rings when it has.
    pub(crate) fn has_unsent(&self) -> bool {
        !self.departing.is_empty()
    }

    /// The next descriptor that the worker has sent; `None` if it has not. The inner `None`: this process has no room
    /// for it.
    pub(crate) fn next_descriptor(&mut self) -> Option<Option<OwnedFd>> {
        self.arrived.next(&self.socket)
    }

    fn show(&mut self) {
        let bell = self.outgoing.flush().unwrap_or_else(|Broken| {
            self.outgoing.clear();
            None
        });
        if bell.is_some() {
            ring(&self.socket);
            self.has_rung = true;
        }
    }

    /// The next whole frame, if there is one. If it is long and ends in a row, `spare` may give the memory for that, of
    /// this width and for so many bytes.
    #[inline]
    pub(crate) fn receive(
        &mut self,
        spare: impl FnOnce(Head, usize, usize) -> Option<Row>,
    ) -> Result<Option<Said<'_>>, FrameError<Broken>> {
        if self.is_closed {
            return Ok(None);
        }
        let said = self.frames.next_into(&mut Incoming(&mut self.incoming, &self.socket), spare)?;
        if let Some((head, _)) = &said {
            self.traffic.received += head.len as u64;
        }
        Ok(said)
    }

    /// The bytes of the next frame, if it is there and has the kind of the one before it and the next tag.
    #[inline]
    pub(crate) fn next_that_follows(&mut self) -> Option<&[u8]> {
        if self.is_closed {
            return None;
        }
        let bytes = self.frames.next_that_follows()?;
        self.traffic.received += bytes.len() as u64;
        Some(bytes)
    }

    /// Appends to `bytes` those of the next frames, at most `most`, as far as they are there, follow and are as long
    /// as the last one. Returns how many there are.
    pub(crate) fn next_alike(&mut self, most: usize, bytes: &mut Vec<u8>) -> usize {
        if self.is_closed {
            return 0;
        }
        let before = bytes.len();
        let count = self.frames.next_alike(most, bytes);
        self.traffic.received += (bytes.len() - before) as u64;
        count
    }

    /// What went over it so far.
    pub(crate) const fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// Takes in the bells that the worker has rung, and the descriptors between them.
    pub(crate) fn hear_bells(&mut self) -> Rung {
        self.arrived.take_in(&self.socket)
    }

    /// Nothing is heard any more.
    pub(crate) fn close(&mut self) {
        self.is_closed = true;
        self.arrived.clear();
        self.departing.clear();
    }

    /// Announces that a bell is needed from now on, as soon as patience ends. `false`: there is something to hear
    /// already.
    pub(crate) fn may_sleep(&mut self, chime: Chime, patience: Patience) -> bool {
        self.is_closed || !self.frames.has_frame() && self.incoming.may_sleep(chime, patience)
    }

    /// Somebody waits for the answer to the call with this number from now on. `false`: there is something to hear
    /// already, and whoever sleeps is to be told.
    pub(crate) fn hurry(&mut self, number: u16) -> bool {
        self.is_closed || self.incoming.hurry(number)
    }

    /// No bell is needed for now.
    pub(crate) fn wake(&mut self) {
        self.incoming.wake();
    }

    /// Whether there is something to hear. Costs a look into memory.
    pub(crate) fn has_news(&self) -> bool {
        !self.is_closed && (self.incoming.has_news() || self.frames.has_frame())
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
