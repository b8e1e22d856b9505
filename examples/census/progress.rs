//! How far the census is: a bar on a terminal, a plain line every few seconds elsewhere. Writes to standard error only,
//! so that the report can be piped.

use std::io::{IsTerminal, stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::format;
use crate::survey::Outcome;

/// Redrawn also while nothing finishes, for then the clock is what shows that the program lives.
const TICK: Duration = Duration::from_millis(100);
const LINE_EVERY: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub(crate) struct Progress {
    tally: Arc<Tally>,
    display: Display,
}

#[derive(Debug)]
enum Display {
    Bar(ProgressBar),
    /// Closed, the channel ends the thread that writes the lines.
    Lines(mpsc::Sender<()>),
}

/// What is shown. Relaxed atomics will do: a number may lag, but nothing depends on it.
#[derive(Debug)]
struct Tally {
    started: Instant,
    total: u64,
    done: AtomicU64,
    failed: AtomicU64,
    lines: AtomicU64,
}

impl Progress {
    pub(crate) fn start(total: usize) -> Self {
        let tally = Arc::new(Tally {
            started: Instant::now(),
            total: total as u64,
            done: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            lines: AtomicU64::new(0),
        });
        let display = if stderr().is_terminal() {
            Display::Bar(bar(tally.total))
        } else {
            Display::Lines(start_lines(Arc::clone(&tally)))
        };
        Self { tally, display }
    }

    pub(crate) fn step(&self, outcome: &Outcome) {
        self.tally.add(outcome);
        if let Display::Bar(bar) = &self.display {
            bar.set_message(self.tally.details());
            bar.inc(1);
        }
    }

    /// Removes the bar: what it showed is in the report.
    pub(crate) fn finish(self) {
        match self.display {
            Display::Bar(bar) => bar.finish_and_clear(),
            Display::Lines(stop) => drop(stop),
        }
    }
}

/// Says on a terminal what is going on while nothing is printed; the guard takes the line away again.
pub(crate) fn busy(what: String) -> impl Drop {
    let bar = ProgressBar::new_spinner();
    bar.set_message(what);
    bar.enable_steady_tick(TICK);
    Busy(bar)
}

struct Busy(ProgressBar);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn bar(total: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:32} {human_pos}/{human_len} files, {msg}, {elapsed}, {eta} left")
        .expect("the template above is well-formed");
    let bar = ProgressBar::new(total).with_style(style.progress_chars("━╸ ")).with_message("starting");
    bar.enable_steady_tick(TICK);
    bar
}

fn start_lines(tally: Arc<Tally>) -> mpsc::Sender<()> {
    let (stop, stopped) = mpsc::channel();
    thread::spawn(move || {
        while stopped.recv_timeout(LINE_EVERY) == Err(RecvTimeoutError::Timeout) {
            eprintln!("{}", tally.line());
        }
    });
    stop
}

impl Tally {
    fn add(&self, outcome: &Outcome) {
        self.done.fetch_add(1, Ordering::Relaxed);
        match outcome {
            Ok(counted) => self.lines.fetch_add(counted.lines, Ordering::Relaxed),
            Err(_) => self.failed.fetch_add(1, Ordering::Relaxed),
        };
    }

    fn details(&self) -> String {
        let lines = format::thousands(self.lines.load(Ordering::Relaxed));
        match self.failed.load(Ordering::Relaxed) {
            0 => format!("{lines} lines"),
            failed => format!("{lines} lines, {} failed", format::thousands(failed)),
        }
    }

    fn line(&self) -> String {
        let done = format::thousands(self.done.load(Ordering::Relaxed));
        let total = format::plural(self.total, "file");
        format!("{done} of {total}, {}, {:.0} s", self.details(), self.started.elapsed().as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::count::{FileCount, Refusal};
    use crate::failure::Failure;

    #[test]
    fn a_line_tells_how_far_and_what_failed() {
        let progress = Progress::start(1200);
        progress.step(&Ok(FileCount { lines: 5000, ..FileCount::default() }));
        assert_eq!(progress.tally.line(), "1 of 1,200 files, 5,000 lines, 0 s");
        progress.step(&Err(Failure::refused(Refusal::TooLarge(1)).into()));
        assert_eq!(progress.tally.line(), "2 of 1,200 files, 5,000 lines, 1 failed, 0 s");
    }
}
