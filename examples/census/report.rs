//! The report for people: a table of crates, what failed and why, and how fast it went.

use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::time::Duration;

use crate::args::Options;
use crate::failure::Failure;
use crate::format::{plural, seconds, shorten, thousands, wrap};
use crate::problem::Problem;
use crate::sources::Sources;
use crate::speed::SpeedUp;
use crate::survey::{Survey, Totals};

/// All that is known at the end.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    pub(crate) options: &'a Options,
    pub(crate) sources: &'a Sources,
    pub(crate) survey: &'a Survey,
    /// How long the census took, from the first file to the last.
    pub(crate) wall: Duration,
    pub(crate) speed_up: SpeedUp,
}

/// Rows of one kind of failure that are listed without `--all`.
const FAILURES_LISTED: usize = 10;
/// Of a line, where a name or a sentence might make it longer.
const WIDTH: usize = 110;
const NAME_WIDTH_MAX: usize = 32;
/// Of all between the name of a crate and the name of a function.
const COLUMNS_WIDTH: usize = 52;
/// Some of the parser's messages list all that it would have liked instead.
const REFUSAL_WIDTH_MAX: usize = 80;

/// Writes to standard output. Whoever reads it may have seen enough: `| head` is no failure.
pub(crate) fn print(text: &str) -> Result<(), Problem> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let totals = self.survey.totals();
        if totals.found == 0 {
            writeln!(f, "There are no `.rs` files.")?;
            return self.closed(f);
        }
        self.crates(f, &totals)?;
        self.failures(f)?;
        self.closed(f)?;
        accounts(f, &totals)?;
        self.rate(f, &totals)?;
        self.speed_up(f)
    }
}

