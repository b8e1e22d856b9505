//! A small generator of random numbers: the same seed throws the same numbers, on every machine and for ever.

use std::time::Duration;

/// The algorithm is splitmix64: one addition and a good mixing, and any seed will do, neighbours included.
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number from `0..n`; the slight preference for small ones does not matter here.
    pub(crate) const fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % n
    }

    /// A number from `low..=high`.
    pub(crate) const fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True so many times in a thousand.
    pub(crate) const fn chance(&mut self, in_thousand: u64) -> bool {
        in_thousand > 0 && self.below(1000) < in_thousand
    }

    /// A wait of up to so many microseconds.
    pub(crate) const fn moment(&mut self, high: u64) -> Duration {
        Duration::from_micros(self.between(0, high))
    }

    /// A wait of `low..=high` milliseconds.
    pub(crate) const fn wait(&mut self, low: u64, high: u64) -> Duration {
        Duration::from_millis(self.between(low, high))
    }
}
