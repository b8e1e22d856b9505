//! What is found out about numbers, and how what was found out about parts is put together.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Moments, extremes and a histogram.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Stats {
    pub(crate) count: u64,
    min: f64,
    max: f64,
    mean: f64,
    /// The sum of the squares of the distances from the mean.
    squares: f64,
    /// The first and the last one are without end.
    bins: [u64; BINS],
}

const BINS: usize = 12;

/// From here on, upwards, each bin is one wide.
const LOWEST: f64 = -6.0;

/// Describes some numbers. A plain function for threads, and a task for workers.
#[loky::task]
pub(crate) fn describe(values: &[f64]) -> Stats {
    if values.is_empty() {
        return Stats::default();
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let mut stats =
        Stats { count: values.len() as u64, min: f64::INFINITY, max: f64::NEG_INFINITY, mean, ..Stats::default() };
    for &value in values {
        stats.min = stats.min.min(value);
        stats.max = stats.max.max(value);
        stats.squares += (value - mean) * (value - mean);
        stats.bins[((value - LOWEST).max(0.0) as usize).min(BINS - 1)] += 1;
    }
    stats
}

impl Stats {
    /// Of consecutive parts, in their order.
    pub(crate) fn of_all(parts: impl IntoIterator<Item = Self>) -> Self {
        parts.into_iter().reduce(Self::and).unwrap_or_default()
    }

    /// Of this part and the one behind it.
    fn and(mut self, other: Self) -> Self {
        if self.count == 0 || other.count == 0 {
            return if self.count == 0 { other } else { self };
        }
        let (ours, theirs, count) = (self.count as f64, other.count as f64, (self.count + other.count) as f64);
        let apart = other.mean - self.mean;
        self.bins.iter_mut().zip(other.bins).for_each(|(bin, more)| *bin += more);
        Self {
            count: self.count + other.count,
            min: self.min.min(other.min),
            max: self.max.max(other.max),
            mean: self.mean + apart * (theirs / count),
            squares: self.squares + other.squares + apart * apart * (ours * theirs / count),
            bins: self.bins,
        }
    }

    /// To the bit, which `==` does not say of floats.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let bits = |stats: &Self| [stats.min, stats.max, stats.mean, stats.squares].map(f64::to_bits);
        self.count == other.count && bits(self) == bits(other) && self.bins == other.bins
    }

    fn deviation(&self) -> f64 {
        (self.squares / self.count as f64).sqrt()
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} values from {:.4} to {:.4}", self.count, self.min, self.max)?;
        writeln!(f, "mean {:.6}, standard deviation {:.6}", self.mean, self.deviation())?;
        let most = self.bins.iter().max().copied().unwrap_or(0).max(1);
        for (bin, count) in self.bins.iter().enumerate() {
            let bar = "#".repeat((count * 50 / most) as usize);
            writeln!(f, "{:5.1} {count:>11} {bar}", LOWEST + bin as f64)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Vec<f64> {
        (0..1000).map(|at| f64::from(at % 17) * 0.7 - 4.0).collect()
    }

    #[test]
    fn parts_make_up_the_whole() {
        let (values, whole) = (some(), describe(&some()));
        for len in [1, 7, 250, 999, 2000] {
            let parts = Stats::of_all(values.chunks(len).map(describe));
            assert_eq!((parts.count, parts.min, parts.max, parts.bins), (1000, whole.min, whole.max, whole.bins));
            let is_close = |one: f64, other: f64| (one - other).abs() < 1e-9 * other.abs().max(1.0);
            assert!(is_close(parts.mean, whole.mean) && is_close(parts.squares, whole.squares), "{len}");
        }
        assert!(Stats::of_all([]).is_same(&describe(&[])));
    }

    #[test]
    fn each_value_is_in_one_bin() {
        let stats = describe(&[-1e300, -6.0, -5.1, 0.0, 5.9, 6.0, 1e300]);
        assert_eq!((stats.bins[0], stats.bins[6], stats.bins[BINS - 1]), (3, 1, 3));
        assert_eq!(stats.bins.iter().sum::<u64>(), stats.count);
    }

    #[test]
    fn the_same_is_told_from_what_is_nearly_so() {
        let stats = describe(&some());
        assert!(stats.is_same(&stats.clone()));
        assert!(!stats.is_same(&Stats { mean: f64::from_bits(stats.mean.to_bits() + 1), ..stats.clone() }));
    }
}
