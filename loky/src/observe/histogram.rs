//! How durations are distributed, in memory of a fixed size.
//!
//! The buckets lie on a logarithmic scale, [`STEPS`] to each power of two, so what is read from them is off by a part of
//! the value and not by an amount: by 3.2 % at most. The count and the longest are exact.

use std::time::Duration;

use super::stats::Latency;

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    count: u64,
    longest: u64,
    buckets: Box<[u32; BUCKETS]>,
}

/// Buckets for each power of two.
const STEPS: usize = 1 << STEP_BITS;
const STEP_BITS: u32 = 4;

/// What is shorter, in nanoseconds, is in the first bucket: nobody can measure it.
const SHORTEST_BITS: u32 = 6;

/// What is longer is in the last one: 2^48 nanoseconds are three days.
const LONGEST_BITS: u32 = 48;

const BUCKETS: usize = (LONGEST_BITS - SHORTEST_BITS) as usize * STEPS;

impl Histogram {
    pub(crate) fn add(&mut self, nanos: u64) {
        self.count += 1;
        self.longest = self.longest.max(nanos);
        let bucket = &mut self.buckets[bucket_of(nanos)];
        *bucket = bucket.saturating_add(1);
    }

    /// So long or shorter is this part of all: the middle of the bucket in which that one lies.
    fn quantile(&self, part: f64) -> u64 {
        let wanted = (part * self.count as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        let place = self.buckets.iter().position(|&bucket| {
            seen += u64::from(bucket);
            seen >= wanted
        });
        place.map_or(self.longest, middle_of).min(self.longest)
    }

    pub(crate) fn latency(&self) -> Latency {
        let at = |part| Duration::from_nanos(self.quantile(part));
        Latency {
            count: self.count,
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            max: Duration::from_nanos(self.longest),
        }
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self { count: 0, longest: 0, buckets: Box::new([0; BUCKETS]) }
    }
}

fn bucket_of(nanos: u64) -> usize {
    let nanos = nanos.clamp(1 << SHORTEST_BITS, (1 << LONGEST_BITS) - 1);
    let power = nanos.ilog2();
    let step = (nanos >> (power - STEP_BITS)) as usize - STEPS;
    (power - SHORTEST_BITS) as usize * STEPS + step
}

fn middle_of(bucket: usize) -> u64 {
    let (power, step) = (SHORTEST_BITS + (bucket / STEPS) as u32, (bucket % STEPS) as u64);
    let width = 1 << (power - STEP_BITS);
    (1 << power) + step * width + width / 2
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::default();
        values.into_iter().for_each(|nanos| histogram.add(nanos));
        histogram
    }

    fn nanos(duration: Duration) -> f64 {
        duration.as_nanos() as f64
    }

    #[test]
    fn every_duration_has_a_bucket_whose_middle_is_near() {
        let powers = (SHORTEST_BITS..LONGEST_BITS).flat_map(|power| [1 << power, (1 << power) + 1, (2 << power) - 1]);
        for value in powers.chain((0..1000).map(|at| 64 + at * at * at * 7)) {
            let middle = middle_of(bucket_of(value)) as f64;
            assert!((middle - value as f64).abs() / value as f64 <= 0.032, "{value} is told as {middle}");
        }
        assert_eq!((bucket_of(0), bucket_of(u64::MAX)), (0, BUCKETS - 1));
    }

    #[test]
    fn quantiles_are_those_of_what_was_added() {
        let even = of((1..=1000).map(|at| at * 1000)).latency();
        assert_eq!((even.count, even.max), (1000, Duration::from_micros(1000)));
        for (told, real) in [(even.p50, 500_000.0), (even.p90, 900_000.0), (even.p99, 990_000.0)] {
            assert!((nanos(told) - real).abs() / real < 0.04, "{told:?} for {real}");
        }
        let lonely = of(std::iter::repeat_n(1000, 99).chain([1_000_000])).latency();
        assert!(lonely.p99 < Duration::from_nanos(1100) && lonely.max == Duration::from_millis(1));
    }

    #[test]
    fn of_nothing_and_of_one_it_says_just_that() {
        assert_eq!(Histogram::default().latency(), Latency::default());
        let one = of([5_000_000_000]).latency();
        assert!(one.p50 <= one.max && one.max == Duration::from_secs(5) && one.p50 == one.p99);
        assert_eq!(of([0]).latency().p50, Duration::ZERO, "no more than the longest");
    }
}
