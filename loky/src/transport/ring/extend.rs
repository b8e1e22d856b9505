//! The short way of writing: a few words more for a record that has been begun.
//!
//! Whoever writes many small pieces in a row would otherwise ask with each of them what has been settled by the first.

use super::{LINE, Memory, Writer, record_max};
use crate::sync::Ordering;

impl<M: Memory> Writer<M> {
    /// Adds all of `words` to the current record, and makes it readable so far, without ending it. `false`: there is no
    /// current record, or it does not take them where it is; then nothing was done.
    #[inline]
    pub(crate) fn extend<const COUNT: usize>(&mut self, words: [u64; COUNT]) -> bool {
        if self.len + COUNT > self.granted {
            return false;
        }
        let start = self.offset() + 1 + self.len;
        for (place, word) in self.memory.words()[start..start + COUNT].iter().zip(words) {
            place.store(word, Ordering::Relaxed);
        }
        self.len += COUNT;
        self.commit();
        true
    }

    /// How far the current record can grow: to where it is as long as it may be, or meets what has not been given
    /// back, or the end of the ring. Not at all if it was not begun.
    pub(super) fn grant(&self) -> usize {
        let all = self.memory.words().len();
        // The line behind it is kept free.
        let room = self.free().saturating_sub(1 + LINE).min(all - self.offset() - 1);
        if self.is_begun() { room.min(record_max(all) - 1) } else { 0 }
    }

    /// Where the current record is.
    fn offset(&self) -> usize {
        self.place as usize & (self.memory.words().len() - 1)
    }
}
