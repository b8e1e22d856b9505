//! The worker's end of a link: waits.

#[cfg(all(test, not(loom)))]
mod step;

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Instant;

use super::descriptors::Door;
use super::outgoing::{EARLY, write};
use super::ring::{Broken, Chime, Patience, Reader, Writer};
use super::short::Short;
use super::spin::Spin;
use crate::sys::bell::ring;
use crate::sys::page::{Page, RingMemory, Way};
use crate::sys::row::Row;
use crate::wire::frame::{self, FrameError, Head, Said, Source};

/// The end that hears.
#[derive(Debug)]
pub(crate) struct Listener {
    incoming: Incoming,
    frames: frame::Reader,
}

/// The end that speaks.
#[derive(Debug)]
pub(crate) struct Speaker {
    ring: Writer<RingMemory>,
    door: Door,
    /// Rings the bell of the pool.
    bell: UnixStream,
    /// The head of what was added last.
    last: Head,
}

/// The words that the parent has written, and the socket on which it rings.
#[derive(Debug)]
struct Incoming {
    ring: Reader<RingMemory>,
    door: Door,
    spin: Spin,
}

/// Both ends of the worker's side. `socket` must block; `bell` rings that of the pool.
pub(crate) fn ends(socket: &Arc<UnixStream>, bell: UnixStream, page: &Page) -> (Listener, Speaker) {
    let (ring, door) = (Reader::new(page.ring(Way::ToWorker)), Door::new(socket));
    let incoming = Incoming { ring, door: door.clone(), spin: Spin::new(false) };
    let ring = Writer::new(page.ring(Way::FromWorker));
    let speaker = Speaker { ring, door, bell, last: Head::default() };
    (Listener { incoming, frames: frame::Reader::default() }, speaker)
}

impl Listener {
    /// From now on, looks for a while before it sleeps.
    pub(crate) fn allow_spinning(&mut self) {
        self.incoming.spin = Spin::new(true);
    }

    /// The next descriptor that the parent sends; waits for it. The outer `None`: the parent is gone. The inner one: this
    /// process has no room for it.
    pub(crate) fn next_descriptor(&mut self) -> io::Result<Option<Option<OwnedFd>>> {
        self.incoming.door.next()
    }

    /// The next frame; `None` when the parent is gone. If that must be waited for, the parent is told first what it was
    /// not woken for.
    pub(crate) fn receive(&mut self, speaker: &mut Speaker) -> Result<Option<Said<'_>>, FrameError<io::Error>> {
        if speaker.ring.withholds() && !self.has_news() {
            speaker.flush();
        }
        self.frames.next(&mut self.incoming)
    }

    fn has_news(&self) -> bool {
        self.frames.has_frame() || self.incoming.ring.has_news()
    }
}

impl Speaker {
    /// Adds a frame to what is to be said, and makes it readable for a parent that looks because this process has died;
    /// [`flush`](Self::flush) tells a living one. Waits for room. An error if the parent is gone.
    ///
    /// The bytes are those of `bytes`, whole words if there is something in `row`, and of `row`.
    #[inline]
    pub(crate) fn add(&mut self, head: Head, bytes: &[u8], row: &[u8]) -> io::Result<()> {
        match bytes.try_into() {
            Ok(word)
                if row.is_empty()
                    && head.follows(self.last)
                    && self.ring.extend([head.short_word(), u64::from_le_bytes(word)]) =>
            {
                // Number by number: one that is stored in parts and loaded as a whole is waited for.
                (self.last.tag, self.last.len) = (head.tag, head.len);
                Ok(())
            }
            _ => self.add_any(head, bytes, row),
        }
    }

    /// The same for a frame that is all there is to be told now; behind it, [`flush_answer`](Self::flush_answer) only rings.
    #[inline]
    pub(crate) fn add_alone(&mut self, head: Head, bytes: &[u8]) -> io::Result<()> {
        if Short::new(head, bytes).is_some_and(|short| self.ring.put(short.words())) {
            self.last = head;
            return Ok(());
        }
        self.add(head, bytes, &[])
    }

    /// Sends a descriptor, which a frame is to announce at once. `false`: it cannot be sent now. An error if the parent is
    /// gone.
    pub(crate) fn enclose(&mut self, fd: impl AsFd) -> io::Result<bool> {
        self.door.send(fd)
    }

