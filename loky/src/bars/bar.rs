//! One of them: a bar on a terminal, and a plain line now and then elsewhere.
//!
//! All bars of the program are drawn together, below what is written meanwhile: whoever writes to the standard streams for
//! somebody else has them make room for that moment.

use std::io::{self, IsTerminal, Write};
use std::panic::{self, AssertUnwindSafe};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::figures::{Figures, Own};

/// See the module.
#[derive(Debug)]
pub(crate) struct Bar {
    name: String,
    begun: Instant,
    /// When something was said last.
    said: Instant,
    /// `None` where there is no terminal.
    drawn: Option<ProgressBar>,
}

static ALL: LazyLock<MultiProgress> =
    LazyLock::new(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(DRAWN_PER_SECOND)));

/// How many are drawn.
static DRAWN: AtomicUsize = AtomicUsize::new(0);

const DRAWN_PER_SECOND: u8 = 10;

/// How often a plain line is written.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// So many tasks that say something of themselves have a line.
const OWN_MAX: usize = 8;

/// Runs `write`, which writes to the standard streams, while nothing is drawn there.
pub(crate) fn suspended<T>(write: impl FnOnce() -> T) -> T {
    if DRAWN.load(Ordering::Acquire) == 0 {
        return write();
    }
    // A panic within would leave the bars unusable.
    ALL.suspend(|| panic::catch_unwind(AssertUnwindSafe(write))).unwrap_or_else(|panic| panic::resume_unwind(panic))
}

impl Bar {
    pub(crate) fn new(name: &str) -> Self {
        let begun = Instant::now();
        let is_drawn = io::stderr().is_terminal() && !ALL.is_hidden();
        let drawn = is_drawn.then(|| {
            DRAWN.fetch_add(1, Ordering::AcqRel);
            ALL.add(ProgressBar::no_length()).with_style(style("{prefix} {msg}")).with_prefix(name.to_string())
        });
        Self { name: name.to_string(), begun, said: begun, drawn }
    }

    /// Shows it, if what was shown is older than it may be.
    pub(crate) fn show(&mut self, figures: impl FnOnce() -> Figures) {
        let (now, pause) = (Instant::now(), if self.drawn.is_some() { TICK } else { LINE_EVERY });
        if now.duration_since(self.said) < pause {
            return;
        }
        self.said = now;
        let figures = figures();
        let words = figures.in_words(now.duration_since(self.begun));
        let Some(bar) = &self.drawn else {
            return write_line(&format!("{}: {words}", self.name));
        };
        if let Some(total) = figures.total.filter(|_| bar.length().is_none()) {
            bar.set_length(total as u64);
            bar.set_style(style("{prefix} [{wide_bar}] {msg}").progress_chars("=> "));
        }
        bar.set_position(figures.done as u64);
        let more = figures.own.len().saturating_sub(OWN_MAX);
        let own = figures.own.iter().take(OWN_MAX).map(|own| format!("\n  {}", Own::in_words(own)));
        let more = (more > 0).then(|| format!("\n  and {more} more"));
        bar.set_message(own.chain(more).fold(words, |text, line| text + &line));
    }

    /// Nothing more will be shown.
    pub(crate) fn end(self, figures: &Figures) {
        let words = figures.at_the_end(self.begun.elapsed());
        if let Some(bar) = &self.drawn {
            bar.finish_and_clear();
            ALL.remove(bar);
            // Those that are left make room for a line that stays.
            suspended(|| write_line(&format!("{}: {words}", self.name)));
            DRAWN.fetch_sub(1, Ordering::AcqRel);
        } else {
            write_line(&format!("{}: {words}", self.name));
        }
    }
}

/// How often a bar is drawn anew.
pub(crate) const TICK: Duration = Duration::from_millis(100);

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates here are valid")
}

/// A standard error that is closed is nothing to whoever maps something.
fn write_line(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
