//! How long a chunk may keep its worker: one whose items take far longer than was thought is broken off behind the item
//! that ran, so that the rest of it can be shared out anew.
//!
//! To ask how late it is takes a few dozen nanoseconds, which tiny items would notice. So of those that come fast, up to
//! [`STRIDE_MAX`] pass between two questions.

/// In nanoseconds: ten times what a chunk should take, so that one whose length was well chosen is left in peace.
const STINT_MAX: u64 = 10_000_000;

/// So many long items behind tiny ones run before it is noticed, at most.
const STRIDE_MAX: u32 = 16;

/// Between two questions lies at least this, in nanoseconds, a hundred times what one takes; unless the items are long.
const PAUSE_MIN: u64 = 4_000;

/// See the module.
pub(super) struct Stint {
    /// When it began, if it may be broken off.
    began: Option<u64>,
    asked_at: u64,
    /// How many items more until the clock is asked.
    left: u32,
    stride: u32,
}

impl Stint {
    /// One that has begun at this moment, in nanoseconds of any clock; it never ends if that is not known.
    pub(super) fn new(began: Option<u64>) -> Self {
        Self { began, asked_at: began.unwrap_or(0), left: 1, stride: 1 }
    }

    /// An item has ended. Returns whether the rest is to be left alone.
    #[inline]
    pub(super) fn is_over(&mut self, clock: impl FnOnce() -> u64) -> bool {
        self.left -= 1;
        self.left == 0 && self.ask(clock)
    }

    #[inline(never)]
    fn ask(&mut self, clock: impl FnOnce() -> u64) -> bool {
        let Some(began) = self.began else {
            self.left = u32::MAX;
            return false;
        };
        let now = clock();
        let pause = now.saturating_sub(self.asked_at);
        self.stride = match pause {
            0..PAUSE_MIN => (2 * self.stride).min(STRIDE_MAX),
            _ if pause / u64::from(self.stride) < PAUSE_MIN => self.stride,
            _ => 1,
        };
        (self.asked_at, self.left) = (now, self.stride);
        now.saturating_sub(began) >= STINT_MAX
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Runs items that take so many nanoseconds, until it is over. Returns how many ran, and how often the clock was asked.
    fn run(stint: &mut Stint, now: &Cell<u64>, items: impl IntoIterator<Item = u64>) -> (usize, usize) {
        let asked = Cell::new(0);
        let clock = || {
            asked.set(asked.get() + 1);
            now.get()
        };
        let mut ran = 0;
        for nanos in items {
            now.set(now.get() + nanos);
            ran += 1;
            if stint.is_over(clock) {
                break;
            }
        }
        (ran, asked.get())
    }

    #[test]
    fn it_is_over_behind_the_first_item_that_takes_long() {
        for before in [20, 50_000] {
            let (now, mut stint) = (Cell::new(70), Stint::new(Some(70)));
            let many = 2_000_000 / before;
            let (ran, _) = run(&mut stint, &now, (0..many).map(|_| before));
            assert_eq!(ran as u64, many, "two milliseconds are no long time");
            let (ran, _) = run(&mut stint, &now, [100_000_000; 100]);
            let most = if before < PAUSE_MIN { STRIDE_MAX as usize } else { 1 };
            assert!((1..=most).contains(&ran), "{ran} items behind some of {before} ns");
        }
    }

    #[test]
    fn many_items_that_take_a_little_longer_are_broken_off_in_time() {
        let (now, mut stint) = (Cell::new(0), Stint::new(Some(0)));
        let (ran, asked) = run(&mut stint, &now, [300_000; 4096]);
        assert_eq!((ran, asked), (34, 34), "at the first look behind ten milliseconds");
    }

    #[test]
    fn tiny_items_are_hardly_disturbed() {
        let (now, mut stint) = (Cell::new(0), Stint::new(Some(0)));
        let (ran, asked) = run(&mut stint, &now, [30; 4096]);
        assert!(ran == 4096 && asked < 4096 / 15, "{asked} questions");
        let (_, asked) = run(&mut Stint::new(Some(0)), &Cell::new(0), [3_000; 1000]);
        assert!((400..=520).contains(&asked), "{asked} questions: as often as their length allows");
    }

    #[test]
    fn what_may_not_be_broken_off_never_is() {
        let (now, mut stint) = (Cell::new(0), Stint::new(None));
        assert_eq!(run(&mut stint, &now, [u64::MAX / 8; 5]), (5, 0));
    }
}
