//! A frame that is so short that it is put into a ring as a whole, in one step.

use crate::wire::frame::{Head, WORD};

/// The words of a frame, its head among them.
#[derive(Debug)]
pub(super) struct Short {
    words: [u64; WORDS_MAX],
    len: usize,
}

/// A frame with so many bytes behind its head is short.
pub(crate) const SHORT_MAX: usize = 9 * WORD;

const HEAD_WORDS: usize = 2;

const WORDS_MAX: usize = HEAD_WORDS + SHORT_MAX / WORD;

impl Short {
    /// The frame of `bytes`; `None` if it is not short.
    #[inline]
    pub(super) fn new(head: Head, bytes: &[u8]) -> Option<Self> {
        let len = HEAD_WORDS + bytes.len().div_ceil(WORD);
        if len > WORDS_MAX {
            return None;
        }
        let mut words = [0; WORDS_MAX];
        words[..HEAD_WORDS].copy_from_slice(&head.words());
        let (whole, rest) = bytes.split_at(bytes.len() / WORD * WORD);
        for (word, bytes) in words[HEAD_WORDS..].iter_mut().zip(whole.chunks_exact(WORD)) {
            *word = u64::from_le_bytes(bytes.try_into().expect("a word"));
        }
        if !rest.is_empty() {
            words[len - 1] = rest.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
        }
        Some(Self { words, len })
    }

    #[inline]
    pub(super) fn words(&self) -> &[u64] {
        &self.words[..self.len]
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_of_the_frame() {
        let bytes: Vec<u8> = (1..=u8::MAX).collect();
        for len in 0..=SHORT_MAX {
            let head = Head { kind: 3, tag: 77, len, row: None };
            let short = Short::new(head, &bytes[..len]).unwrap();
            let said: Vec<u8> = short.words().iter().flat_map(|word| word.to_le_bytes()).collect();
            let mut frame = [&head.bytes()[..], &bytes[..len]].concat();
            frame.resize(frame.len().next_multiple_of(WORD), 0);
            assert_eq!(said, frame, "{len} bytes");
        }
        assert!(Short::new(Head::default(), &bytes[..SHORT_MAX + 1]).is_none());
    }
}
