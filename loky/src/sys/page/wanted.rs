//! What the parent wants to hear of what is logged: words of the page that a worker looks at before it says anything.
//!
//! Wishes, not orders: a parent looks itself at what it is told, so a worker that reads an old word costs no more than a
//! note in vain.

use std::sync::atomic::Ordering;

use super::{AtomicU64, Line, Page};

/// So many places of a program are told apart that log something.
pub(crate) const SITES_MAX: usize = 4096;

/// All zeroes at first: nothing is wanted.
#[repr(C)]
#[derive(Debug)]
pub(super) struct Wanted {
    level: Line,
    /// A bit for each site, by its number in this worker: nobody wants it.
    unwanted: [AtomicU64; SITES_MAX / u64::BITS as usize],
}

#[cfg(any(test, fuzzing))]
impl Wanted {
    pub(super) fn bare(&self) -> [(&'static str, &AtomicU64); 2] {
        [("wanted.level", &self.level.0), ("wanted.unwanted", &self.unwanted[0])]
    }
}

impl Page {
    /// For the parent: notes up to this level are wanted. What a level is, is not known here.
    pub(crate) fn want_level(&self, level: u8) {
        self.shared().wanted.level.0.store(level.into(), Ordering::Relaxed);
    }

    /// For the worker.
    #[inline]
    pub(crate) fn wanted_level(&self) -> u8 {
        self.shared().wanted.level.0.load(Ordering::Relaxed) as u8
    }

    /// For the parent: whether this site is wanted. A number beyond all sites is none.
    pub(crate) fn want_site(&self, site: u32, is_wanted: bool) {
        let Some((word, bit)) = self.word_of(site) else { return };
        if is_wanted {
            word.fetch_and(!bit, Ordering::Relaxed)
        } else {
            word.fetch_or(bit, Ordering::Relaxed)
        };
    }

    /// For the worker.
    #[inline]
    pub(crate) fn is_wanted(&self, site: u32) -> bool {
        self.word_of(site).is_some_and(|(word, bit)| word.load(Ordering::Relaxed) & bit == 0)
    }

    fn word_of(&self, site: u32) -> Option<(&AtomicU64, u64)> {
        let word = self.shared().wanted.unwanted.get((site / u64::BITS) as usize)?;
        Some((word, 1 << (site % u64::BITS)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_is_seen_by_the_worker() {
        let (parent, fd) = Page::create().unwrap();
        let worker = Page::map(&fd).unwrap();
        assert_eq!(worker.wanted_level(), 0);
        parent.want_level(3);
        assert_eq!(worker.wanted_level(), 3);
        parent.want_site(65, false);
        assert_eq!([64, 65, 66].map(|site| worker.is_wanted(site)), [true, false, true]);
        parent.want_site(65, true);
        assert!(worker.is_wanted(65) && !worker.is_wanted(SITES_MAX as u32), "there is no such site");
        parent.want_site(u32::MAX, false);
    }
}
