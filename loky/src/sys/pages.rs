//! Large pages for memory that is about to be filled: to touch a page for the first time costs more than to fill it, and
//! a large one costs as much as a few small ones.

use std::ptr::NonNull;

use nix::sys::mman::{MmapAdvise, madvise};

/// Less memory holds no large page for sure, or only one.
const LONG_MIN: usize = 4 << 20;

const PAGE: usize = 4096;

/// Asks for large pages in the `len` bytes from `start` on, if those are many. A wish: what the kernel makes of it changes
/// nothing but the time that it takes.
#[inline]
pub(crate) fn prefer_large(start: *const u8, len: usize) {
    if len >= LONG_MIN {
        advise(start, len);
    }
}

#[cold]
fn advise(start: *const u8, len: usize) {
    let first = start.map_addr(|address| address.next_multiple_of(PAGE)).cast_mut();
    let whole = len.saturating_sub(PAGE) / PAGE * PAGE;
    if let Some(first) = NonNull::new(first) {
        // SAFETY: this advice changes no byte of whatever is mapped there, and where nothing is, it is an error, which
        // means as much as that there are no large pages.
        let _ = unsafe { madvise(first.cast(), whole, MmapAdvise::MADV_HUGEPAGE) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_is_there_and_nothing_is_changed() {
        let mut bytes = vec![7_u8; LONG_MIN + 3 * PAGE];
        prefer_large(bytes.as_ptr(), bytes.len());
        prefer_large(bytes.as_ptr(), 1);
        prefer_large(std::ptr::null(), LONG_MIN);
        bytes[PAGE] = 8;
        assert_eq!(bytes.iter().filter(|&&byte| byte != 7).count(), 1);
    }
}
