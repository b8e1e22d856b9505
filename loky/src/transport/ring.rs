//! A queue of words from one process to another, in memory that both have mapped: one writes, one reads.
//!
//! Words lie in *records*: a head, which is one word, and the words that it counts. A record begins on a cache line
//! of its own. A line that begins with zero is where the next record will be: the writer stores the head last, so
//! whoever sees it sees the rest. Near the start of the ring, the reader makes the first word of every line zero
//! again before it gives a record back: so a small record has no cache line to cross but its own. Elsewhere it leaves
//! what it has read, which costs a long record less, and the writer makes the line behind a record zero before the
//! record is seen; so it needs that line, too, to be given back.
//!
//! A record may be *open*: what is in it can be read, and more will follow before it is closed. An open record is no
//! news: it is there for whoever reads after the writer has died.
//!
//! Memory that was never touched costs nothing, and what was touched once stays. So as long as little is under way, the
//! writer jumps back to the start early, and the far end of the ring is used by long messages alone.
//!
//! Neither side waits in here. Whoever finds nothing to read, or no room, may announce that it will sleep; the other
//! side then rings a bell, of whatever kind, when that has changed. Nobody rings for a side that is awake.
//!
//! # Why no bell is missed
//!
//! The sleeper first stores its announcement and then looks at the ring once more; the other side first changes the
//! ring and then looks for an announcement. Between the two steps each has a full fence. So either the sleeper sees
//! the change, or the other side sees the announcement. The models explore this. Every sleep is announced by another
//! number, so the other side knows which ones it has rung for, and writes nothing there.
//!
//! # Whom it believes
//!
//! The other side may be broken, and may write anything anywhere at any time. Whatever is read from the memory is
//! checked once, after it was copied: a position that cannot be, or a record longer than any, is an error. All
//! accesses are atomic, so nothing is undefined about them.

mod extend;
mod memory;
#[cfg(all(test, loom))]
mod model;
#[cfg(any(test, fuzzing))]
pub(crate) mod own;
mod reader;
mod sink;
mod sleeps;
#[cfg(all(test, not(loom)))]
mod tests;

use std::fmt;

pub(crate) use self::memory::Memory;
#[cfg(all(loom, test))]
use self::own::store;
pub(crate) use self::reader::Reader;
use self::sleeps::Sleeps;
pub(crate) use self::sleeps::{Chime, Patience};
use crate::sync::{AtomicU64, Ordering};
#[cfg(not(all(loom, test)))]
use crate::sys::words::store;

/// What the other side has written is no ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the shared ring is damaged")
    }
}

/// Bytes in a word.
pub(crate) const WORD: usize = 8;

/// Words in a cache line.
const LINE: usize = 8;

/// Set in every head, so that no head is zero.
const HEAD: u64 = 1 << 63;

/// More words of the record will come.
const OPEN: u64 = 1 << 62;

/// There is no record here, but at the start of the ring.
const JUMP: u64 = 1 << 61;

/// A record has at most so many words, its head included: 16 KiB, so that the reader is at work on a long message
/// almost as soon as the writer is, and few heads cost nothing.
const RECORD_MAX: usize = 2048;

/// The part of the ring that short messages use; of a small ring more than a line, so that a model comes to jump.
const NEAR: usize = if cfg!(loom) { 2 } else { 32 };

/// The end that writes.
#[derive(Debug)]
pub(crate) struct Writer<M> {
    memory: M,
    /// How many words were ever passed: where the current record is.
    place: u64,
    /// How many words of the current record are filled, its head not counted.
    len: usize,
    /// So many words of the current record may be filled without asking for room.
    granted: usize,
    /// How many words the reader had given back when that was last looked at.
    read: u64,
    sleeps: Sleeps,
}

impl<M: Memory> Writer<M> {
    pub(crate) fn new(memory: M) -> Self {
        Self { memory, place: 0, len: 0, granted: 0, read: 0, sleeps: Sleeps::default() }
    }

