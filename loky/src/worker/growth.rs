//! Whether this process has grown by more than it may: it looks at itself between calls, and between items.
//!
//! To look takes ten microseconds or two, so that is done after a while, and to ask how late it is takes as many
//! nanoseconds, so tiny items are counted instead: of those that come so fast that the clock stands still, up to
//! [`STRIDE_MAX`] pass between two questions.
//!
//! What a task has freed may still be there, kept by the C library for the next one. So before anything is said, it is
//! given back, and only what is left then is growth.

use std::time::Instant;

use crate::supervisor::gauge::Gauge;
use crate::sys::heap;

/// See the module.
pub(super) struct Growth {
    /// In bytes; nothing if it may grow as it likes.
    max: Option<u64>,
    /// What it had after its first item.
    baseline: Option<u64>,
    /// How many items more until the clock is asked.
    left: u32,
    stride: u32,
    asked_at: u64,
    /// By the same clock, in milliseconds.
    look_at: u64,
}

/// So many milliseconds lie between two looks.
const PAUSE_MS: u64 = 10;

/// To give memory back may take long: no more than this part of the time.
const GIVING_BACK_SHARE: u64 = 20;

const STRIDE_MAX: u32 = 64;

impl Growth {
    pub(super) const fn new(max: Option<u64>) -> Self {
        Self { max, baseline: None, left: 1, stride: 1, asked_at: 0, look_at: 0 }
    }

    /// An item has ended. Returns whether this process had better be replaced.
    #[inline]
    pub(super) fn is_worn(&mut self) -> bool {
        self.left -= 1;
        self.left == 0 && self.ask()
    }

    #[inline(never)]
    fn ask(&mut self) -> bool {
        let Some(max) = self.max else {
            self.left = u32::MAX;
            return false;
        };
        let now = heap::coarse_millis();
        self.stride = if now == self.asked_at { (2 * self.stride).min(STRIDE_MAX) } else { 1 };
        (self.left, self.asked_at) = (self.stride, now);
        now >= self.look_at && self.look(max, now, private_bytes)
    }

    /// `measure` says how much memory there is; nothing is known where it cannot.
    fn look(&mut self, max: u64, now: u64, measure: impl Fn() -> Option<u64>) -> bool {
        self.look_at = now + PAUSE_MS;
        let Some(bytes) = measure() else { return false };
        let most = self.baseline.get_or_insert(bytes).saturating_add(max);
        if bytes <= most {
            return false;
        }
        let before = Instant::now();
        heap::give_back_freed();
        let took = u64::try_from(before.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.look_at = now.saturating_add(took.saturating_mul(GIVING_BACK_SHARE).max(PAUSE_MS));
        measure().is_some_and(|bytes| bytes > most)
    }
}

fn private_bytes() -> Option<u64> {
    Gauge::of_this_process().ok()?.private_bytes()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// What it says when it sees these amounts, one after the other, each a while after the one before.
    fn worn(max: u64, amounts: &[u64]) -> Vec<bool> {
        let (mut growth, amounts) = (Growth::new(Some(max)), RefCell::new(amounts.iter().copied()));
        let mut said = Vec::new();
        while amounts.borrow().len() > 0 {
            said.push(growth.look(max, 0, || amounts.borrow_mut().next()));
        }
        said
    }

    #[test]
    fn leak_03_what_counts_is_the_growth_since_the_first_item() {
        assert_eq!(worn(300, &[500, 800, 801, 801]), [false, false, true]);
        assert_eq!(worn(u64::MAX, &[500, u64::MAX]), [false, false]);
    }

    #[test]
    fn leak_06_what_was_freed_and_is_given_back_is_no_growth() {
        assert_eq!(worn(300, &[500, 900, 700, 850, 801]), [false, false, true], "judged by what is left");
    }

    #[test]
    fn the_clock_is_asked_seldom_while_it_stands_still_and_always_while_it_goes_on() {
        let mut growth = Growth::new(Some(u64::MAX));
        growth.look_at = u64::MAX;
        let mut asked = 0;
        for _ in 0..100_000 {
            let before = growth.left;
            assert!(!growth.is_worn());
            asked += u32::from(before == 1);
        }
        assert!(asked < 50_000, "of tiny items few are counted one by one: {asked}");
        std::thread::sleep(std::time::Duration::from_millis(20));
        (0..STRIDE_MAX).for_each(|_| assert!(!growth.is_worn()));
        std::thread::sleep(std::time::Duration::from_millis(20));
        growth.left = 1;
        assert!(!growth.is_worn() && growth.left == 1, "of long ones each");
    }

    #[test]
    fn without_a_limit_nothing_is_ever_asked() {
        let mut growth = Growth::new(None);
        (0..1000).for_each(|_| assert!(!growth.is_worn()));
        assert!(growth.left > u32::MAX - 1000 && growth.asked_at == 0);
    }
}
