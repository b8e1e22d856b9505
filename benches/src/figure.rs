//! The figures that are measured, in the order of the table, and how a number of each unit is written.

/// One line of the table.
#[derive(Debug)]
pub struct Figure {
    /// The name in programs and in JSON.
    pub key: &'static str,
    /// `W1` to `W9`.
    pub workload: &'static str,
    /// The name in tables.
    pub title: &'static str,
    /// What is counted.
    pub unit: Unit,
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A duration; written in ns, us, ms or s.
    Nanoseconds,
    /// Calls per second.
    PerSecond,
    /// Of what would be possible; more is better.
    Percent,
    /// Of memory.
    Bytes,
    /// Processors kept busy.
    Cores,
    /// Of things.
    Count,
}

impl Unit {
    /// A number with three digits and its unit.
    #[must_use]
    pub fn show(self, value: f64) -> String {
        match self {
            Self::Nanoseconds => scaled(value, 1e3, &["ns", "us", "ms", "s"]),
            Self::PerSecond => scaled(value, 1e3, &["/s", "k/s", "M/s", "G/s"]),
            Self::Bytes => scaled(value, 1024.0, &["B", "KiB", "MiB", "GiB"]),
            Self::Percent => format!("{value:.1} %"),
            Self::Cores => format!("{value:.2}"),
            Self::Count => short(value),
        }
    }

    /// How many times the cost of `other` this is: below 1 is better, whatever the unit.
    #[must_use]
    pub fn times(self, value: f64, other: f64) -> Option<f64> {
        let (above, below) = match self {
            Self::PerSecond | Self::Percent => (other, value),
            Self::Nanoseconds | Self::Bytes | Self::Cores | Self::Count => (value, other),
        };
        (below > 0.0).then_some(above / below)
    }
}

fn scaled(value: f64, step: f64, units: &[&str]) -> String {
    let mut value = value;
    let mut units = units.iter();
    let mut unit = units.next().expect("there is a smallest unit");
    // A half below, so that rounding never writes 1000.
    while value.abs() >= step - 0.5 {
        let Some(next) = units.next() else { break };
        (value, unit) = (value / step, next);
    }
    format!("{} {unit}", short(value))
}

/// Three digits.
fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        below_ten if below_ten < 9.995 => format!("{value:.2}"),
        below_hundred if below_hundred < 99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

const fn figure(workload: &'static str, key: &'static str, title: &'static str, unit: Unit) -> Figure {
    Figure { key, workload, title, unit }
}

