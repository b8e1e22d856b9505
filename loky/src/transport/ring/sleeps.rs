//! Who sleeps, and for whom a bell was rung: what one end of a ring remembers of its own sleeps and of the other's.

use crate::sync::{AtomicU64, Ordering, fence};

/// Which of two bells a sleeper hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chime {
    /// That of the link.
    Link,
    /// The one that all links of a pool share.
    Pool,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Sleeps {
    /// What this end has announced last.
    announced: u64,
    /// For which of the other's sleeps this end has rung.
    rung: u64,
}

/// In an announcement: somebody sleeps.
const ASLEEP: u64 = 1;

/// And hears the bell of the pool.
const BY_POOL: u64 = 2;

/// The next announcement.
const NEXT: u64 = 4;

impl Sleeps {
    pub(super) fn announce(&mut self, own: &AtomicU64, chime: Chime) {
        let flags = match chime {
            Chime::Link => ASLEEP,
            Chime::Pool => ASLEEP | BY_POOL,
        };
        self.announced = (self.announced & !(NEXT - 1)).wrapping_add(NEXT) | flags;
        own.store(self.announced, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    pub(super) fn wake(&mut self, own: &AtomicU64) {
        if self.announced & ASLEEP != 0 {
            self.announced &= !(NEXT - 1);
            own.store(self.announced, Ordering::Relaxed);
        }
    }

    pub(super) fn must_ring(&mut self, other: &AtomicU64) -> Option<Chime> {
        fence(Ordering::SeqCst);
        let sleep = other.load(Ordering::Relaxed);
        if sleep & ASLEEP == 0 || sleep == self.rung {
            return None;
        }
        self.rung = sleep;
        Some(if sleep & BY_POOL == 0 { Chime::Link } else { Chime::Pool })
    }
}