    /// Adds as many of `bytes` to the current record as fit, the last word filled up with zeroes. Returns how many
    /// bytes: all of them, or a multiple of a word. Nobody sees them before [`commit`](Self::commit) or
    /// [`close`](Self::close). Zero if the record is as long as it may be, or the ring is full.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<usize, Broken> {
        let wanted = bytes.len().div_ceil(WORD);
        if self.len == 0 {
            self.choose_place(wanted)?;
        }
        let most = record_max(self.memory.words().len()) - 1 - self.len;
        let count = wanted.min(most).min(self.room(wanted)?);
        let (first, second) = stretch(self.memory.words(), self.place + 1 + self.len as u64, count);
        let len = bytes.len().min(count * WORD);
        let (before, after) = bytes[..len].split_at(len.min(first.len() * WORD));
        store(first, before);
        store(second, after);
        self.len += count;
        self.granted = self.grant();
        Ok(len)
    }

    /// Makes what the current record has so far readable, without ending it.
    pub(crate) fn commit(&self) {
        if self.len > 0 {
            self.store_head(HEAD | OPEN | self.len as u64);
        }
    }

    /// Ends the current record, if there is one.
    pub(crate) fn close(&mut self) {
        if self.len > 0 {
            let (words, next) = (self.memory.words(), self.place + lines(self.len) as u64);
            if !is_near(words.len(), next) {
                at(words, next).store(0, Ordering::Relaxed);
            }
            self.store_head(HEAD | self.len as u64);
            (self.place, self.len, self.granted) = (next, 0, 0);
        }
    }

    /// Whether the current record has something in it.
    pub(crate) const fn is_begun(&self) -> bool {
        self.len > 0
    }

    /// After a close: how the reader is to be woken, if it sleeps. Says so once for each sleep.
    pub(crate) fn must_ring(&mut self) -> Option<Chime> {
        self.sleeps.must_ring(self.memory.reader_sleeps(), None)
    }

    /// The same, if that was the answer to the call with this number: a reader that is patient may not want to know.
    /// Then this side must not sleep before it has asked [`must_ring`](Self::must_ring).
    pub(crate) fn must_ring_for(&mut self, number: u16) -> Option<Chime> {
        self.sleeps.must_ring(self.memory.reader_sleeps(), Some(number))
    }

    /// Whether the reader was not rung for, because it is patient.
    pub(crate) const fn withholds(&self) -> bool {
        self.sleeps.withholds
    }

    /// Announces that this side will sleep until there is room for a record. `false`: there is room already.
    pub(crate) fn may_sleep(&mut self) -> Result<bool, Broken> {
        self.sleeps.announce(self.memory.writer_sleeps(), Chime::Link, Patience::None);
        let is_full = self.room(1)? == 0;
        if !is_full {
            self.wake();
        }
        Ok(is_full)
    }

    /// Takes the announcement back.
    pub(crate) fn wake(&mut self) {
        self.sleeps.wake(self.memory.writer_sleeps());
    }

    /// Goes back to the start of the ring, if the next record is short and what is under way would find room there.
    fn choose_place(&mut self, wanted: usize) -> Result<(), Broken> {
        let all = self.memory.words().len();
        let (near, offset) = (near(all), self.place as usize & (all - 1));
        if is_near(all, self.place) || lines(wanted) > near {
            return Ok(());
        }
        self.look_for_room()?;
        // With the line behind it: who has jumped must have room there, since the reader may not come before there is something.
        if (self.place - self.read) as usize + lines(wanted) + LINE <= near {
            self.store_head(HEAD | JUMP);
            self.place += (all - offset) as u64;
        }
        Ok(())
    }

    /// How many more words fit into the current record, as far as that matters to somebody who wants `wanted`.
    fn room(&mut self, wanted: usize) -> Result<usize, Broken> {
        let others = 1 + self.len + LINE;
        if self.free() < others + wanted {
            self.look_for_room()?;
        }
        Ok(self.free().saturating_sub(others))
    }

    /// Words from the start of the current record to what the reader has not given back.
    fn free(&self) -> usize {
        self.memory.words().len() - (self.place - self.read) as usize
    }

    fn look_for_room(&mut self) -> Result<(), Broken> {
        let read = self.memory.read().load(Ordering::Acquire);
        // The reader gives back whole lines of what was written, and takes nothing back.
        if read < self.read || read > self.place || read as usize % LINE != 0 {
            return Err(Broken);
        }
        self.read = read;
        Ok(())
    }

    fn store_head(&self, head: u64) {
        at(self.memory.words(), self.place).store(head, Ordering::Release);
    }
}

fn record_max(all: usize) -> usize {
    RECORD_MAX.min(all / 2)
}

fn near(all: usize) -> usize {
    (all / NEAR).max(LINE)
}

/// Whether this place is in the part of a ring of `all` words that short messages use.
fn is_near(all: usize, place: u64) -> bool {
    (place as usize & (all - 1)) < near(all)
}

/// The words that a record of `len` words takes up with its head.
const fn lines(len: usize) -> usize {
    (1 + len).next_multiple_of(LINE)
}

fn at(words: &[AtomicU64], place: u64) -> &AtomicU64 {
    &words[place as usize & (words.len() - 1)]
}

/// The `count` words from `place` on, which may go on at the start.
fn stretch(words: &[AtomicU64], place: u64, count: usize) -> (&[AtomicU64], &[AtomicU64]) {
    let start = place as usize & (words.len() - 1);
    let first = count.min(words.len() - start);
    (&words[start..start + first], &words[..count - first])
}
