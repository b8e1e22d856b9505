//! Copies bytes to and from words that another process can change at any time.
//!
//! A plain copy would be a data race in the eyes of the language, whatever the processor makes of it. So the words are
//! accessed as atomics; or, where there are many of them, by an instruction that the compiler does not look into.

use std::sync::atomic::{AtomicU64, Ordering};

const WORD: usize = size_of::<u64>();

/// Below, the instruction's own start takes longer than the copy.
#[cfg(target_arch = "x86_64")]
const MANY: usize = 64;

/// Fills the first of `words` with `bytes`, and what is left of the last word with zeroes.
pub(crate) fn store(words: &[AtomicU64], bytes: &[u8]) {
    let whole = words.len().min(bytes.len() / WORD);
    let (many, rest) = bytes.split_at(whole * WORD);
    store_whole(&words[..whole], many);
    if let Some(word) = words.get(whole).filter(|_| !rest.is_empty()) {
        let mut padded = [0; WORD];
        let len = rest.len().min(WORD);
        padded[..len].copy_from_slice(&rest[..len]);
        word.store(u64::from_le_bytes(padded), Ordering::Relaxed);
    }
}

/// Fills `bytes`, which are a whole number of words, with the first of `words`.
pub(crate) fn load(words: &[AtomicU64], bytes: &mut [u8]) {
    let count = words.len().min(bytes.len() / WORD);
    // SAFETY: there are so many bytes, and nobody else has a reference to them.
    unsafe { load_to(&words[..count], bytes.as_mut_ptr()) };
}

/// Fills what is at `to` with `words`.
///
/// # Safety
///
/// It must be valid for writing so many bytes, and not overlap with the words.
pub(super) unsafe fn load_to(words: &[AtomicU64], to: *mut u8) {
    #[cfg(target_arch = "x86_64")]
    if words.len() >= MANY {
        // SAFETY: the caller vouches for `to`, and the words are borrowed. To the language this is a row of relaxed atomic
        // loads: the instruction reads each byte once, and whatever it finds.
        unsafe { copy(to, words.as_ptr().cast(), size_of_val(words)) };
        return;
    }
    for (place, word) in words.iter().enumerate() {
        let word = word.load(Ordering::Relaxed).to_le();
        // SAFETY: the caller vouches for so many words at `to`, which need not be aligned.
        unsafe { to.cast::<u64>().add(place).write_unaligned(word) };
    }
}

fn store_whole(words: &[AtomicU64], bytes: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    if words.len() >= MANY {
        // SAFETY: both are valid for so many bytes, and do not overlap: nobody lends bytes that are atomics. To the language
        // this is a row of relaxed atomic stores.
        unsafe { copy(words.as_ptr().cast::<u8>().cast_mut(), bytes.as_ptr(), bytes.len()) };
        return;
    }
    for (word, bytes) in words.iter().zip(bytes.chunks_exact(WORD)) {
        word.store(u64::from_le_bytes(bytes.try_into().expect("a word")), Ordering::Relaxed);
    }
}

/// Copies `len` bytes.
///
/// # Safety
///
/// Both must be valid for so many bytes, and they must not overlap.
#[cfg(target_arch = "x86_64")]
unsafe fn copy(to: *mut u8, from: *const u8, len: usize) {
    // SAFETY: the instruction copies what the caller vouches for, upwards, because the direction flag is clear by the
    // calling convention; it touches no other memory and no stack.
    unsafe {
        std::arch::asm!(
            "rep movsb",
            inout("rcx") len => _,
            inout("rdi") to => _,
            inout("rsi") from => _,
            options(nostack, preserves_flags)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_whatever_their_number() {
        for len in [0_usize, 1, 7, 8, 9, 63, 64, 511, 512, 513, 4096, 5001] {
            let words: Vec<_> = std::iter::repeat_with(|| AtomicU64::new(u64::MAX)).take(700).collect();
            let bytes: Vec<u8> = (0..len).map(|at| at as u8).collect();
            store(&words, &bytes);
            let mut back = vec![7; 700 * WORD];
            load(&words, &mut back);
            let padded = len.next_multiple_of(WORD);
            assert!(back[..len] == bytes && back[len..padded].iter().all(|&byte| byte == 0), "{len} bytes");
            assert!(back[padded..].iter().all(|&byte| byte == u8::MAX), "{len} bytes and no more");
            let mut part = vec![0; len / WORD * WORD];
            load(&words, &mut part);
            assert!(bytes.starts_with(&part));
        }
    }
}
