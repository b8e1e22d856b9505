//! The progress of a `par_map`, as far as it is shown: which figures, and when they are looked at.

use std::time::Instant;

use crate::bars::{Bar, Figures, TICK};
use crate::driver::{Outcome, Results};
use crate::pool::Pool;

/// See the module.
#[derive(Debug)]
pub(super) struct Shown {
    bar: Option<Bar>,
    figures: Figures,
}

impl Shown {
    pub(super) fn new(name: &str) -> Self {
        Self { bar: Some(Bar::new(name)), figures: Figures::default() }
    }

    /// So many items are through, and so many of them have failed.
    pub(super) fn count(&mut self, done: usize, failed: usize) {
        self.figures.done += done;
        self.figures.failed += failed;
    }

    /// What has come of a chunk.
    pub(super) fn count_outcome(&mut self, outcome: &Outcome) {
        let results = &outcome.results;
        let failed =
            |results: &Results| (0..results.len()).filter(|&item| matches!(results.get(item), Some(Err(_)))).count();
        self.count(results.len(), if results.has_failure() { failed(results) } else { 0 });
    }

    /// So many items there are in all, if that is known.
    pub(super) fn expect(&mut self, total: Option<usize>) {
        self.figures.total = total;
    }

    /// Shows how far it is.
    pub(super) fn show(&mut self, pool: &Pool) {
        let Self { bar: Some(bar), figures } = self else { return };
        bar.show(|| {
            let (busy, own) = pool.at_work();
            Figures { busy, own, ..figures.clone() }
        });
    }

    /// When to show it next.
    pub(super) fn next() -> Option<Instant> {
        Instant::now().checked_add(TICK)
    }

    /// Nothing more will come.
    pub(super) fn end(&mut self) {
        self.bar.take().into_iter().for_each(|bar| bar.end(&self.figures));
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.end();
    }
}
