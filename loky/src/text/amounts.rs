//! Durations and amounts of memory: in sentences as exactly as they are of use, in tables in a few letters.

use std::time::Duration;

/// Units, the largest first, by whether a figure is a round one in tens or in twos.
const DECIMAL: [(&str, u64); 4] = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000), ("bytes", 1)];
const BINARY: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("bytes", 1)];

/// "843 ns", "1.24 ms", "12.3 s", "3 min 20 s", "5 h 12 min": eight letters as a rule.
pub(crate) fn duration(span: Duration) -> String {
    const UNITS: [(&str, u128); 4] = [("s", 1_000_000_000), ("ms", 1_000_000), ("µs", 1_000), ("ns", 1)];
    let (nanos, seconds) = (span.as_nanos(), span.as_secs());
    match seconds {
        0 if nanos == 0 => "0".to_string(),
        0..120 => {
            let (name, unit) = UNITS.into_iter().find(|&(_, unit)| nanos >= unit).unwrap_or(("ns", 1));
            three_digits(nanos, unit, name)
        }
        120..7200 => format!("{} min {} s", seconds / 60, seconds % 60),
        7200..172_800 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// For a table: "0 B", "512 B", "1.50 KiB", "12.4 MiB".
pub(crate) fn memory_in_short(bytes: u64) -> String {
    match fitting(bytes) {
        (_, 1) => format!("{bytes} B"),
        (name, unit) => three_digits(bytes.into(), unit.into(), name),
    }
}

/// For a sentence: "512 bytes", "1.3 GiB".
pub(crate) fn memory(bytes: u64) -> String {
    in_unit(bytes, fitting(bytes))
}

/// What was used and what might have been, in the unit that fits that; in a smaller one where they would look the same.
pub(crate) fn memory_of_limit(bytes: u64, limit: u64) -> [String; 2] {
    let units = if limit % 1_000_000 == 0 { DECIMAL } else { BINARY };
    let fitting = units.into_iter().filter(|&(_, unit)| limit >= unit);
    let mut said = fitting.map(|unit| [bytes, limit].map(|bytes| in_unit(bytes, unit)));
    said.find(|[bytes, limit]| bytes != limit).unwrap_or_else(|| [bytes, limit].map(|bytes| format!("{bytes} bytes")))
}

fn fitting(bytes: u64) -> (&'static str, u64) {
    BINARY.into_iter().find(|&(_, unit)| bytes >= unit).unwrap_or(BINARY[3])
}

/// With one digit behind the point, if that is not a zero.
fn in_unit(bytes: u64, (name, unit): (&str, u64)) -> String {
    let tenths = u128::from(bytes) * 10 / u128::from(unit);
    match (tenths / 10, tenths % 10) {
        (whole, 0) => format!("{whole} {name}"),
        (whole, tenth) => format!("{whole}.{tenth} {name}"),
    }
}

fn three_digits(amount: u128, unit: u128, name: &str) -> String {
    let (whole, rest) = (amount / unit, amount % unit);
    match whole {
        _ if unit == 1 => format!("{whole} {name}"),
        0..10 => format!("{whole}.{:02} {name}", rest * 100 / unit),
        10..100 => format!("{whole}.{} {name}", rest * 10 / unit),
        _ => format!("{whole} {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn durations_have_three_digits() {
        let told =
            [0, 843, 1_240, 12_345_678, 999_999_999, 61_000_000_000].map(|ns| duration(Duration::from_nanos(ns)));
        assert_eq!(told, ["0", "843 ns", "1.24 µs", "12.3 ms", "999 ms", "61.0 s"]);
        let long = [200, 18_720, 266_400].map(|seconds| duration(Duration::from_secs(seconds)));
        assert_eq!(long, ["3 min 20 s", "5 h 12 min", "3 d 2 h"]);
    }

    #[test]
    fn amounts_in_short_have_three_digits() {
        assert_eq!(
            [0, 512, 1536, 13_000_000, 3 << 30].map(memory_in_short),
            ["0 B", "512 B", "1.50 KiB", "12.3 MiB", "3.00 GiB"]
        );
    }

    #[test]
    fn figures_are_told_in_units_that_tell_them_apart() {
        assert_eq!(memory_of_limit(1331 * MIB, 1024 * MIB), ["1.2 GiB", "1 GiB"]);
        assert_eq!(memory_of_limit(1025 * MIB, 1024 * MIB), ["1025 MiB", "1024 MiB"]);
        assert_eq!(memory_of_limit(1024 * MIB + 4096, 1024 * MIB), ["1048580 KiB", "1048576 KiB"]);
        assert_eq!(memory_of_limit(312_400_000, 300_000_000), ["312.4 MB", "300 MB"]);
        assert_eq!(memory_of_limit(4096, 1), ["4096 bytes", "1 bytes"]);
        assert_eq!(memory_of_limit(u64::MAX, u64::MAX - 1)[1], "18446744073709551614 bytes");
        assert_eq!([0, 512, 1536, 3 << 30].map(memory), ["0 bytes", "512 bytes", "1.5 KiB", "3 GiB"]);
    }
}
