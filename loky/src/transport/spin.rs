//! How long to look for what is about to come before going to sleep.
//!
//! To wake a processor that sleeps costs tens of microseconds; to look at memory costs almost nothing. So whoever has
//! just been busy looks on for a while. It learns: looks that find nothing become shorter, down to none, and one that
//! would have found something makes them long again. In between, whoever else wants the processor gets it: that may
//! be the one who is waited for. Where there is only one processor, nobody looks at all.

use std::hint::spin_loop;
use std::thread;
use std::time::{Duration, Instant};

/// See the module.
#[derive(Debug)]
pub(crate) struct Spin {
    most: Duration,
    now: Duration,
}

/// As long as it takes to wake a processor.
const MOST: Duration = Duration::from_micros(50);

/// Shorter looks are none.
const LEAST: Duration = Duration::from_micros(3);

/// How often to look at first: as long as an answer takes that is under way on another processor.
const FIRST_LOOKS: usize = 40;

/// How often to look then, each time, before others get the processor and the clock is read: who is waited for may be
/// waiting for this very processor.
const LOOKS: usize = 12;

impl Spin {
    /// `is_allowed`: whether there is a processor for everybody.
    pub(crate) const fn new(is_allowed: bool) -> Self {
        let most = if is_allowed { MOST } else { Duration::ZERO };
        Self { most, now: most }
    }

    /// Looks until `is_there`, for as long as seems worth it. Returns whether it is there.
    pub(crate) fn look(&mut self, mut is_there: impl FnMut() -> bool) -> bool {
        if is_there() {
            return true;
        }
        if self.now.is_zero() {
            return false;
        }
        let mut begun = None;
        let mut looks = FIRST_LOOKS;
        loop {
            for _ in 0..looks {
                spin_loop();
                if is_there() {
                    self.now = self.most;
                    return true;
                }
            }
            // The first looks are shorter than any limit: most of the time nobody has to ask for the time.
            let begun = *begun.get_or_insert_with(Instant::now);
            thread::yield_now();
            looks = LOOKS;
            if begun.elapsed() >= self.now {
                self.now = if self.now > LEAST { self.now / 2 } else { Duration::ZERO };
                return false;
            }
        }
    }

    /// Something came after so long a sleep: a look of that length would have found it.
    pub(crate) fn learn(&mut self, slept: Duration) {
        if slept < self.most {
            self.now = self.most;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_in_vain_become_shorter_until_there_are_none() {
        let mut spin = Spin::new(true);
        let before = spin.now;
        assert!(!spin.look(|| false) && spin.now < before);
        while !spin.now.is_zero() {
            assert!(!spin.look(|| false));
        }
        let mut looks = 0;
        assert!(!spin.look(|| {
            looks += 1;
            false
        }));
        assert_eq!(looks, 1, "only what is there already is seen");
        spin.learn(Duration::from_millis(1));
        assert!(spin.now.is_zero(), "no look is so long");
        spin.learn(Duration::from_micros(10));
        assert_eq!(spin.now, MOST);
    }

    #[test]
    fn what_is_found_makes_looks_long_again() {
        let mut spin = Spin::new(true);
        assert!(!spin.look(|| false));
        let mut left = FIRST_LOOKS / 2;
        assert!(spin.look(|| {
            left -= 1;
            left == 0
        }));
        assert_eq!(spin.now, MOST);
    }

    #[test]
    fn where_processors_are_scarce_nobody_looks() {
        let mut spin = Spin::new(false);
        spin.learn(Duration::ZERO);
        assert!(!spin.look(|| false) && spin.look(|| true) && spin.now.is_zero());
    }
}
