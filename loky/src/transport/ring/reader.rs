//! The end of a ring that reads: believes nothing, and gives back what it has read.

use super::sink::{Bytes, Sink};
use super::sleeps::{Chime, Patience, Sleeps};
use super::{Broken, HEAD, JUMP, LINE, Memory, OPEN, WORD, at, is_near, lines, near, record_max, stretch};
use crate::sync::Ordering;
use crate::sys::row::Row;

/// The end that reads.
#[derive(Debug)]
pub(crate) struct Reader<M> {
    memory: M,
    /// How many words were ever given back: where the current record is.
    place: u64,
    /// How many words of the current record have been read.
    done: usize,
    /// How many words were given back since it was last asked whether the writer sleeps.
    quietly: usize,
    sleeps: Sleeps,
}

impl<M: Memory> Reader<M> {
    pub(crate) fn new(memory: M) -> Self {
        Self { memory, place: 0, done: 0, quietly: 0, sleeps: Sleeps::default() }
    }

    /// Reads into `bytes`, whose length is a multiple of a word, as many words as there are, up to the next time that it is
    /// to be asked who [must be rung for](Self::must_ring). Returns how many bytes; zero if there is nothing.
    pub(crate) fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Broken> {
        self.read_to(&mut Bytes(bytes))
    }

    /// The same, as far as `row` has room.
    pub(crate) fn read_row(&mut self, row: &mut Row) -> Result<usize, Broken> {
        self.read_to(row)
    }

    fn read_to(&mut self, to: &mut impl Sink) -> Result<usize, Broken> {
        let mut total = 0;
        while to.words() > 0 {
            let head = self.head();
            if head == HEAD | JUMP && self.may_jump() {
                let all = self.memory.words().len();
                self.give_back(all - (self.place as usize & (all - 1)));
                continue;
            }
            let Some(len) = self.check(head)? else { break };
            let count = (len - self.done).min(to.words());
            let (first, second) = stretch(self.memory.words(), self.place + 1 + self.done as u64, count);
            to.take(first);
            to.take(second);
            self.done += count;
            total += count * WORD;
            if self.done < len || head & OPEN != 0 {
                break;
            }
            self.clear(lines(len));
            self.give_back(lines(len));
            if self.is_to_ring() {
                break;
            }
        }
        Ok(total)
    }

    /// Whether there is a record that is closed.
    pub(crate) fn has_news(&self) -> bool {
        let head = match self.head() {
            head if head & JUMP != 0 => self.memory.words()[0].load(Ordering::Acquire),
            head => head,
        };
        head != 0 && head & OPEN == 0
    }

    /// After a read: how the writer is to be woken, if it sleeps. Says so once for each sleep, and not before half of
    /// the ring was given back: each waking takes a while.
    ///
    /// Before that there is nothing to ask for. A writer sleeps when the ring is full, so as much as half of it is given
    /// back between that moment and the one when nothing is left to read.
    pub(crate) fn must_ring(&mut self) -> Option<Chime> {
        if !self.is_to_ring() {
            return None;
        }
        self.quietly = 0;
        self.sleeps.must_ring(self.memory.writer_sleeps(), None)
    }

    /// Whether so much was given back that a writer that sleeps is to be woken, also if there is more to read: both are to
    /// be at work.
    fn is_to_ring(&self) -> bool {
        self.quietly >= self.memory.words().len() / 2
    }

    /// Announces that this side will sleep until there is something to read, for which its patience ends. `false`:
    /// there is something already.
    pub(crate) fn may_sleep(&mut self, chime: Chime, patience: Patience) -> bool {
        self.sleeps.announce(self.memory.reader_sleeps(), chime, patience);
        let has_news = self.has_news();
        if has_news {
            self.wake();
        }
        !has_news
    }

    /// If this side sleeps, it is to be woken no later than by the answer to the call with this number. `false`: there
    /// is something to read already, of which it is not told.
    pub(crate) fn hurry(&mut self, number: u16) -> bool {
        let sleeping = self.sleeps.is_too_patient_for(number);
        sleeping.is_none_or(|chime| self.may_sleep(chime, Patience::Until(number)))
    }

    /// Takes the announcement back.
    pub(crate) fn wake(&mut self) {
        self.sleeps.wake(self.memory.reader_sleeps());
    }

    /// Whether an honest writer would jump from here.
    fn may_jump(&self) -> bool {
        let all = self.memory.words().len();
        self.done == 0 && !is_near(all, self.place)
    }

    fn head(&self) -> u64 {
        at(self.memory.words(), self.place).load(Ordering::Acquire)
    }

    /// How many words the record with this head has; `None` if there is none, or nothing new in it.
    fn check(&self, head: u64) -> Result<Option<usize>, Broken> {
        let len = (head & !(HEAD | OPEN)) as usize;
        match head {
            0 if self.done == 0 => Ok(None),
            _ if head & HEAD == 0 || len >= record_max(self.memory.words().len()) || len < self.done => Err(Broken),
            _ if head & OPEN != 0 && len == self.done => Ok(None),
            _ if len == 0 => Err(Broken),
            _ => Ok(Some(len)),
        }
    }

    /// Makes the lines of the next `count` words zero at their start, where that is for the reader to do.
    fn clear(&self, count: usize) {
        let words = self.memory.words();
        let (all, near) = (words.len(), near(words.len()));
        let start = self.place as usize & (all - 1);
        let (end, end_at_start) = (start + count, (start + count).saturating_sub(all));
        for range in [start.min(near)..end.min(near), 0..end_at_start.min(near)] {
            words[range].iter().step_by(LINE).for_each(|word| word.store(0, Ordering::Relaxed));
        }
    }

    /// Goes on by `count` words.
    fn give_back(&mut self, count: usize) {
        self.place += count as u64;
        self.quietly += count;
        self.done = 0;
        self.memory.read().store(self.place, Ordering::Release);
    }
}
