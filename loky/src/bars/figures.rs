//! What is said of progress, in words. Nothing here knows where they go.

use std::fmt::Write;
use std::time::Duration;

use crate::progress::Progress;
use crate::text::duration;

/// How far it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    /// Items that are through, well or not.
    pub(crate) done: usize,
    /// All items, if that is known.
    pub(crate) total: Option<usize>,
    pub(crate) failed: usize,
    /// Workers that have something to do.
    pub(crate) busy: usize,
    /// What the tasks say of themselves.
    pub(crate) own: Vec<Own>,
}

/// What the task of one worker says of itself.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    pub(crate) worker: usize,
    pub(crate) task: &'static str,
    pub(crate) progress: Progress,
}

impl Figures {
    /// "412 of 1000 (41 %), 103/s, 5.70 s left, 2 busy, 1 failed", as far as it is known.
    pub(super) fn in_words(&self, elapsed: Duration) -> String {
        let mut words = match self.total.filter(|&total| total > 0) {
            Some(total) => format!("{} of {total} ({} %)", self.done, self.done * 100 / total),
            None => format!("{} done", self.done),
        };
        let rate = self.rate(elapsed);
        if let Some(rate) = rate {
            let _ = write!(words, ", {}/s", in_digits(rate));
        }
        let left = self.total.map(|total| total.saturating_sub(self.done)).filter(|&left| left > 0);
        if let Some((left, rate)) = left.zip(rate) {
            let _ = write!(
                words,
                ", {} left",
                duration(Duration::try_from_secs_f64(left as f64 / rate).unwrap_or(Duration::MAX))
            );
        }
        let _ = write!(words, ", {} busy", self.busy);
        words + &self.failures()
    }

    /// "1000 in 9.70 s, 103/s, 1 failed".
    pub(super) fn at_the_end(&self, elapsed: Duration) -> String {
        let all = self.total.filter(|&total| total > self.done);
        let done = all.map_or_else(|| self.done.to_string(), |total| format!("stopped at {} of {total}", self.done));
        let rate = self.rate(elapsed).map(|rate| format!(", {}/s", in_digits(rate)));
        format!("{done} in {}{}{}", duration(elapsed), rate.unwrap_or_default(), self.failures())
    }

    fn failures(&self) -> String {
        if self.failed > 0 { format!(", {} failed", self.failed) } else { String::new() }
    }

    fn rate(&self, elapsed: Duration) -> Option<f64> {
        let rate = self.done as f64 / elapsed.as_secs_f64();
        Some(rate).filter(|rate| rate.is_finite() && *rate > 0.0)
    }
}

impl Own {
    /// "worker 0: 30 %, reading b.png (my_crate::decode)".
    pub(super) fn in_words(&self) -> String {
        format!("worker {}: {} ({})", self.worker, self.progress, self.task)
    }
}

/// Three digits of it, or all that it has before the point.
fn in_digits(number: f64) -> String {
    match number {
        ..10.0 => format!("{number:.2}"),
        10.0..100.0 => format!("{number:.1}"),
        _ => format!("{number:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_said() {
        let figures = Figures { done: 412, total: Some(1000), failed: 1, busy: 2, own: Vec::new() };
        assert_eq!(
            figures.in_words(Duration::from_secs(4)),
            "412 of 1000 (41 %), 103/s, 5.70 s left, 2 busy, 1 failed"
        );
        assert_eq!(figures.at_the_end(Duration::from_secs(4)), "stopped at 412 of 1000 in 4.00 s, 103/s, 1 failed");
        let unknown = Figures { total: None, failed: 0, ..figures };
        assert_eq!(unknown.in_words(Duration::from_secs(400)), "412 done, 1.03/s, 2 busy");
        assert_eq!(unknown.at_the_end(Duration::from_secs(400)), "412 in 6 min 40 s, 1.03/s");
        let nothing = Figures { total: Some(0), ..Figures::default() };
        assert_eq!(nothing.in_words(Duration::ZERO), "0 done, 0 busy");
        assert_eq!(nothing.at_the_end(Duration::from_secs(7500)), "0 in 2 h 5 min");
    }

    #[test]
    fn what_a_task_says_of_itself_is_shown_with_its_name() {
        let progress = Progress::new(0.3, b"reading b.png").unwrap();
        let own = Own { worker: 4, task: "my_crate::decode", progress };
        assert_eq!(own.in_words(), "worker 4: 30 %, reading b.png (my_crate::decode)");
    }
}