impl Report<'_> {
    fn crates(&self, f: &mut fmt::Formatter<'_>, totals: &Totals) -> fmt::Result {
        let by_crate = self.survey.totals_by_crate(self.sources);
        let mut rows: Vec<_> = self.sources.crates.iter().map(|one| one.name.as_str()).zip(&by_crate).collect();
        rows.sort_by(|(a, x), (b, y)| y.lines.cmp(&x.lines).then(a.cmp(b)));
        let hidden = rows.len() - self.options.top.map_or(rows.len(), |top| top.min(rows.len()));
        rows.truncate(rows.len() - hidden);

        let all = format!("all {}", plural(by_crate.len() as u64, "crate"));
        let width = rows.iter().map(|(name, _)| name.chars().count()).chain([all.len()]).max();
        let width = width.unwrap_or_default().min(NAME_WIDTH_MAX);
        writeln!(
            f,
            "{:width$}  {:>6}  {:>9}  {:>9}  {:>6}  {:>6}  longest function (lines)",
            "crate", "files", "lines", "functions", "unsafe", "failed"
        )?;
        for (name, totals) in rows {
            self.crate_row(f, width, name, totals)?;
        }
        if hidden > 0 {
            writeln!(f, "… and {} (--all lists them)", plural(hidden as u64, "smaller crate"))?;
        }
        self.crate_row(f, width, &all, totals)?;
        match &totals.longest {
            Some(longest) => {
                writeln!(f, "\nThe longest function is at {}:{}.", self.sources.label(totals.longest_in), longest.line)
            }
            None => Ok(()),
        }
    }

    fn crate_row(&self, f: &mut fmt::Formatter<'_>, width: usize, name: &str, totals: &Totals) -> fmt::Result {
        let name = shorten(name, width);
        let failed = totals.failed + totals.unreadable;
        let [files, lines, functions, blocks] =
            [totals.found, totals.lines, totals.functions, totals.unsafe_blocks].map(thousands);
        write!(f, "{name:width$}  {files:>6}  {lines:>9}  {functions:>9}  {blocks:>6}  {failed:>6}")?;
        match &totals.longest {
            Some(longest) => {
                let room = WIDTH - (width + 2 + COLUMNS_WIDTH);
                writeln!(f, "  {:>5} {}", thousands(longest.lines), shorten(&longest.name, room))
            }
            None => writeln!(f, "      – –"),
        }
    }

    fn failures(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups = self.survey.failures();
        if groups.is_empty() {
            return writeln!(f, "\nNothing failed.");
        }
        writeln!(f, "\nWhat failed, and why")?;
        for (reason, failures) in groups {
            writeln!(f, "\n  {reason}: {}", plural(failures.len() as u64, "file"))?;
            let listed = if self.options.top.is_none() { failures.len() } else { FAILURES_LISTED };
            for (index, failure) in failures.iter().take(listed) {
                self.failure_row(f, *index, failure)?;
            }
            if failures.len() > listed {
                writeln!(f, "    … and {} more (--all lists them)", thousands((failures.len() - listed) as u64))?;
            }
        }
        Ok(())
    }

    fn failure_row(&self, f: &mut fmt::Formatter<'_>, index: usize, failure: &Failure) -> fmt::Result {
        let label = self.sources.label(index);
        let place = match (failure.line, failure.column) {
            (Some(line), Some(column)) => format!(":{line}:{column}"),
            _ => String::new(),
        };
        if failure.is_of_call() {
            // The whole sentence, for a death is rare and worth it.
            writeln!(f, "    {label}\n{}", wrap(&failure.message, 6, WIDTH))?;
            let last_words = failure.last_words.as_deref().unwrap_or_default();
            let mut lines = last_words.lines().filter(|line| !line.trim().is_empty());
            return lines.try_for_each(|line| writeln!(f, "      | {line}"));
        }
        writeln!(f, "    {label}{place}: {}", shorten(&failure.message, REFUSAL_WIDTH_MAX))
    }

    fn closed(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.sources.closed.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nNot entered, so whatever lies there was not found:")?;
        self.sources.closed.iter().try_for_each(|why| writeln!(f, "  {why}"))
    }

    fn rate(&self, f: &mut fmt::Formatter<'_>, totals: &Totals) -> fmt::Result {
        let per_second = |amount: u64| amount as f64 / self.wall.as_secs_f64();
        let rate = format!(
            "Rate: {} files, {:.1} MB, {} lines a second ({} in all, {} on {}{}).",
            thousands(per_second(totals.found) as u64),
            per_second(totals.bytes) / 1e6,
            thousands(per_second(totals.lines) as u64),
            seconds(self.wall),
            plural(self.options.workers as u64, "worker"),
            plural(loky::cpu_count() as u64, "CPU"),
            if self.has_waited() { ", waiting for the time limit included" } else { "" },
        );
        writeln!(f, "{}", wrap(&rate, 0, WIDTH))
    }

    /// Whether some file held a worker until its time limit, so that the rate says little.
    fn has_waited(&self) -> bool {
        self.survey.failures().values().flatten().any(|(_, failure)| failure.limit_seconds.is_some())
    }

    fn speed_up(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let speed_up = match &self.speed_up {
            Err(reason) => format!("Speed-up over one worker: not measured, for {reason}."),
            Ok(measured) => format!(
                "Speed-up over one worker: {:.2}. {} picked evenly took {:.2} s on one warm worker and {:.2} s on {} \
                 (best of {}).",
                measured.ratio(),
                plural(measured.files as u64, "file"),
                measured.one_worker_seconds,
                measured.all_workers_seconds,
                self.options.workers,
                measured.rounds,
            ),
        };
        writeln!(f, "{}", wrap(&speed_up, 0, WIDTH))
    }
}

fn accounts(f: &mut fmt::Formatter<'_>, totals: &Totals) -> fmt::Result {
    let [parsed, failed, unreadable, found] =
        [totals.parsed, totals.failed, totals.unreadable, totals.found].map(thousands);
    writeln!(f, "\nAccounts: {parsed} parsed + {failed} failed + {unreadable} unreadable = {found} found.")
}
