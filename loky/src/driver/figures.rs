//! Amounts of memory in words.

/// Units, the largest first, by whether a figure is a round one in tens or in twos.
const DECIMAL: [(&str, u64); 4] = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000), ("bytes", 1)];
const BINARY: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("bytes", 1)];

/// "1.3 GiB".
pub(super) fn in_words(bytes: u64) -> String {
    let fits = BINARY.into_iter().find(|&(_, unit)| bytes >= unit);
    in_unit(bytes, fits.unwrap_or(BINARY[3]))
}

/// Both in the unit that fits the second one; in a smaller one where they would look the same.
pub(super) fn both_in_words(bytes: u64, limit: u64) -> [String; 2] {
    let units = if limit % 1_000_000 == 0 { DECIMAL } else { BINARY };
    let fitting = units.into_iter().filter(|&(_, unit)| limit >= unit);
    let mut said = fitting.map(|unit| [bytes, limit].map(|bytes| in_unit(bytes, unit)));
    said.find(|[bytes, limit]| bytes != limit).unwrap_or_else(|| [bytes, limit].map(|bytes| format!("{bytes} bytes")))
}

/// With one digit behind the point, if that is not a zero.
fn in_unit(bytes: u64, (name, unit): (&str, u64)) -> String {
    let tenths = u128::from(bytes) * 10 / u128::from(unit);
    match (tenths / 10, tenths % 10) {
        (whole, 0) => format!("{whole} {name}"),
        (whole, tenth) => format!("{whole}.{tenth} {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn figures_are_told_in_units_that_tell_them_apart() {
        assert_eq!(both_in_words(1331 * MIB, 1024 * MIB), ["1.2 GiB", "1 GiB"]);
        assert_eq!(both_in_words(1025 * MIB, 1024 * MIB), ["1025 MiB", "1024 MiB"]);
        assert_eq!(both_in_words(1024 * MIB + 4096, 1024 * MIB), ["1048580 KiB", "1048576 KiB"]);
        assert_eq!(both_in_words(312_400_000, 300_000_000), ["312.4 MB", "300 MB"]);
        assert_eq!(both_in_words(4096, 1), ["4096 bytes", "1 bytes"]);
        assert_eq!(both_in_words(u64::MAX, u64::MAX - 1)[1], "18446744073709551614 bytes");
        assert_eq!([0, 512, 1536, 3 << 30].map(in_words), ["0 bytes", "512 bytes", "1.5 KiB", "3 GiB"]);
    }
}
