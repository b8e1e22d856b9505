//! Who sleeps, and for whom a bell was rung: what one end of a ring remembers of its own sleeps and of the other's.

use crate::sync::{AtomicU64, Ordering, fence};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Sleeps {
    /// What this end has announced last.
    announced: u64,
    /// For which of the other's sleeps this end has rung.
    rung: u64,
}

impl Sleeps {
    pub(super) fn announce(&mut self, own: &AtomicU64) {
        self.announced = self.announced.wrapping_add(2) | 1;
        own.store(self.announced, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    pub(super) fn wake(&mut self, own: &AtomicU64) {
        if self.announced & 1 != 0 {
            self.announced = self.announced.wrapping_add(1);
            own.store(self.announced, Ordering::Relaxed);
        }
    }

    pub(super) fn must_ring(&mut self, other: &AtomicU64) -> bool {
        fence(Ordering::SeqCst);
        let sleep = other.load(Ordering::Relaxed);
        let is_new = sleep & 1 != 0 && sleep != self.rung;
        if is_new {
            self.rung = sleep;
        }
        is_new
    }
}
