//! How far the worker says that it has come with what it runs: for whoever watches, and for whoever asks what it died of.
//!
//! The worker writes into one of two slots, and then says which: what it has said last is whole at every moment, also when
//! it is dead. A reader that is overtaken twice reads again.

use std::sync::atomic::{Ordering, fence};

use super::{AtomicU64, Page};

/// All zeroes at first.
#[repr(C, align(128))]
#[derive(Debug)]
pub(super) struct Told {
    /// How often something was said; the last time in the slot that this is the number of, if there are two.
    count: AtomicU64,
    slots: [Slot; 2],
}

#[repr(C)]
#[derive(Debug)]
struct Slot {
    /// Which item of which call.
    item: AtomicU64,
    /// The bits of a number.
    fraction: AtomicU64,
    /// How many bytes the text has.
    len: AtomicU64,
    text: [AtomicU64; TEXT_MAX / WORD],
}

/// How far a worker has come.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Advance {
    /// Not a number, if that was not said.
    pub(crate) fraction: f64,
    pub(crate) text: Vec<u8>,
}

/// Longer texts are cut.
pub(crate) const TEXT_MAX: usize = 128;

const WORD: usize = 8;

/// How often a reader that is overtaken reads again.
const LOOKS_MAX: usize = 8;

#[cfg(any(test, fuzzing))]
impl Told {
    pub(super) fn bare(&self) -> Vec<(&'static str, &AtomicU64)> {
        let slots = self.slots.iter().flat_map(|Slot { item, fraction, len, text }| {
            [("told.item", item), ("told.fraction", fraction), ("told.len", len), ("told.text", &text[0])]
        });
        [("told.count", &self.count)].into_iter().chain(slots).collect()
    }
}

impl Page {
    /// For the worker: changes what it has said of the item that it runs. One thread at a time.
    pub(crate) fn tell_advance(&self, change: impl FnOnce(&mut Advance)) {
        let (told, item) = (&self.shared().told, self.begun().to_word());
        let count = told.count.load(Ordering::Relaxed);
        let mut advance = told.slots[count as usize % 2].read(item).unwrap_or_default();
        change(&mut advance);
        // A reader that sees a word of what follows sees that the other slot is the last one.
        fence(Ordering::Release);
        told.slots[(count as usize + 1) % 2].write(item, &advance);
        told.count.store(count.wrapping_add(1), Ordering::Release);
    }

    /// For the parent: what was said of the item that has begun last.
    pub(crate) fn advance(&self) -> Option<Advance> {
        let (told, item) = (&self.shared().told, self.begun().to_word());
        for _ in 0..LOOKS_MAX {
            let count = told.count.load(Ordering::Acquire);
            let advance = told.slots[count as usize % 2].read(item);
            // What was read before is not read after this.
            fence(Ordering::Acquire);
            if told.count.load(Ordering::Relaxed) == count {
                return advance;
            }
        }
        None
    }
}

impl Slot {
    fn read(&self, item: u64) -> Option<Advance> {
        if item == 0 || self.item.load(Ordering::Relaxed) != item {
            return None;
        }
        let words = self.text.iter().flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes());
        let len = usize::try_from(self.len.load(Ordering::Relaxed)).unwrap_or(TEXT_MAX);
        let fraction = f64::from_bits(self.fraction.load(Ordering::Relaxed));
        Some(Advance { fraction, text: words.take(len).collect() })
    }

    fn write(&self, item: u64, advance: &Advance) {
        self.item.store(item, Ordering::Relaxed);
        self.fraction.store(advance.fraction.to_bits(), Ordering::Relaxed);
        self.len.store(advance.text.len() as u64, Ordering::Relaxed);
        for (word, bytes) in self.text.iter().zip(advance.text.chunks(WORD)) {
            let mut whole = [0; WORD];
            whole[..bytes.len()].copy_from_slice(bytes);
            word.store(u64::from_le_bytes(whole), Ordering::Relaxed);
        }
    }
}

impl Default for Advance {
    fn default() -> Self {
        Self { fraction: f64::NAN, text: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::super::bare::sides;
    use super::*;

    #[test]
    fn what_was_said_is_of_the_item_that_runs() {
        let (parent, worker, mut beginner) = sides();
        worker.tell_advance(|advance| advance.fraction = 0.1);
        assert_eq!(parent.advance(), None, "nothing runs");
        assert!(beginner.begin(1, 0) && parent.advance().is_none());
        worker.tell_advance(|advance| advance.fraction = 0.5);
        worker.tell_advance(|advance| advance.text = b"half of it".to_vec());
        assert_eq!(parent.advance(), Some(Advance { fraction: 0.5, text: b"half of it".to_vec() }));
        beginner.go_on(1);
        assert_eq!(parent.advance(), None, "the next item has said nothing");
        worker.tell_advance(|advance| advance.text = b"next".to_vec());
        let advance = parent.advance().unwrap();
        assert!(advance.fraction.is_nan() && advance.text == b"next");
    }

    #[test]
    fn what_is_read_was_said_as_a_whole() {
        let (parent, worker, mut beginner) = sides();
        assert!(beginner.begin(1, 0));
        let said =
            |number: u32| Advance { fraction: number.into(), text: vec![number as u8; number as usize % TEXT_MAX] };
        let telling = thread::spawn(move || {
            for number in 0..200_000 {
                worker.tell_advance(|advance| *advance = said(number));
            }
        });
        while !telling.is_finished() {
            if let Some(advance) = parent.advance() {
                assert_eq!(advance, said(advance.fraction as u32));
            }
        }
        telling.join().unwrap();
        assert_eq!(parent.advance(), Some(said(199_999)));
    }
}
