//! Where the words of a ring are put.

use super::WORD;
#[cfg(all(loom, test))]
use super::own::load;
use crate::sync::AtomicU64;
use crate::sys::row::Row;
#[cfg(not(all(loom, test)))]
use crate::sys::words::load;

/// See the module.
pub(super) trait Sink {
    /// For how many words there is room.
    fn words(&self) -> usize;

    /// Takes all of `words`, for which there is room.
    fn take(&mut self, words: &[AtomicU64]);
}

/// The bytes that are not filled yet.
pub(super) struct Bytes<'a>(pub(super) &'a mut [u8]);

impl Sink for Bytes<'_> {
    fn words(&self) -> usize {
        self.0.len() / WORD
    }

    fn take(&mut self, words: &[AtomicU64]) {
        let (now, later) = std::mem::take(&mut self.0).split_at_mut(words.len() * WORD);
        load(words, now);
        self.0 = later;
    }
}

impl Sink for Row {
    fn words(&self) -> usize {
        self.room() / WORD
    }

    #[cfg(not(all(loom, test)))]
    fn take(&mut self, words: &[AtomicU64]) {
        self.load(words);
    }

    #[cfg(all(loom, test))]
    fn take(&mut self, _: &[AtomicU64]) {
        unreachable!("no model fills a row")
    }
}
