//! A ring's memory in this process alone, for tests and what is thrown at it.

use std::ops::Deref;

use super::Memory;
use crate::sync::AtomicU64;
#[cfg(loom)]
use crate::sync::Ordering;

#[derive(Debug)]
pub(crate) struct Own {
    read: AtomicU64,
    reader_sleeps: AtomicU64,
    writer_sleeps: AtomicU64,
    words: Vec<AtomicU64>,
}

impl Own {
    #[cfg(not(loom))]
    pub(crate) fn shared(words: usize) -> std::sync::Arc<Self> {
        std::sync::Arc::new(Self::new(words))
    }

    pub(super) fn new(words: usize) -> Self {
        let zero = || AtomicU64::new(0);
        let words = std::iter::repeat_with(zero).take(words).collect();
        Self { read: zero(), reader_sleeps: zero(), writer_sleeps: zero(), words }
    }
}

impl<T: Deref<Target = Own>> Memory for T {
    fn read(&self) -> &AtomicU64 {
        &self.read
    }

    fn reader_sleeps(&self) -> &AtomicU64 {
        &self.reader_sleeps
    }

    fn writer_sleeps(&self) -> &AtomicU64 {
        &self.writer_sleeps
    }

    fn words(&self) -> &[AtomicU64] {
        &self.words
    }
}

/// One word after the other, as the model sees them.
#[cfg(loom)]
pub(super) fn store(words: &[AtomicU64], bytes: &[u8]) {
    for (word, bytes) in words.iter().zip(bytes.chunks(8)) {
        let mut padded = [0; 8];
        padded[..bytes.len()].copy_from_slice(bytes);
        word.store(u64::from_le_bytes(padded), Ordering::Relaxed);
    }
}

#[cfg(loom)]
pub(super) fn load(words: &[AtomicU64], bytes: &mut [u8]) {
    for (word, bytes) in words.iter().zip(bytes.chunks_exact_mut(8)) {
        bytes.copy_from_slice(&word.load(Ordering::Relaxed).to_le_bytes());
    }
}
