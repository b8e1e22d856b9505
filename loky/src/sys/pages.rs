//! Pages for memory that is filled for the first time, from its start to its end: to touch them one by one costs more
//! than to fill them. So the kernel is asked for a few at once, shortly before they are filled; or for a large one, which
//! costs as much as a few small ones.
//!
//! Large ones not everywhere: in a virtual machine that gives free memory back to its host, they are the ones that it has
//! given back, and to get them again takes many times as long. So they are tried one by one, and this process asks for
//! no more after two in a row that took longer than small ones.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Instant;

use nix::sys::mman::{MmapAdvise, madvise};

/// How far the pages of some memory have been seen to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pages {
    /// Where the next page begins that was not seen to, counted from the start of the memory.
    next: usize,
}

/// How many large pages in a row have taken longer than small ones.
static SLOW: AtomicU32 = AtomicU32::new(0);

const SLOW_MAX: u32 = 2;

/// The least time that [`STEP`] bytes of small pages have taken, in nanoseconds; all ones if there were none.
static QUICKEST: AtomicU64 = AtomicU64::new(u64::MAX);

const LARGE: usize = 2 << 20;

/// No page is smaller, and where they are larger, nothing is lost.
const SMALL: usize = 4 << 10;

/// So many small pages are asked for at once: zeroed by the kernel, they are still in the processor's cache when they are
/// filled.
const STEP: usize = 256 << 10;

/// Less memory is had from allocators, which have mostly touched it before.
const LEN_MIN: usize = 4 << 20;

impl Pages {
    /// Of memory of which nothing will be seen to.
    pub(super) const NONE: Self = Self { next: usize::MAX };

    /// Of memory of which the first `filled` of `len` bytes have been filled.
    pub(super) fn of(start: *const u8, filled: usize, len: usize) -> Self {
        if len < LEN_MIN {
            return Self::NONE;
        }
        let first = (start.addr() + filled).next_multiple_of(SMALL);
        Self { next: first - start.addr() }
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
            let (at, left) = (start.addr() + self.next, len - self.next);
            let is_for_large = at % LARGE == 0 && left >= LARGE && is_large_worth_trying();
            let some = if is_for_large { LARGE } else { (at + 1).next_multiple_of(STEP) - at };
            if some > left {
                // The last ones are few.
                *self = Self::NONE;
                return;
            }
            // SAFETY: there are so many bytes from `start` on.
            let page = unsafe { start.add(self.next) };
            if is_for_large {
                // SAFETY: so many bytes from there on are valid for writing, and nothing of use is there.
                unsafe { try_large(page) };
            } else if !populate(page, some) {
                *self = Self::NONE;
                return;
            }
            self.next += some;
        }
    }
}

fn is_large_worth_trying() -> bool {
    SLOW.load(Ordering::Relaxed) < SLOW_MAX && QUICKEST.load(Ordering::Relaxed) < u64::MAX
}

/// Has one large page, and notes if that takes long.
///
/// # Safety
///
/// It must be valid for writing that many bytes, and nothing of use may be there.
unsafe fn try_large(page: *mut u8) {
    let begun = Instant::now();
    // SAFETY: this advice changes no byte. Where it is not heard, pages are as they always are.
    let _ = unsafe { madvise(NonNull::new_unchecked(page).cast(), LARGE, MmapAdvise::MADV_HUGEPAGE) };
    // SAFETY: it is valid for writing, and nothing of use is there.
    unsafe { page.write_volatile(0) };
    let small = QUICKEST.load(Ordering::Relaxed).saturating_mul((LARGE / STEP) as u64);
    let slow = if nanos_since(begun) > small { SLOW.load(Ordering::Relaxed).saturating_add(1) } else { 0 };
    SLOW.store(slow, Ordering::Relaxed);
}

/// Has as many small pages. `false`: this kernel cannot, or has none left; who writes there will know.
fn populate(page: *mut u8, len: usize) -> bool {
    let Some(page) = NonNull::new(page) else { return false };
    let begun = Instant::now();
    // SAFETY: this advice changes no byte, wherever that is.
    let is_done = unsafe { madvise(page.cast(), len, MmapAdvise::MADV_POPULATE_WRITE) }.is_ok();
    if len == STEP {
        QUICKEST.fetch_min(nanos_since(begun), Ordering::Relaxed);
    }
    is_done
}

fn nanos_since(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Copies `from` to memory that nobody has touched.
///
/// # Safety
///
/// It must be valid for writing so many bytes, and lie elsewhere.
pub(super) unsafe fn copy_to_fresh(to: *mut u8, from: &[u8]) {
    let mut pages = Pages::of(to, 0, from.len());
    for (number, piece) in from.chunks(STEP).enumerate() {
        let start = number * STEP;
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
        for len in [0, 1, STEP + 1, LARGE - 1, LEN_MIN, LEN_MIN + 5, 3 * LEN_MIN + 1] {
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
    fn all_pages_are_seen_to_but_the_last_few() {
        for is_slow in [false, true] {
            SLOW.store(if is_slow { SLOW_MAX } else { 0 }, Ordering::Relaxed);
            let mut memory = vec![0_u8; 8 * LARGE];
            let (start, len) = (memory.as_mut_ptr(), memory.len());
            let mut pages = Pages::of(start, LARGE + 5, len);
            assert!((LARGE + 5..LARGE + 5 + SMALL).contains(&pages.next), "nothing that was filled");
            // SAFETY: it is as long as that.
            unsafe { pages.before(start, 3 * LARGE, len) };
            assert!((3 * LARGE..=4 * LARGE).contains(&pages.next) && (start.addr() + pages.next) % STEP == 0);
            assert!(!is_slow || pages.next <= 3 * LARGE + STEP, "no large one was asked for");
            // SAFETY: as above.
            unsafe { pages.before(start, len, len) };
            assert!(pages.next >= len - STEP, "all were seen to");
        }
    }

    #[test]
    fn little_memory_is_left_as_it_is() {
        assert_eq!(Pages::of(std::ptr::dangling(), 0, LEN_MIN - 1).next, usize::MAX);
    }
}
