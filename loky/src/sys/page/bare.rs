//! What a test sees of the page that plays a worker: every word outside of the rings, by name, to lie in it; and what it has
//! to know to wait for nothing.

#[cfg(all(test, not(loom)))]
use std::sync::atomic::Ordering;

#[cfg(test)]
use super::Beginner;
use super::{AtomicU64, Page};

impl Page {
    /// All of them, of a text or a row of bits the first. What a worker could write to, it can lie in.
    pub(crate) fn bare(&self) -> Vec<(&'static str, &AtomicU64)> {
        let shared = self.shared();
        let mut words = vec![
            ("begun", &shared.race.begun.0),
            ("gone_on", &shared.race.gone_on.0),
            ("recalled", &shared.race.recalled.0),
        ];
        let names = [
            ["to_worker.read", "to_worker.reader_sleeps", "to_worker.writer_sleeps"],
            ["from_worker.read", "from_worker.reader_sleeps", "from_worker.writer_sleeps"],
            ["notes.read", "notes.reader_sleeps", "notes.writer_sleeps"],
        ];
        for (names, signs) in names.into_iter().zip(&shared.signs) {
            words.extend(names.into_iter().zip([&signs.read.0, &signs.reader_sleeps.0, &signs.writer_sleeps.0]));
        }
        words.extend(shared.wishes.bare());
        words.extend(shared.told.bare());
        #[cfg(feature = "tracing")]
        words.extend(shared.wanted.bare());
        words
    }

    /// Whether a worker that would begin something now had to wait.
    #[cfg(all(test, not(loom)))]
    pub(crate) fn is_halted(&self) -> bool {
        self.shared().race.begun.0.load(Ordering::SeqCst) & super::race::HALTED != 0
    }
}

/// Both ends of a page, and the worker's side of the word that says what has begun.
#[cfg(test)]
pub(super) fn sides() -> (Page, Page, Beginner) {
    let (parents, fd) = Page::create().unwrap();
    let workers = Page::map(&fd).unwrap();
    let beginner = Beginner::new(&workers);
    (parents, workers, beginner)
}
