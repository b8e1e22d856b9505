//! Seeded numbers for choices and delays; the seed is printed, and a run is repeated with `LOKY_TESTS_SEED`.

use std::time::{Duration, SystemTime};

/// A generator of the SplitMix64 family: small, fast, and good enough to choose victims.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Seeded from `LOKY_TESTS_SEED` or the clock. Prints the seed, which the warden shows if the case fails.
    pub fn from_environment() -> Self {
        let given =
            std::env::var("LOKY_TESTS_SEED").ok().map(|seed| seed.parse().expect("LOKY_TESTS_SEED is a number"));
        let seed = given.unwrap_or_else(|| {
            let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            since.expect("the clock is past 1970").as_nanos() as u64
        });
        println!("LOKY_TESTS_SEED={seed}");
        Self(seed)
    }

    /// Another generator, for another thread.
    pub fn fork(&mut self) -> Self {
        Self(self.bits())
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.bits() % end
    }

    /// One of the items, or none of none.
    pub fn choose<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        if items.is_empty() { None } else { items.get(self.below(items.len() as u64) as usize) }
    }

    /// A span below `end`.
    pub fn span(&mut self, end: Duration) -> Duration {
        Duration::from_nanos(self.below(end.as_nanos() as u64))
    }
}
