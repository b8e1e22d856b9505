//! Carries notes from a worker to its parent, beside the frames of the link: in a ring of their own.
//!
//! So whatever threads a task has may say something while the worker's own thread answers, and neither waits for the other.
//! A note is a word that says how many bytes it has, and then those.
//!
//! Neither side announces that it sleeps: a parent looks by itself, before it believes an answer, after a death, and now
//! and then while something runs. A worker that has no room rings once, waits a while, and then loses what it had to say:
//! a parent that does not listen must not stop its tasks.

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::outgoing::write;
use super::ring::{Broken, Reader, WORD, Writer};
use crate::sys::bell::ring;
use crate::sys::page::{Page, RingMemory, Way};
use crate::wire::note::NOTE_MAX;

/// The worker's end.
#[derive(Debug)]
pub(crate) struct NoteWriter {
    ring: Writer<RingMemory>,
    socket: Arc<UnixStream>,
    /// What is left of a note that has been begun.
    rest: Vec<u8>,
    /// How much of that has been written.
    done: usize,
    /// Whether it has waited in vain, and there has been no room since.
    is_stuck: bool,
}

/// The parent's end.
#[derive(Debug)]
pub(crate) struct NoteReader {
    ring: Reader<RingMemory>,
    /// The note that is being read, filled up to whole words.
    note: Vec<u8>,
    /// How many bytes of it are there; of its length, if that is not known.
    done: usize,
    len: Option<usize>,
}

/// How long a worker waits for room.
const PATIENCE: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 5 });

/// How often it looks for it.
const PAUSE: Duration = Duration::from_micros(200);

impl NoteWriter {
    /// `socket` is that of the link.
    pub(crate) fn new(page: &Page, socket: Arc<UnixStream>) -> Self {
        Self { ring: Writer::new(page.ring(Way::Notes)), socket, rest: Vec::new(), done: 0, is_stuck: false }
    }

    /// Says a note of so many bytes, at most [`NOTE_MAX`]. `false`: it is lost, since there was no room for long.
    pub(crate) fn write(&mut self, note: &[u8]) -> bool {
        if !self.finish() {
            return false;
        }
        self.rest.clear();
        self.done = 0;
        self.rest.extend_from_slice(&(note.len() as u64).to_le_bytes());
        self.rest.extend_from_slice(note);
        // What has been begun is said to its end, if not now then before the next one.
        self.finish();
        true
    }

    /// Waits the next time, too, if there is no room.
    pub(crate) fn be_patient(&mut self) {
        self.is_stuck = false;
    }

    /// Writes what is left. `false`: there is something left.
    fn finish(&mut self) -> bool {
        let mut until = None;
        while !self.write_rest() {
            if self.is_stuck {
                return false;
            }
            let until = *until.get_or_insert_with(|| {
                ring(&self.socket);
                Instant::now() + PATIENCE
            });
            self.is_stuck = Instant::now() >= until;
            thread::sleep(PAUSE);
        }
        self.is_stuck = false;
        true
    }

    fn write_rest(&mut self) -> bool {
        if self.done >= self.rest.len() {
            return true;
        }
        match write(&mut self.ring, &self.rest[self.done..]) {
            Ok(len) => self.done += len,
            // The parent has damaged it, and there is nobody who reads.
            Err(Broken) => return false,
        }
        self.ring.close();
        self.done >= self.rest.len()
    }
}

impl NoteReader {
    pub(crate) fn new(page: &Page) -> Self {
        Self { ring: Reader::new(page.ring(Way::Notes)), note: Vec::new(), done: 0, len: None }
    }

    /// Whether there is something to read. Costs a look into memory.
    #[inline]
    pub(crate) fn has_news(&self) -> bool {
        self.ring.has_news()
    }

    /// The next whole note, if it is there. An error: the worker has written what cannot be.
    pub(crate) fn next(&mut self) -> Result<Option<&[u8]>, Broken> {
        let len = match self.len {
            Some(len) => len,
            None => {
                let mut word = [0; WORD];
                if read(&mut self.ring, &mut word)? == 0 {
                    return Ok(None);
                }
                let len = usize::try_from(u64::from_le_bytes(word)).ok().filter(|&len| len <= NOTE_MAX);
                let len = len.ok_or(Broken)?;
                self.note.resize(len.next_multiple_of(WORD), 0);
                (self.done, self.len) = (0, Some(len));
                len
            }
        };
        // At once only so much is read as leaves a writer that waits something to do.
        while self.done < self.note.len() {
            match read(&mut self.ring, &mut self.note[self.done..])? {
                0 => return Ok(None),
                read => self.done += read,
            }
        }
        self.len = None;
        Ok(Some(&self.note[..len]))
    }
}

/// Reads what there is. Nobody is to be rung for, but a ring that is never asked gives out a record at a time, before long.
fn read(ring: &mut Reader<RingMemory>, bytes: &mut [u8]) -> Result<usize, Broken> {
    let len = ring.read(bytes)?;
    ring.must_ring();
    Ok(len)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn ends() -> (NoteWriter, NoteReader, UnixStream) {
        let (page, fd) = Page::create().unwrap();
        let (ours, theirs) = UnixStream::pair().unwrap();
        (NoteWriter::new(&Page::map(&fd).unwrap(), Arc::new(theirs)), NoteReader::new(&page), ours)
    }

    fn note(number: usize) -> Vec<u8> {
        vec![number as u8; number * 7919 % (NOTE_MAX + 1)]
    }

    #[test]
    fn notes_of_any_length_arrive_in_order() {
        let (mut writer, mut reader, _socket) = ends();
        let writing = thread::spawn(move || (0..400).for_each(|number| assert!(writer.write(&note(number)))));
        for number in 0..400 {
            let read = loop {
                if let Some(read) = reader.next().unwrap() {
                    break read;
                }
                thread::yield_now();
            };
            assert!(read == note(number), "note {number}");
        }
        writing.join().unwrap();
        assert!(!reader.has_news() && reader.next().unwrap().is_none());
    }

    #[test]
    fn where_nobody_reads_notes_are_lost_and_nobody_waits_for_long() {
        let (mut writer, mut reader, _socket) = ends();
        let longest = vec![1; NOTE_MAX];
        while writer.write(&longest) {}
        let before = Instant::now();
        assert!((0..100).all(|_| !writer.write(&longest)));
        assert!(before.elapsed() < PATIENCE, "it has waited once");
        while reader.next().unwrap().is_some() {}
        assert!(writer.write(b"more"), "there is room again");
        let mut last = Vec::new();
        while let Some(note) = reader.next().unwrap() {
            last = note.to_vec();
        }
        assert!(last == b"more", "what had been begun came to its end before");
    }

    #[test]
    fn a_length_that_cannot_be_is_an_error() {
        let (mut writer, mut reader, _socket) = ends();
        write(&mut writer.ring, &(NOTE_MAX as u64 + 1).to_le_bytes()).unwrap();
        writer.ring.close();
        assert_eq!(reader.next(), Err(Broken));
    }
}