    #[inline(never)]
    fn add_any(&mut self, head: Head, bytes: &[u8], row: &[u8]) -> io::Result<()> {
        if head.follows(self.last) {
            self.write_all(&head.short_word().to_le_bytes())?;
        } else {
            self.write_all(&head.bytes())?;
        }
        self.last = head;
        self.write_all(bytes)?;
        self.write_all(row)?;
        self.ring.commit();
        Ok(())
    }

    /// Tells the parent what was added.
    pub(crate) fn flush(&mut self) {
        self.ring.close();
        let chime = self.ring.must_ring();
        self.ring_bell(chime);
    }

    /// Tells the parent what was added, which is the answer to the call with this number: if it sleeps, not before it
    /// wants to know, or before this side [waits](Listener::receive) for it.
    pub(crate) fn flush_answer(&mut self, number: u64) {
        self.ring.close();
        let chime = self.ring.must_ring_for(number as u16);
        self.ring_bell(chime);
    }

    fn ring_bell(&self, chime: Option<Chime>) {
        match chime {
            Some(Chime::Link) => ring(&self.door.socket),
            Some(Chime::Pool) => ring(&self.bell),
            None => {}
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.len() < 2 * EARLY {
            return self.write(bytes);
        }
        self.write(&bytes[..EARLY])?;
        self.flush();
        self.write(&bytes[EARLY..])
    }

    fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        loop {
            bytes = &bytes[write(&mut self.ring, bytes).map_err(broken)?..];
            if bytes.is_empty() {
                return Ok(());
            }
            self.flush();
            if self.ring.may_sleep().map_err(broken)? {
                let is_open = self.door.wait()?;
                self.ring.wake();
                if !is_open {
                    return Err(io::ErrorKind::BrokenPipe.into());
                }
            }
        }
    }
}

impl Incoming {
    /// Waits until there is something to read. `false`: the parent is gone.
    fn wait(&mut self) -> io::Result<bool> {
        while !self.spin.look(|| self.ring.has_news()) && self.ring.may_sleep(Chime::Link, Patience::None) {
            let asleep = Instant::now();
            let is_open = self.door.wait()?;
            self.ring.wake();
            self.spin.learn(asleep.elapsed());
            if !is_open {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Source for Incoming {
    type Error = io::Error;

    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.read_some(|ring| ring.read(bytes))
    }

    fn read_row(&mut self, row: &mut Row) -> io::Result<usize> {
        self.read_some(|ring| ring.read_row(row))
    }
}

impl Incoming {
    /// What there is, as soon as there is something; nothing if the parent is gone.
    fn read_some(
        &mut self,
        mut read: impl FnMut(&mut Reader<RingMemory>) -> Result<usize, Broken>,
    ) -> io::Result<usize> {
        loop {
            let len = read(&mut self.ring).map_err(broken)?;
            if len > 0 {
                if self.ring.must_ring().is_some() {
                    ring(&self.door.socket);
                }
                return Ok(len);
            }
            if !self.wait()? {
                return Ok(0);
            }
        }
    }
}

fn broken(why: Broken) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.to_string())
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::io::Read;
    use std::thread;

    use super::*;
    use crate::transport::link::Link;
    use crate::wire::message;

    #[test]
    fn what_was_withheld_is_told_before_the_worker_waits() {
        let (page, fd) = Page::create().unwrap();
        let (socket, theirs) = UnixStream::pair().unwrap();
        let (mut hears, rings) = UnixStream::pair().unwrap();
        let (mut listener, mut speaker) = ends(&Arc::new(theirs), rings, &Page::map(&fd).unwrap());
        hears.set_nonblocking(true).unwrap();
        let mut link = Link::new(socket, &page, Chime::Pool);
        assert!(link.may_sleep(Chime::Pool, Patience::Until(5)));
        for number in [1, 2] {
            speaker.add(message::value(number, 0, 0, None), &[], &[]).unwrap();
            speaker.flush_answer(number);
        }
        let mut rung = [0; 8];
        assert!(hears.read(&mut rung).is_err(), "the parent waits for another answer");
        let waiting = thread::spawn(move || listener.receive(&mut speaker).unwrap().is_none());
        hears.set_nonblocking(false).unwrap();
        assert_eq!(hears.read(&mut rung).unwrap(), 1);
        assert!(link.receive(|_, _, _| None).unwrap().is_some() && link.receive(|_, _, _| None).unwrap().is_some());
        drop(link);
        assert!(waiting.join().unwrap(), "it waits until the parent is gone");
    }
}
