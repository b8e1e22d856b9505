//! Long pieces of memory that are used again: what the system gives anew has to be touched page by page, which takes
//! longer than to fill it.
//!
//! What is not in use is bounded: at most [`KEPT_MAX`] pieces of at most [`LONG_MAX`] bytes each, so 4 MiB in a
//! process. Shorter pieces are quick to have, and longer ones are not kept; but each thread keeps one short piece, for
//! what it writes a moment before it is copied.

use std::cell::Cell;
use std::collections::TryReserveError;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Mutex;

/// Bytes whose memory is used again when they are dropped.
#[derive(Default, PartialEq, Eq)]
pub(crate) struct Memory(Vec<u8>);

/// What nobody uses, the last one first.
static KEPT: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// How many pieces are kept.
const KEPT_MAX: usize = 2;

/// Allocators give shorter pieces from memory that was touched before.
const LONG_MIN: usize = 64 << 10;

/// A short piece has room for so much at first.
const SHORT_LEN: usize = 64;

/// No longer one is kept as a short one.
const SHORT_MAX: usize = 4 << 10;

/// Longer pieces are given back to the system.
pub(crate) const LONG_MAX: usize = 2 << 20;

/// Makes room for so many more bytes. An error changes nothing.
#[inline]
pub(crate) fn reserve(bytes: &mut Vec<u8>, more: usize) -> Result<(), TryReserveError> {
    match bytes.len().checked_add(more) {
        Some(len) if len <= bytes.capacity() => Ok(()),
        Some(len) => match take(len) {
            Some(mut kept) => {
                kept.extend_from_slice(bytes);
                *bytes = kept;
                Ok(())
            }
            None => bytes.try_reserve(more),
        },
        None => bytes.try_reserve(more),
    }
}

/// An empty piece with room for so many bytes, if one is kept.
#[inline]
pub(crate) fn take(len: usize) -> Option<Vec<u8>> {
    if len < LONG_MIN { None } else { take_kept(len) }
}

fn take_kept(len: usize) -> Option<Vec<u8>> {
    // Nobody waits here: a piece can be had elsewhere, and in a child that was forked the lock may be held for ever.
    let mut kept = KEPT.try_lock().ok()?;
    let place = kept.iter().rposition(|bytes| bytes.capacity() >= len)?;
    let mut bytes = kept.remove(place);
    bytes.clear();
    Some(bytes)
}

fn give(bytes: Vec<u8>) {
    if !(LONG_MIN..=LONG_MAX).contains(&bytes.capacity()) {
        return;
    }
    let Ok(mut kept) = KEPT.try_lock() else { return };
    // The oldest one goes, in case that it is too short for what is needed now.
    let oldest = (kept.len() == KEPT_MAX).then(|| kept.remove(0));
    kept.push(bytes);
    drop((kept, oldest));
}

thread_local! {
    static SHORT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// An empty piece with some room, to be [given back](give_short) soon.
#[inline]
pub(crate) fn take_short() -> Vec<u8> {
    // Gone when the thread is at its end, or taken by the one in whose middle somebody writes.
    let kept = SHORT.try_with(Cell::take).unwrap_or_default();
    if kept.capacity() == 0 { Vec::with_capacity(SHORT_LEN) } else { kept }
}

/// The piece will be taken again.
#[inline]
pub(crate) fn give_short(mut bytes: Vec<u8>) {
    if bytes.capacity() <= SHORT_MAX {
        bytes.clear();
        // At the end of a thread it is just dropped.
        let _ = SHORT.try_with(|kept| kept.set(bytes));
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        give(std::mem::take(&mut self.0));
    }
}

impl From<Vec<u8>> for Memory {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Deref for Memory {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for Memory {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn kept() -> Vec<usize> {
        KEPT.lock().unwrap().iter().map(Vec::capacity).collect()
    }

    fn with_len(len: usize) -> Memory {
        let mut bytes = take(len).unwrap_or_default();
        bytes.resize(len, 0);
        bytes.into()
    }

    /// One test, because what is kept is there for all.
    #[test]
    fn what_was_used_is_used_again_and_bounded() {
        for len in [LONG_MAX + 1, LONG_MIN - 1, LONG_MAX, LONG_MAX, LONG_MAX] {
            drop(with_len(len));
            assert!(kept().len() <= KEPT_MAX && kept().iter().all(|len| (LONG_MIN..=LONG_MAX).contains(len)));
        }
        let pieces: Vec<_> = (0..10).map(|_| with_len(LONG_MAX)).collect();
        drop(pieces);
        assert!(kept().len() <= KEPT_MAX);
        let mut bytes = b"before".to_vec();
        reserve(&mut bytes, LONG_MAX - 6).unwrap();
        assert!(bytes == b"before" && bytes.capacity() >= LONG_MAX);
        assert!(reserve(&mut bytes, usize::MAX).is_err() && reserve(&mut bytes, 1 << 60).is_err());
        assert!(bytes == b"before" && bytes.capacity() >= LONG_MAX);
        drop(Memory::from(bytes));
        let again = take(LONG_MIN);
        // Other tests may have taken it meanwhile.
        assert!(again.is_none_or(|bytes| bytes.is_empty() && bytes.capacity() >= LONG_MIN));
    }
}
