//! What was counted, what had been recorded, and whether the difference is a fault. Knows nothing of how one counts.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// Instructions for each kind of call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Recorded {
    /// With which the counted program was compiled.
    pub(crate) compiler: String,
    pub(crate) counts: BTreeMap<String, u64>,
}

/// The windows of one kind of call: the instructions of each, by its number of calls.
pub(crate) struct Counted(BTreeMap<u64, Vec<u64>>);

impl Counted {
    /// `output` says of each window, in one line, how many calls it had and of what kind.
    pub(crate) fn all_of(output: &str, instructions: &[u64]) -> BTreeMap<String, u64> {
        let mut kinds: BTreeMap<&str, Self> = BTreeMap::new();
        let windows = output.lines().filter_map(|line| line.split_once(' '));
        for ((calls, kind), instructions) in windows.zip(instructions) {
            let calls = calls.parse().expect("the counted program prints numbers of calls");
            let windows = kinds.entry(kind).or_insert_with(|| Self(BTreeMap::new()));
            windows.0.entry(calls).or_default().push(*instructions);
        }
        kinds.into_iter().map(|(kind, counted)| (kind.to_owned(), counted.each())).collect()
    }

    /// Of one call: what a long window has more than a short one.
    fn each(self) -> u64 {
        let mut medians = self.0.into_iter().map(|(calls, instructions)| (calls, median(instructions)));
        let (few, short) = medians.next().expect("a kind is there because it had a window");
        let (many, long) = medians.next_back().expect("each kind has windows of two lengths");
        long.saturating_sub(short) / (many - few)
    }
}

fn median(mut counts: Vec<u64>) -> u64 {
    counts.sort_unstable();
    counts[counts.len() / 2]
}

impl Recorded {
    pub(crate) fn compare(&self, found: &Self) -> Comparison {
        let is_comparable = self.compiler == found.compiler;
        let pair =
            |(kind, now): (&String, &u64)| Line { kind: kind.clone(), now: *now, then: self.counts.get(kind).copied() };
        let lines = found.counts.iter().map(pair).collect();
        Comparison { is_comparable, compiler: self.compiler.clone(), lines }
    }
}

impl fmt::Display for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# Instructions of the spawning thread, for each call. Written by the guard; see its `main.rs`.")?;
        writeln!(f, "compiler = {}", self.compiler)?;
        self.counts.iter().try_for_each(|(kind, count)| writeln!(f, "{kind} = {count}"))
    }
}

impl FromStr for Recorded {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut recorded = Self { compiler: String::new(), counts: BTreeMap::new() };
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.split_once(" = ").ok_or_else(|| format!("not `name = value`: {line}"))?;
            if name == "compiler" {
                recorded.compiler = value.to_owned();
            } else {
                let count = value.parse().map_err(|why| format!("{line}: {why}"))?;
                recorded.counts.insert(name.to_owned(), count);
            }
        }
        Ok(recorded)
    }
}

/// What is to be said of new counts.
pub(crate) struct Comparison {
    is_comparable: bool,
    compiler: String,
    lines: Vec<Line>,
}

struct Line {
    kind: String,
    now: u64,
    then: Option<u64>,
}

impl Comparison {
    pub(crate) fn is_worse(&self) -> bool {
        self.is_comparable && self.lines.iter().any(|line| line.verdict() == Verdict::Worse)
    }
}

#[derive(PartialEq, Eq)]
enum Verdict {
    Same,
    Better,
    /// Also of what was never recorded: nothing may be counted and guarded by nobody.
    Worse,
}

impl Line {
    fn verdict(&self) -> Verdict {
        match self.then {
            Some(then) if self.now * 100 > then * (100 + TOLERANCE_PERCENT) => Verdict::Worse,
            Some(then) if self.now * 100 < then * (100 - TOLERANCE_PERCENT) => Verdict::Better,
            Some(_) => Verdict::Same,
            None => Verdict::Worse,
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdicts: Vec<_> = self.lines.iter().map(Line::verdict).collect();
        for (line, verdict) in self.lines.iter().zip(&verdicts) {
            let then = line.then.map_or_else(|| "not recorded".to_owned(), |then| format!("recorded {then}"));
            let mark = match verdict {
                Verdict::Same => "",
                Verdict::Better => ", BETTER",
                Verdict::Worse => ", WORSE",
            };
            writeln!(f, "{}: {} instructions ({then}{mark})", line.kind, line.now)?;
        }
        if !self.is_comparable {
            writeln!(f, "SKIPPED: recorded with another compiler, {}, so nothing is compared", self.compiler)
        } else if verdicts.contains(&Verdict::Worse) {
            writeln!(
                f,
                "FAILED: more than {TOLERANCE_PERCENT} % above what was recorded. If the change is meant, record it: {RECORD}"
            )
        } else if verdicts.contains(&Verdict::Better) {
            writeln!(f, "Less than was recorded. Keep what was gained: {RECORD}")
        } else {
            Ok(())
        }
    }
}

/// Runs of the same program on a busy machine differ by up to 3 %.
const TOLERANCE_PERCENT: u64 = 5;
const RECORD: &str = "cargo run --release -p loky-benches --bin guard -- --record";

#[cfg(test)]
mod tests {
    use super::{Counted, Recorded};

    fn recorded(compiler: &str, count: u64) -> Recorded {
        Recorded { compiler: compiler.to_owned(), counts: [("spawn".to_owned(), count)].into() }
    }

    #[test]
    fn a_call_is_what_a_long_window_has_more_than_a_short_one() {
        let output = "1 a\n3 a\n1 b\n3 b\n".repeat(3);
        let counts = Counted::all_of(&output, &[110, 300, 7, 27, 999, 290, 7, 27, 100, 999, 7, 27]);
        assert_eq!(counts, [("a".to_owned(), 95), ("b".to_owned(), 10)].into());
    }

    #[test]
    fn what_is_written_can_be_read() {
        let written = recorded("rustc 1.95.0 on x86_64", 12);
        assert_eq!(written.to_string().parse(), Ok(written));
        assert!("spawn: 12".parse::<Recorded>().is_err());
    }

    #[test]
    fn more_is_a_fault_and_less_is_a_hint() {
        let of = |then: u64, now: u64| recorded("a", then).compare(&recorded("a", now));
        assert!(of(100, 106).is_worse() && of(100, 106).to_string().contains("--record"));
        assert!(!of(100, 105).is_worse() && !of(100, 105).to_string().contains("--record"));
        assert!(!of(100, 90).is_worse() && of(100, 90).to_string().contains("--record"));
    }

    #[test]
    fn what_was_never_recorded_is_a_fault() {
        let none = Recorded { compiler: "a".to_owned(), counts: [].into() };
        assert!(none.compare(&recorded("a", 1)).is_worse());
    }

    #[test]
    fn another_compiler_proves_nothing() {
        let comparison = recorded("a", 100).compare(&recorded("b", 200));
        assert!(!comparison.is_worse() && comparison.to_string().contains("SKIPPED"));
    }
}
