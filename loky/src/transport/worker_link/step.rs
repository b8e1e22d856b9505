//! The worker's end of a link without any waiting, for a test that plays a worker in its own thread, over a socket that
//! does not block. What is said, and when a bell is rung, is decided by the code of the real one.

use std::io;

use super::{Incoming, Listener, Speaker, broken};
use crate::sys::bell::ring;
use crate::sys::row::Row;
use crate::transport::outgoing::write;
use crate::transport::ring::{Chime, Patience};
use crate::wire::frame::{FrameError, Head, Said, Source, WORD};

/// What there is to read now.
struct Now<'a>(&'a mut Incoming);

impl Source for Now<'_> {
    type Error = io::Error;

    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let len = self.0.ring.read(bytes).map_err(broken)?;
        Ok(self.told(len))
    }

    fn read_row(&mut self, row: &mut Row) -> io::Result<usize> {
        let len = self.0.ring.read_row(row).map_err(broken)?;
        Ok(self.told(len))
    }
}

impl Now<'_> {
    fn told(&mut self, len: usize) -> usize {
        if len > 0 && self.0.ring.must_ring().is_some() {
            ring(&self.0.door.socket);
        }
        len
    }
}

impl Listener {
    /// The next frame, if all of it is there.
    pub(crate) fn receive_now(&mut self, speaker: &mut Speaker) -> Result<Option<Said<'_>>, FrameError<io::Error>> {
        if speaker.ring.withholds() && !self.has_news() {
            speaker.flush();
        }
        self.frames.next(&mut Now(&mut self.incoming))
    }

    /// Sleeps from now on. `false`: there is something to read.
    pub(crate) fn falls_asleep(&mut self) -> bool {
        self.incoming.ring.may_sleep(Chime::Link, Patience::None)
    }

    /// Takes in what was rung, and is awake then, as is the speaker; `false`: the parent is gone. `None`: nothing was rung.
    pub(crate) fn hears_bell(&mut self, speaker: &mut Speaker) -> Option<bool> {
        let is_open = self.incoming.door.wait().ok()?;
        self.incoming.ring.wake();
        speaker.ring.wake();
        Some(is_open)
    }
}

impl Speaker {
    /// The words of a frame that is said next.
    pub(crate) fn words_of(&mut self, head: Head, bytes: &[u8]) -> Vec<u8> {
        let mut frame =
            if head.follows(self.last) { head.short_word().to_le_bytes().to_vec() } else { head.bytes().into() };
        self.last = head;
        frame.extend_from_slice(bytes);
        frame.resize(frame.len().next_multiple_of(WORD), 0);
        frame
    }

    /// Writes as much of these words as there is room for, and sleeps if some are left. Returns whether none are.
    pub(crate) fn write_now(&mut self, words: &mut Vec<u8>) -> io::Result<bool> {
        loop {
            let done = write(&mut self.ring, words).map_err(broken)?;
            words.drain(..done);
            if words.is_empty() {
                self.ring.commit();
                return Ok(true);
            }
            self.flush();
            if self.ring.may_sleep().map_err(broken)? {
                return Ok(false);
            }
        }
    }

    /// Whether the parent has not been rung for, out of respect for its patience.
    pub(crate) fn withholds(&self) -> bool {
        self.ring.withholds()
    }

    /// The same as [`flush`](Self::flush), but that the bell is lost on its way, if one is rung. Returns whether that is so.
    pub(crate) fn flush_unheard(&mut self) -> bool {
        self.ring.close();
        self.ring.must_ring().is_some()
    }
}
