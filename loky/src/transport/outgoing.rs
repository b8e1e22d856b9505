//! What a parent says to one worker: written into the ring as far as that takes it, and kept where it does not.
//!
//! What is kept is bounded by the credit of the worker: the scheduler gives it no further call.

use std::collections::VecDeque;
use std::ops::Range;

use super::payload::Payload;
use super::ring::{Broken, Chime, Memory, Writer};

/// See the module.
#[derive(Debug)]
pub(super) struct Outgoing<M> {
    ring: Writer<M>,
    queue: VecDeque<Kept>,
    /// Whether something was added and the worker has not been rung for it, if it sleeps.
    has_news: bool,
}

/// A part of a frame; it begins at a whole word.
#[derive(Clone, Debug)]
pub(crate) enum Part<'a> {
    Bytes(&'a [u8]),
    /// Of one of its pieces.
    Payload(&'a Payload, Range<usize>),
}

/// A part that waits to be written.
#[derive(Debug)]
enum Kept {
    Bytes(Vec<u8>),
    Payload(Payload, Range<usize>),
}

/// So much of a long message is shown before the rest is written: whoever sleeps wakes up meanwhile.
pub(super) const EARLY: usize = 16 << 10;

impl Part<'_> {
    /// The first `len` bytes, whole words, and the others; `None` if it is not much longer.
    pub(super) fn split(&self, len: usize) -> Option<(Self, Self)> {
        if self.bytes().len() < 2 * len {
            return None;
        }
        Some(match self {
            Self::Bytes(bytes) => (Self::Bytes(&bytes[..len]), Self::Bytes(&bytes[len..])),
            Self::Payload(payload, range) => {
                let middle = range.start + len;
                (Self::Payload(payload, range.start..middle), Self::Payload(payload, middle..range.end))
            }
        })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Payload(payload, range) => payload.part(range.clone()),
        }
    }

    /// All but the first `done` bytes.
    fn keep(&self, done: usize) -> Kept {
        match self {
            Self::Bytes(bytes) => Kept::Bytes(bytes[done..].to_vec()),
            Self::Payload(payload, range) => Kept::Payload((*payload).clone(), range.start + done..range.end),
        }
    }
}

impl<M: Memory> Outgoing<M> {
    pub(super) fn new(memory: M) -> Self {
        Self { ring: Writer::new(memory), queue: VecDeque::new(), has_news: false }
    }

    /// Adds to what is to be said; [`flush`](Self::flush) shows it to the worker.
    pub(super) fn add(&mut self, part: &Part<'_>) -> Result<(), Broken> {
        let bytes = part.bytes();
        self.has_news = true;
        let done = if self.queue.is_empty() { write(&mut self.ring, bytes)? } else { 0 };
        if done < bytes.len() {
            self.queue.push_back(part.keep(done));
        }
        Ok(())
    }

    /// The same for a whole frame of these words, shown at once. `false`: that cannot be done now, and nothing was.
    #[inline]
    pub(super) fn put(&mut self, words: &[u64]) -> bool {
        let is_put = self.queue.is_empty() && self.ring.put(words);
        self.has_news |= is_put;
        is_put
    }

    /// Writes what there is room for, and shows it. Returns how the worker is to be woken, if it sleeps. If something
    /// is left, the worker will ring when it has made room.
    pub(super) fn flush(&mut self) -> Result<Option<Chime>, Broken> {
        if !std::mem::take(&mut self.has_news) && self.queue.is_empty() {
            return Ok(None);
        }
        while !self.write_kept()? {
            self.ring.close();
            if self.ring.may_sleep()? {
                break;
            }
        }
        self.ring.close();
        Ok(self.ring.must_ring())
    }

    /// Whether something waits for room.
    pub(super) fn has_more(&self) -> bool {
        !self.queue.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.queue.clear();
    }

    /// Returns whether nothing is left.
    fn write_kept(&mut self) -> Result<bool, Broken> {
        while let Some(kept) = self.queue.front_mut() {
            let bytes = match kept {
                Kept::Bytes(bytes) => &bytes[..],
                Kept::Payload(payload, range) => payload.part(range.clone()),
            };
            let done = write(&mut self.ring, bytes)?;
            if done < bytes.len() {
                match kept {
                    Kept::Bytes(bytes) => drop(bytes.drain(..done)),
                    Kept::Payload(_, range) => range.start += done,
                }
                return Ok(false);
            }
            self.queue.pop_front();
        }
        Ok(true)
    }
}

/// Writes as many of `bytes` as there is room for, in as many records as that takes.
pub(super) fn write<M: Memory>(ring: &mut Writer<M>, bytes: &[u8]) -> Result<usize, Broken> {
    let mut done = 0;
    while done < bytes.len() {
        match ring.append(&bytes[done..])? {
            0 if ring.is_begun() => ring.close(),
            0 => break,
            len => done += len,
        }
    }
    Ok(done)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::ring::{Reader, own};
    use super::*;

    #[test]
    fn what_does_not_fit_is_kept_and_follows_in_order() {
        let memory = own::Own::shared(64);
        let (mut outgoing, mut reader) = (Outgoing::new(memory.clone()), Reader::new(memory));
        let text: Vec<u8> = (0..2000).map(|at| at as u8).collect();
        let (long, short) = (Payload::from(text.clone()), Payload::copy(&text[..16]));
        for part in [Part::Bytes(&text[..24]), Part::Payload(&long, 8..2000), Part::Payload(&short, 0..16)] {
            outgoing.add(&part).unwrap();
        }
        let (mut seen, mut bytes) = (Vec::new(), [0; 64]);
        assert_eq!(outgoing.flush(), Ok(None));
        while seen.len() < 24 + 1992 + 16 {
            let len = reader.read(&mut bytes).unwrap();
            seen.extend_from_slice(&bytes[..len]);
            assert!(len > 0 || outgoing.flush() == Ok(None));
        }
        assert!(seen == [&text[..24], &text[8..], &text[..16]].concat() && outgoing.queue.is_empty());
    }
}
