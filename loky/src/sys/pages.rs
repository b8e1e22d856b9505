//! Large pages for memory that is filled for the first time, from its start to its end: to touch a page costs more than
//! to fill it, and a large one costs as much as a few small ones.
//!
//! Not everywhere: in a virtual machine that gives free memory back to its host, large pages are the ones that it has
//! given back, and to get them again takes many times as long. So they are tried one by one, and no more is asked for
//! after two that took long.

use std::ptr::NonNull;
use std::time::{Duration, Instant};

use nix::sys::mman::{MmapAdvise, madvise};

/// How far the pages of some memory have been seen to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pages {
    /// Where the next large page would begin, counted from the start of the memory.
    next: usize,
    slow: u32,
}

const LARGE: usize = 2 << 20;

/// Less memory holds too few large pages.
const LONG_MIN: usize = 2 * LARGE;

/// Longer than to touch as many small pages takes.
const SLOW: Duration = Duration::from_millis(2);

const SLOW_MAX: u32 = 2;

impl Pages {
    /// Of memory of which nothing will be seen to.
    pub(super) const NONE: Self = Self { next: usize::MAX, slow: 0 };

    /// Of memory of which the first `filled` of `len` bytes have been filled.
    pub(super) fn of(start: *const u8, filled: usize, len: usize) -> Self {
        if len < LONG_MIN {
            return Self::NONE;
        }
        let first = (start.addr() + filled).next_multiple_of(LARGE);
        Self { next: first - start.addr(), slow: 0 }
    }

    /// Before the memory is filled up to byte number `to` of `len`.
    ///
    /// # Safety
    ///
    /// The memory must be valid for writing so many bytes, and of those from the last `to` on nothing is of use yet.
    #[inline]
    pub(super) unsafe fn before(&mut self, start: *mut u8, to: usize, len: usize) {
        if self.next < to {
            // SAFETY: as said by the caller.
            unsafe { self.see_to(start, to, len) };
        }
    }

    #[cold]
    unsafe fn see_to(&mut self, start: *mut u8, to: usize, len: usize) {
        while self.next < to {
            if len - self.next < LARGE || self.slow == SLOW_MAX {
                *self = Self::NONE;
                return;
            }
            // SAFETY: there are so many bytes from `start` on.
            let page = unsafe { start.add(self.next) };
            let begun = Instant::now();
            // SAFETY: this advice changes no byte. Where it is not heard, pages are as they always are.
            let _ = unsafe { madvise(NonNull::new_unchecked(page).cast(), LARGE, MmapAdvise::MADV_HUGEPAGE) };
            // SAFETY: it is valid for writing, and nothing of use is there.
            unsafe { page.write_volatile(0) };
            self.slow = if begun.elapsed() > SLOW { self.slow + 1 } else { 0 };
            self.next += LARGE;
        }
    }
}

/// Copies `from` to memory that nobody has touched.
///
/// # Safety
///
/// It must be valid for writing so many bytes, and lie elsewhere.
pub(super) unsafe fn copy_to_fresh(to: *mut u8, from: &[u8]) {
    let mut pages = Pages::of(to, 0, from.len());
    for (number, piece) in from.chunks(LARGE).enumerate() {
        let start = number * LARGE;
        // SAFETY: the caller vouches for so many bytes, and those behind `start` are not copied yet.
        unsafe {
            pages.before(to, start + piece.len(), from.len());
            to.add(start).copy_from_nonoverlapping(piece.as_ptr(), piece.len());
        }
    }
}

/// Appends `more`, for which there must be room that nobody has touched.
pub(crate) fn extend_fresh(bytes: &mut Vec<u8>, more: &[u8]) {
    let room = bytes.spare_capacity_mut();
    assert!(more.len() <= room.len(), "room was made");
    // SAFETY: there are so many bytes, which are the vector's own; all of them are written before they count.
    unsafe {
        copy_to_fresh(room.as_mut_ptr().cast(), more);
        bytes.set_len(bytes.len() + more.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_copied_is_there_wherever_it_begins() {
        for len in [0, 1, LARGE - 1, LARGE + 1, LONG_MIN, LONG_MIN + 5, 3 * LONG_MIN + 1] {
            for before in [0, 1, 4096, 70_000] {
                let from: Vec<u8> = (0..len).map(|at| (at % 251) as u8).collect();
                let mut bytes = Vec::with_capacity(before + len);
                bytes.resize(before, 7);
                extend_fresh(&mut bytes, &from);
                assert!(bytes[..before].iter().all(|&byte| byte == 7) && bytes[before..] == from, "{len} {before}");
            }
        }
    }

    #[test]
    fn pages_that_take_long_are_not_asked_for_again() {
        let mut memory = vec![0_u8; 8 * LARGE];
        let (start, len) = (memory.as_mut_ptr(), memory.len());
        let mut pages = Pages { slow: SLOW_MAX, ..Pages::of(start, 0, len) };
        // SAFETY: it is as long as that.
        unsafe { pages.before(start, len, len) };
        assert_eq!(pages.next, usize::MAX);
        let mut pages = Pages::of(start, LARGE, len);
        assert!(pages.next >= LARGE && (start.addr() + pages.next) % LARGE == 0);
        // SAFETY: as above.
        unsafe { pages.before(start, len, len) };
        assert!(pages.next >= len - LARGE, "all were seen to");
    }
}
