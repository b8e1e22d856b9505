//! Who sleeps, and for whom a bell was rung: what one end of a ring remembers of its own sleeps and of the other's.
//!
//! A sleeper may be *patient*: it names a call, and is not rung for before that one has been answered. The other side
//! must ring, all the same, before it sleeps itself: so nothing that was withheld is withheld for ever.

use crate::sync::{AtomicU64, Ordering, fence};

/// Which of two bells a sleeper hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chime {
    /// That of the link.
    Link,
    /// The one that all links of a pool share.
    Pool,
}

/// For what a sleeper is to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// For anything.
    None,
    /// For the answer to the call with this number and for those behind it. Numbers go round; they are never further
    /// apart than a worker holds calls.
    Until(u16),
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Sleeps {
    /// What this end has announced last.
    announced: u64,
    /// For which of the other's sleeps this end has rung.
    rung: u64,
    /// Whether the other sleeps, and was not rung for out of respect for its patience.
    pub(super) withholds: bool,
}

/// In an announcement: somebody sleeps.
const ASLEEP: u64 = 1;

/// And hears the bell of the pool.
const BY_POOL: u64 = 2;

/// And is patient, until the call whose number follows.
const PATIENT: u64 = 4;

const NUMBER_SHIFT: u32 = 3;

/// The next announcement. There are so many that none comes again.
const NEXT: u64 = 1 << (NUMBER_SHIFT + u16::BITS);

impl Sleeps {
    pub(super) fn announce(&mut self, own: &AtomicU64, chime: Chime, patience: Patience) {
        let bell = match chime {
            Chime::Link => ASLEEP,
            Chime::Pool => ASLEEP | BY_POOL,
        };
        let patience = match patience {
            Patience::None => 0,
            Patience::Until(number) => PATIENT | u64::from(number) << NUMBER_SHIFT,
        };
        self.announced = (self.announced & !(NEXT - 1)).wrapping_add(NEXT) | bell | patience;
        own.store(self.announced, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    pub(super) fn wake(&mut self, own: &AtomicU64) {
        if self.announced & ASLEEP != 0 {
            self.announced &= !(NEXT - 1);
            own.store(self.announced, Ordering::Relaxed);
        }
    }

    /// The bell that this end hears, if it sleeps and would not be woken by the answer to this call.
    pub(super) fn is_too_patient_for(&self, number: u16) -> Option<Chime> {
        (self.announced & ASLEEP != 0 && must_wait(self.announced, number)).then(|| chime(self.announced))
    }

    /// After a change of the ring: how the other is to be woken, if it sleeps. `answered` is the call that was answered
    /// last, if whoever is patient need not be woken otherwise.
    pub(super) fn must_ring(&mut self, other: &AtomicU64, answered: Option<u16>) -> Option<Chime> {
        fence(Ordering::SeqCst);
        let sleep = other.load(Ordering::Relaxed);
        self.withholds = false;
        if sleep & ASLEEP == 0 || sleep == self.rung {
            return None;
        }
        if answered.is_some_and(|number| must_wait(sleep, number)) {
            self.withholds = true;
            return None;
        }
        self.rung = sleep;
        Some(chime(sleep))
    }
}

fn chime(announced: u64) -> Chime {
    if announced & BY_POOL == 0 { Chime::Link } else { Chime::Pool }
}

/// Whether the sleeper is patient beyond the answer to this call.
fn must_wait(announced: u64, number: u16) -> bool {
    let until = (announced >> NUMBER_SHIFT) as u16;
    announced & PATIENT != 0 && (number.wrapping_sub(until) as i16) < 0
}
