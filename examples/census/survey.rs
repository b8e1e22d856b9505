//! The census as data: one outcome per file, added up per crate. Pure arithmetic; also the accountant who notices when
//! a file has no outcome, or two.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use crate::count::{FileCount, Function};
use crate::failure::Failure;
use crate::problem::Problem;
use crate::sources::Sources;

/// What came of one file. Boxed, for failures are large and rare.
pub(crate) type Outcome = Result<FileCount, Box<Failure>>;

#[derive(Debug)]
pub(crate) struct Survey {
    outcomes: Vec<Option<Outcome>>,
    /// Files that were answered more than once, which must not happen.
    repeated: usize,
}

/// Sums over some files, those of a crate or all.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Totals {
    pub(crate) found: u64,
    pub(crate) parsed: u64,
    pub(crate) failed: u64,
    pub(crate) unreadable: u64,
    pub(crate) bytes: u64,
    pub(crate) lines: u64,
    pub(crate) functions: u64,
    pub(crate) unsafe_blocks: u64,
    pub(crate) longest: Option<Function>,
    /// The file of the longest function, as an index.
    #[serde(skip)]
    pub(crate) longest_in: usize,
    /// Time that workers spent on the files that were parsed.
    #[serde(skip)]
    pub(crate) micros: u64,
}

impl Survey {
    pub(crate) fn of(sources: &Sources) -> Self {
        Self { outcomes: vec![None; sources.files.len()], repeated: 0 }
    }

    pub(crate) fn record(&mut self, index: usize, outcome: Outcome) {
        if self.outcomes[index].replace(outcome).is_some() {
            self.repeated += 1;
        }
    }

    pub(crate) fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for (index, outcome) in self.outcomes.iter().enumerate() {
            totals.add(index, outcome.as_ref());
        }
        totals
    }

    /// One sum for each of [`Sources::crates`].
    pub(crate) fn totals_by_crate(&self, sources: &Sources) -> Vec<Totals> {
        let mut totals = vec![Totals::default(); sources.crates.len()];
        for (index, (outcome, file)) in self.outcomes.iter().zip(&sources.files).enumerate() {
            totals[file.crate_index].add(index, outcome.as_ref());
        }
        totals
    }

    /// All failures by what they have in common, with the files' indices in order.
    pub(crate) fn failures(&self) -> BTreeMap<&str, Vec<(usize, &Failure)>> {
        let mut groups = BTreeMap::<_, Vec<_>>::new();
        for (index, outcome) in self.outcomes.iter().enumerate() {
            if let Some(Err(failure)) = outcome {
                groups.entry(failure.reason.as_str()).or_default().push((index, &**failure));
            }
        }
        groups
    }

    /// The files that were parsed, with the time each took.
    pub(crate) fn parsed<'a>(&self, sources: &'a Sources) -> Vec<(&'a Path, u64)> {
        let counted = |(index, outcome): (usize, &Option<Outcome>)| {
            let micros = outcome.as_ref()?.as_ref().ok()?.micros;
            Some((sources.files[index].path.as_path(), micros))
        };
        self.outcomes.iter().enumerate().filter_map(counted).collect()
    }

    /// Found = parsed + failed + unreadable, each file once.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        let missing = self.outcomes.iter().filter(|outcome| outcome.is_none()).count();
        if missing + self.repeated == 0 {
            return Ok(());
        }
        let repeated = self.repeated;
        Err(Problem::Failure(format!("{missing} files have no result and {repeated} have two, which is a bug")))
    }
}

impl Totals {
    fn add(&mut self, index: usize, outcome: Option<&Outcome>) {
        self.found += 1;
        match outcome {
            Some(Ok(counted)) => self.add_count(index, counted),
            Some(Err(failure)) if failure.is_unreadable() => self.unreadable += 1,
            Some(Err(_)) => self.failed += 1,
            None => {}
        }
    }

    fn add_count(&mut self, index: usize, counted: &FileCount) {
        self.parsed += 1;
        self.bytes += counted.bytes;
        self.lines += counted.lines;
        self.functions += counted.functions;
        self.unsafe_blocks += counted.unsafe_blocks;
        self.micros += counted.micros;
        let longest = self.longest.as_ref().map_or(0, |longest| longest.lines);
        if counted.longest.as_ref().is_some_and(|function| function.lines > longest) {
            self.longest.clone_from(&counted.longest);
            self.longest_in = index;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::count::Refusal;
    use crate::failure::Failure;
    use std::path::PathBuf;

    fn sources() -> Sources {
        let mut sources = Sources::default();
        sources.mix_in("a", Path::new("/a"), &["/a/1.rs", "/a/2.rs"].map(PathBuf::from));
        sources.mix_in("b", Path::new("/b"), &[PathBuf::from("/b/3.rs")]);
        sources
    }

    fn counted(lines: u64) -> Outcome {
        let longest = Some(Function { name: format!("f{lines}"), line: 1, lines });
        Ok(FileCount { lines, functions: 1, longest, ..FileCount::default() })
    }

    fn not_rust() -> Outcome {
        Err(Failure::refused(Refusal::NotRust { line: 1, column: 1, message: "no".into() }).into())
    }

    #[test]
    fn every_outcome_is_in_exactly_one_sum() {
        let mut survey = Survey::of(&sources());
        survey.record(0, counted(10));
        survey.record(1, not_rust());
        survey.record(2, Err(Failure::refused(Refusal::NotUtf8 { valid_up_to: 3 }).into()));
        let totals = survey.totals();
        assert_eq!((totals.found, totals.parsed, totals.failed, totals.unreadable), (3, 1, 1, 1));
        assert_eq!(survey.check(), Ok(()));
        assert_eq!(survey.failures().len(), 2);
    }

    #[test]
    fn crates_are_added_up_apart() {
        let sources = sources();
        let mut survey = Survey::of(&sources);
        (0..3).for_each(|index| survey.record(index, counted(10 + index as u64)));
        let by_crate = survey.totals_by_crate(&sources);
        assert_eq!(by_crate.iter().map(|totals| totals.found).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(by_crate.iter().map(|totals| totals.lines).sum::<u64>(), survey.totals().lines);
        assert_eq!(survey.totals().longest.map(|longest| longest.name).as_deref(), Some("f12"));
        assert_eq!(survey.parsed(&sources).len(), 3);
    }

    #[test]
    fn a_missing_file_and_a_repeated_one_are_noticed() {
        let mut survey = Survey::of(&sources());
        (0..2).for_each(|index| survey.record(index, not_rust()));
        assert!(survey.check().is_err());
        survey.record(2, not_rust());
        assert_eq!(survey.check(), Ok(()));
        survey.record(2, not_rust());
        assert!(survey.check().is_err());
    }
}
