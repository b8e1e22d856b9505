//! Facts between those who note them, under the driver's lock, and the one who shows them.
//!
//! A bounded heap: nobody waits for room in it. What comes while it is full is counted, and that is told in its place.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::super::clock;
use crate::observe::{Fact, Sample};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    heap: Mutex<Heap>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Heap {
    facts: Vec<Fact>,
    /// How things were last, and when; and when that was among the facts.
    latest: Option<(u64, Sample)>,
    sampled: u64,
    lost: u64,
    /// No more will come.
    is_over: bool,
    /// All that came has been shown.
    is_shown: bool,
}

/// So many facts wait at most: 2 MiB, and what is said of failures.
const FACTS_MAX: usize = 16 << 10;

/// Facts are taken out together: whoever shows them waits so long for more behind the first, or until the heap is half
/// full.
const GATHER: Duration = Duration::from_millis(20);

/// Samples among the facts lie so far apart, in nanoseconds; but the last one is always told.
const SAMPLE_EVERY: u64 = 1_000_000;

impl Ledger {
    /// How things are at this moment.
    pub(super) fn add_sample(&self, at: u64, sample: Sample) {
        let mut heap = self.heap();
        if at.saturating_sub(heap.sampled) >= SAMPLE_EVERY {
            (heap.sampled, heap.latest) = (at, None);
            drop(heap);
            return self.add(Fact::Sample { at, sample });
        }
        let was_quiet = heap.latest.replace((at, sample)).is_none() && heap.facts.is_empty();
        drop(heap);
        if was_quiet {
            self.changed.notify_all();
        }
    }

    pub(super) fn add(&self, fact: Fact) {
        let mut heap = self.heap();
        if heap.is_over {
            return;
        }
        if heap.facts.len() >= FACTS_MAX {
            heap.lost += 1;
            return;
        }
        heap.facts.push(fact);
        let count = heap.facts.len();
        drop(heap);
        if count == 1 || count == FACTS_MAX / 2 {
            self.changed.notify_all();
        }
    }

    /// Waits for facts and takes them out, into `facts`. `false`: these are the last ones.
    pub(super) fn take(&self, facts: &mut Vec<Fact>) -> bool {
        let heap = self.heap();
        let is_quiet = |heap: &mut Heap| heap.facts.is_empty() && heap.latest.is_none() && !heap.is_over;
        let heap = self.changed.wait_while(heap, is_quiet).unwrap_or_else(PoisonError::into_inner);
        let has_room = |heap: &mut Heap| heap.facts.len() < FACTS_MAX / 2 && !heap.is_over;
        let waited = self.changed.wait_timeout_while(heap, GATHER, has_room);
        let (mut heap, _) = waited.unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut heap.facts, facts);
        if let Some((at, sample)) = heap.latest.take() {
            facts.push(Fact::Sample { at, sample });
        }
        let lost = std::mem::take(&mut heap.lost);
        if lost > 0 {
            facts.push(Fact::Lost { at: clock::moment(), count: lost });
        }
        !heap.is_over
    }

    /// No more facts will come.
    pub(super) fn end(&self) {
        self.heap().is_over = true;
        self.changed.notify_all();
    }

    /// All facts have been shown, or nobody is there to do that.
    pub(super) fn shown(&self) {
        let mut heap = self.heap();
        (heap.is_over, heap.is_shown) = (true, true);
        drop(heap);
        self.changed.notify_all();
    }

    /// Returns whether all has been shown.
    pub(super) fn wait_shown(&self, until: Instant) -> bool {
        let left = until.saturating_duration_since(Instant::now());
        // Whoever shows it may hang on a file system that does; then this program ends all the same.
        let waited = self.changed.wait_timeout_while(self.heap(), left, |heap| !heap.is_shown);
        waited.unwrap_or_else(PoisonError::into_inner).0.is_shown
    }

    fn heap(&self) -> MutexGuard<'_, Heap> {
        self.heap.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn fact(at: u64) -> Fact {
        Fact::Launched { at, index: 0 }
    }

    #[test]
    fn facts_come_out_in_order_and_what_has_no_room_is_counted() {
        let ledger = Ledger::default();
        (0..FACTS_MAX as u64 + 7).for_each(|at| ledger.add(fact(at)));
        let mut facts = Vec::new();
        assert!(ledger.take(&mut facts));
        assert_eq!(facts.len(), FACTS_MAX + 1);
        assert!(matches!(facts[5], Fact::Launched { at: 5, .. }));
        assert!(matches!(facts[FACTS_MAX], Fact::Lost { count: 7, .. }));
        facts.clear();
        ledger.add(fact(1));
        ledger.end();
        ledger.add(fact(2));
        assert!(!ledger.take(&mut facts) && facts.len() == 1, "what comes after the end is not heard");
        ledger.shown();
        assert!(ledger.wait_shown(Instant::now() + Duration::from_secs(60)));
    }

    #[test]
    fn of_samples_the_last_one_is_always_told() {
        let (ledger, mut facts) = (Ledger::default(), Vec::new());
        let sample = |queued| Sample { queued, ..Sample::default() };
        [(5_000_000, 1), (5_000_001, 2), (5_000_002, 3), (7_000_000, 4), (7_000_001, 5)]
            .into_iter()
            .for_each(|(at, queued)| ledger.add_sample(at, sample(queued)));
        assert!(ledger.take(&mut facts));
        let queued = facts.iter().map(|fact| match fact {
            Fact::Sample { sample, .. } => sample.queued,
            other => panic!("{other:?}"),
        });
        assert_eq!(queued.collect::<Vec<_>>(), [1, 4, 5]);
    }

    #[test]
    fn nobody_waits_longer_than_he_wants_for_what_is_not_shown() {
        let began = Instant::now();
        assert!(!Ledger::default().wait_shown(began + Duration::from_millis(5)));
        assert!(began.elapsed() >= Duration::from_millis(5));
    }
}