/// All of them.
pub const FIGURES: &[Figure] = &[
    figure("W1", "first_of_1", "first result, 1 worker", Unit::Nanoseconds),
    figure("W1", "first_of_2", "first result, 2 workers", Unit::Nanoseconds),
    figure("W1", "all_of_2", "all 2 have answered", Unit::Nanoseconds),
    figure("W1", "all_of_8", "all 8 have answered", Unit::Nanoseconds),
    figure("W1", "all_of_32", "all 32 have answered", Unit::Nanoseconds),
    figure("W1", "copies_of_8", "all 8 have answered, zygote", Unit::Nanoseconds),
    figure("W1", "copies_of_32", "all 32 have answered, zygote", Unit::Nanoseconds),
    figure("W2", "round_trip", "round trip, median", Unit::Nanoseconds),
    figure("W2", "round_trip_p99", "round trip, p99", Unit::Nanoseconds),
    figure("W2", "round_trip_rested", "round trip after 1 ms idle", Unit::Nanoseconds),
    figure("W2", "cores_sparse", "cores busy at a call per ms", Unit::Cores),
    figure("W2", "cores_idle", "cores busy when idle", Unit::Cores),
    figure("W3", "calls_each", "tiny calls, a handle each", Unit::PerSecond),
    figure("W3", "calls_mapped", "tiny calls, mapped", Unit::PerSecond),
    figure("W4", "echo_1k", "echo of 1 KiB", Unit::Nanoseconds),
    figure("W4", "echo_64k", "echo of 64 KiB", Unit::Nanoseconds),
    figure("W4", "echo_1m", "echo of 1 MiB", Unit::Nanoseconds),
    figure("W4", "echo_64m", "echo of 64 MiB", Unit::Nanoseconds),
    figure("W4", "echo_512m", "echo of 512 MiB", Unit::Nanoseconds),
    figure("W4", "shared_echo_first", "echo of a shared 1 MiB, first", Unit::Nanoseconds),
    figure("W4", "shared_echo_1m", "echo of a shared 1 MiB, again", Unit::Nanoseconds),
    figure("W4", "shared_echo_512m", "echo of a shared 512 MiB, again", Unit::Nanoseconds),
    figure("W4", "shared_put", "share 512 MiB", Unit::Nanoseconds),
    figure("W4", "shared_sum_first", "sum of a shared 512 MiB, first", Unit::Nanoseconds),
    figure("W4", "shared_sum_again", "sum of a shared 512 MiB, again", Unit::Nanoseconds),
    figure("W4", "shared_sum_added", "the same, beyond a serial sum", Unit::Nanoseconds),
    figure("W5", "efficiency_uniform", "efficiency, 2000 x 1 ms", Unit::Percent),
    figure("W5", "efficiency_skewed", "efficiency, skewed", Unit::Percent),
    figure("W5", "efficiency_mapped", "efficiency, 0.1 ms, mapped", Unit::Percent),
    figure("W6", "crash_to_error", "crash to its error", Unit::Nanoseconds),
    figure("W6", "lost", "good calls lost", Unit::Count),
    figure("W6", "served_after", "next call served after", Unit::Nanoseconds),
    figure("W6", "hung_over_limit", "hung call: error after its limit", Unit::Nanoseconds),
    figure("W7", "pss", "PSS per idle worker", Unit::Bytes),
    figure("W7", "private", "private memory per idle worker", Unit::Bytes),
    figure("W7", "pss_of_copy", "PSS per idle worker, zygote", Unit::Bytes),
    figure("W7", "private_of_copy", "private memory per idle worker, zygote", Unit::Bytes),
    figure("W7", "descriptors", "descriptors in a worker", Unit::Count),
    figure("W7", "parent_descriptors", "parent's descriptors per worker", Unit::Count),
    figure("W7", "parent_threads", "parent's threads, for 4 workers", Unit::Count),
    figure("W7", "other_processes", "other processes, for 4 workers", Unit::Count),
    figure("W8", "submit", "submit one of 1,000,000", Unit::Nanoseconds),
    figure("W8", "pending_bytes", "memory of one pending call", Unit::Bytes),
    figure("W9", "again", "get the pool again", Unit::Nanoseconds),
    figure("W9", "grow", "grow 2 to 4, all have answered", Unit::Nanoseconds),
    figure("W9", "grow_copies", "grow 2 to 4, all have answered, zygote", Unit::Nanoseconds),
    figure("W9", "shrink", "shrink 4 to 2 and one call", Unit::Nanoseconds),
];

#[cfg(test)]
mod tests {
    use super::{FIGURES, Unit};

    #[test]
    fn three_digits_and_a_unit() {
        assert_eq!(Unit::Nanoseconds.show(237.4), "237 ns");
        assert_eq!(Unit::Nanoseconds.show(999_700.0), "1.00 ms");
        assert_eq!(Unit::PerSecond.show(9_570_000.0), "9.57 M/s");
        assert_eq!(Unit::Bytes.show(96.0 * 1024.0), "96.0 KiB");
        assert_eq!(Unit::Count.show(0.0), "0");
    }

    #[test]
    fn below_one_is_better_whatever_the_unit() {
        assert_eq!(Unit::Nanoseconds.times(50.0, 100.0), Some(0.5));
        assert_eq!(Unit::PerSecond.times(200.0, 100.0), Some(0.5));
        assert_eq!(Unit::Count.times(1.0, 0.0), None);
    }

    #[test]
    fn no_key_twice() {
        let mut keys: Vec<_> = FIGURES.iter().map(|figure| figure.key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), FIGURES.len());
    }
}
