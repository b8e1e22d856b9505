//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::prelude::*;

pub(crate) const HELP: &str = "\
Describes a large file of measurements (extremes, mean, deviation, histogram) chunk by
chunk, in worker processes and in threads, and compares both.

Usage: cargo run --release --example array_stats -- [OPTIONS]

  --size MIB      how large the file is [default: 1024]
  --seed N        what is in it: each seed makes another file [default: 1]
  --folder PATH   where it lies; it is written when it is not there
                  [default: the folder for temporary files]
  --delete        delete it at the end; otherwise it is kept for the next run
  --chunk MIB     how much one call describes [default: 8]
  --workers N     workers, and threads [default: one per CPU this process may use]
  --rounds N      how often both are measured, in turns [default: 5]
  --help          print this
";

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) size_mib: u64,
    pub(crate) seed: u64,
    pub(crate) folder: PathBuf,
    pub(crate) delete: bool,
    pub(crate) chunk_mib: usize,
    pub(crate) workers: usize,
    pub(crate) rounds: usize,
}

/// `None`: help is wanted.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Option<Options>, lexopt::Error> {
    let mut options = Options {
        size_mib: 1024,
        seed: 1,
        folder: std::env::temp_dir(),
        delete: false,
        chunk_mib: 8,
        workers: loky::cpu_count(),
        rounds: 5,
    };
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("size") => options.size_mib = parser.value()?.parse_with(|text| at_least_one(text, 1 << 30))?,
            Long("seed") => options.seed = parser.value()?.parse()?,
            Long("folder") => options.folder = parser.value()?.into(),
            Long("delete") => options.delete = true,
            Long("chunk") => {
                options.chunk_mib = parser.value()?.parse_with(|text| at_least_one(text, 1 << 20))? as usize
            }
            Long("workers") => options.workers = parser.value()?.parse_with(|text| at_least_one(text, 1024))? as usize,
            Long("rounds") => options.rounds = parser.value()?.parse_with(|text| at_least_one(text, 1000))? as usize,
            Short('h') | Long("help") => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(options))
}

fn at_least_one(text: &str, most: u64) -> Result<u64, String> {
    let number = text.parse().ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| format!("`{text}` is no number from 1 to {most}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_understood() {
        let of = |words: &[&str]| parse(words.iter().map(OsString::from));
        let words = [
            "--size=8",
            "--seed",
            "7",
            "--folder",
            "/x",
            "--delete",
            "--chunk",
            "1",
            "--workers",
            "3",
            "--rounds",
            "2",
        ];
        let expected =
            Options { size_mib: 8, seed: 7, folder: "/x".into(), delete: true, chunk_mib: 1, workers: 3, rounds: 2 };
        assert_eq!(of(&words).unwrap(), Some(expected));
        assert_eq!(of(&["--help"]).unwrap(), None);
        assert!(of(&[]).unwrap().is_some_and(|options| options.size_mib >= 1024 && !options.delete));
        assert!(of(&["--size", "0"]).is_err() && of(&["--workers", "many"]).is_err() && of(&["file"]).is_err());
    }
}
