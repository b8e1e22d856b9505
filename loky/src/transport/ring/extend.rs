//! The short ways of writing: a few words more for a record that has been begun, and a record of a few words.
//!
//! Whoever writes many small pieces in a row would otherwise ask with each of them what has been settled by the first; and
//! a small record where the ring is used most, near its start, needs next to nothing of what any record may need.

use super::{HEAD, LINE, Memory, Writer, is_near, lines, record_max};
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

    /// Writes a record of all of `words`, of which there are a few, and ends it. `false`: there is a current record, or a
    /// new one is not to be here, or there is no room; then nothing was done.
    #[inline]
    pub(crate) fn put(&mut self, words: &[u64]) -> bool {
        let (all, next) = (self.memory.words().len(), self.place + lines(words.len()) as u64);
        // What comes next is near, too: so the reader leaves a zero there, and the record does not go round.
        let is_here = !self.is_begun() && is_near(all, self.place) && is_near(all, next);
        if !is_here || words.len() >= record_max(all) || self.room(words.len()).unwrap_or(0) < words.len() {
            return false;
        }
        let start = self.offset() + 1;
        for (place, &word) in self.memory.words()[start..start + words.len()].iter().zip(words) {
            place.store(word, Ordering::Relaxed);
        }
        self.store_head(HEAD | words.len() as u64);
        self.place = next;
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

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::Arc;

    use super::super::own::Own;
    use super::super::{Reader, WORD, near};
    use super::*;

    fn read_all(reader: &mut Reader<Arc<Own>>) -> Vec<u64> {
        let (mut all, mut bytes) = (Vec::new(), [0; 1024 * WORD]);
        loop {
            let len = reader.read(&mut bytes).unwrap();
            all.extend(bytes[..len].chunks_exact(WORD).map(|word| u64::from_le_bytes(word.try_into().unwrap())));
            if len == 0 {
                return all;
            }
        }
    }

    #[test]
    fn records_of_a_few_words_are_put_among_others_and_come_in_order() {
        let memory = Arc::new(Own::new(4096));
        let (mut writer, mut reader) = (Writer::new(Arc::clone(&memory)), Reader::new(memory));
        let (mut next, mut seen, mut put) = (0, Vec::new(), 0);
        for round in 0..3000 {
            let words: Vec<u64> = (next..=next + round % 20).collect();
            if round % 7 < 5 && writer.put(&words) {
                put += 1;
            } else {
                let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
                assert_eq!(writer.append(&bytes).unwrap(), bytes.len());
                assert!(!writer.put(&words), "there is a record that has been begun");
                writer.close();
            }
            next += words.len() as u64;
            if round % 5 == 0 {
                seen.extend(read_all(&mut reader));
            }
        }
        seen.extend(read_all(&mut reader));
        assert!(put > 1000 && seen.into_iter().eq(0..next), "{put} were put");
    }

    #[test]
    fn what_has_no_room_near_the_start_is_not_put() {
        let memory = Arc::new(Own::new(4096));
        let mut writer = Writer::new(Arc::clone(&memory));
        let count = std::iter::repeat_with(|| writer.put(&[1])).take_while(|&is_put| is_put).count();
        assert_eq!(count, near(4096) / LINE - 1, "the last one there is not followed by one");
        assert_eq!(writer.append(&[2; WORD]), Ok(WORD));
        writer.close();
        assert!(!writer.put(&[3]), "far from the start");
        let mut writer = Writer::new(Arc::new(Own::new(4096)));
        assert!(!writer.put(&[0; 2048]) && !writer.put(&[0; 300]) && writer.put(&[0; 20]));
    }
}
