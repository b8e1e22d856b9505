//! What a parent wants a worker to know at once, while it runs a call: words of the page that a task may look at.
//!
//! The call that shall end is named by its number, and the worker holds that against the number of the call that it
//! runs. So no other call is ever meant, neither one behind it nor the same one in a later try, and nothing has to be
//! taken back.

use std::sync::atomic::Ordering;

#[cfg(any(test, fuzzing))]
use super::AtomicU64;
use super::{Line, Page};

/// All zeroes at first.
#[repr(C)]
#[derive(Debug)]
pub(super) struct Wishes {
    /// Written by the worker: the number of the call that it has begun last.
    running: Line,
    /// Written by the parent: the number of the call that shall end by itself.
    asked: Line,
    /// Written by the parent: how many processors the worker has for itself, if that has changed since its start.
    share: Line,
}

impl Wishes {
    /// For the worker: it runs the call with this number.
    pub(super) fn run(&self, call: u64) {
        self.running.0.store(call, Ordering::Release);
    }

    #[cfg(any(test, fuzzing))]
    pub(super) fn bare(&self) -> [(&'static str, &AtomicU64); 3] {
        [("running", &self.running.0), ("asked", &self.asked.0), ("share", &self.share.0)]
    }
}

impl Page {
    /// For the parent: call number `call` shall end by itself. It must have begun.
    pub(crate) fn ask_to_end(&self, call: u64) {
        self.shared().wishes.asked.0.store(call, Ordering::Release);
    }

    /// For the worker: whether the call that it runs, or has run last, was asked to end.
    #[inline]
    pub(crate) fn is_asked_to_end(&self) -> bool {
        let wishes = &self.shared().wishes;
        let asked = wishes.asked.0.load(Ordering::Acquire);
        asked != 0 && asked == wishes.running.0.load(Ordering::Acquire)
    }

    /// For the worker: the number of the call that it has begun last; 0 if none.
    #[cfg(feature = "tracing")]
    pub(crate) fn running(&self) -> u64 {
        self.shared().wishes.running.0.load(Ordering::Acquire)
    }

    /// For the parent: the worker has so many processors for itself from now on.
    pub(crate) fn set_share(&self, processors: usize) {
        self.shared().wishes.share.0.store(processors as u64, Ordering::Relaxed);
    }

    /// For the worker: what was said so; `None` if nothing was.
    pub(crate) fn share(&self) -> Option<usize> {
        let share = self.shared().wishes.share.0.load(Ordering::Relaxed);
        usize::try_from(share).ok().filter(|&share| share > 0)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::bare::sides;

    #[test]
    fn cancel_9_only_the_call_that_was_asked_sees_it() {
        let (parent, worker, mut beginner) = sides();
        assert!(!worker.is_asked_to_end(), "no call is number zero");
        assert!(beginner.begin(1, 0) && !worker.is_asked_to_end());
        parent.ask_to_end(1);
        assert!(worker.is_asked_to_end());
        assert!(beginner.begin(1, 1) && worker.is_asked_to_end(), "each item of it");
        assert!(beginner.go_on(2) && worker.is_asked_to_end());
        assert!(beginner.begin(2, 0) && !worker.is_asked_to_end(), "the one behind it does not");
        let far = 2 + (1 << 38);
        parent.ask_to_end(2);
        assert!(
            beginner.begin(3, 0) && beginner.begin(far, 0) && !worker.is_asked_to_end(),
            "however many there were in between"
        );
    }

    #[test]
    fn a_share_is_what_was_said_last() {
        let (parent, worker, _) = sides();
        assert_eq!(worker.share(), None);
        parent.set_share(4);
        parent.set_share(2);
        assert_eq!(worker.share(), Some(2));
    }
}
