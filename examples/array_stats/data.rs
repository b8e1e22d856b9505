//! The file: measurements that a seeded generator has made, written once and found again by name.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::time::Instant;

use crate::args::Options;

/// Writes the file that the options ask for, unless it is there. Returns where it is.
pub(crate) fn write_once(options: &Options) -> io::Result<PathBuf> {
    let (mib, seed) = (options.size_mib, options.seed);
    let path = options.folder.join(format!("loky-array-stats-{mib}-mib-seed-{seed}.f64"));
    let bytes = mib << 20;
    if fs::metadata(&path).is_ok_and(|there| there.len() == bytes) {
        println!("{} is there", path.display());
        return Ok(path);
    }
    let begin = Instant::now();
    // Under another name until it is complete: what has the name can be relied on.
    let draft = path.with_extension(format!("draft-{}", std::process::id()));
    let written = write(&draft, seed, bytes / size_of::<f64>() as u64).and_then(|()| fs::rename(&draft, &path));
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written?;
    println!("{} was written in {:.1?}", path.display(), begin.elapsed());
    Ok(path)
}

fn write(path: &PathBuf, seed: u64, count: u64) -> io::Result<()> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let mut random = Random(seed);
    for _ in 0..count {
        file.write_all(&random.measurement().to_ne_bytes())?;
    }
    file.into_inner()?.sync_data()
}

/// A generator of the SplitMix64 family.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Nearly normal, with mean 0 and deviation 1: the sum of twelve numbers that are evenly spread, four from each word.
    fn measurement(&mut self) -> f64 {
        let sum: u64 = (0..3)
            .map(|_| self.bits())
            .map(|bits| (0..4).map(|part| (bits >> (16 * part)) & 0xFFFF).sum::<u64>())
            .sum();
        sum as f64 / 65536.0 - 6.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_the_same_measurements_again() {
        let some = |seed| {
            let mut random = Random(seed);
            std::iter::repeat_with(move || random.measurement()).take(10_000).collect::<Vec<_>>()
        };
        assert!(some(1) == some(1) && some(1) != some(2));
        let mean = some(1).iter().sum::<f64>() / 10_000.0;
        let variance = some(1).iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 10_000.0;
        assert!(mean.abs() < 0.05 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
    }
}
