//! How many items travel in one call: pure arithmetic from sizes and times.
//!
//! A call costs a round trip, so tiny items travel together; but a chunk is one worker's, so it must not be so long
//! that others run out of work beside it. The size follows the measured time per item, and shrinks towards the end
//! of the input, as in guided self-scheduling (Polychronopoulos and Kuck, 1987).

use std::time::Duration;

use crate::driver::ITEMS_MAX;

/// A chunk should run about this long: fifty times what it takes to wake whoever waits for it on a processor that sleeps,
/// and short enough to be even at the end.
const CHUNK_TIME: Duration = Duration::from_millis(1);

/// Growth from one chunk to the next; a measurement of very few items may be far off.
const GROWTH_MAX: usize = 8;

/// More items in one call save nothing.
const CHUNK_LEN_MAX: usize = 4096;

/// A chunk is closed when its arguments have this many bytes.
pub(super) const CHUNK_BYTES_MAX: usize = 1 << 20;

/// Chooses the lengths of chunks.
#[derive(Debug)]
pub(super) struct Sizer {
    fixed: Option<usize>,
    /// No chunk that is chosen is longer.
    most: usize,
    /// Seconds per item, a moving average.
    item_time: Option<f64>,
    last: usize,
}

impl Sizer {
    /// Where a worker lives for so many items, as `lifespan` says, none is to be given more at once, unless a length
    /// is asked for.
    pub(super) fn new(fixed: Option<usize>, lifespan: Option<u64>) -> Self {
        let lifespan = lifespan.and_then(|items| usize::try_from(items).ok()).unwrap_or(usize::MAX);
        let fixed = fixed.map(|len| len.clamp(1, ITEMS_MAX - 1));
        Self { fixed, most: lifespan.clamp(1, CHUNK_LEN_MAX), item_time: None, last: 1 }
    }

    /// Whether every chunk shall have the length that was asked for.
    pub(super) const fn is_fixed(&self) -> bool {
        self.fixed.is_some()
    }

    /// The length of the next chunk, at least 1, if at most `left` items are still to come and `workers` share them.
    pub(super) fn next_len(&mut self, left: Option<usize>, workers: usize) -> usize {
        if let Some(fixed) = self.fixed {
            return fixed;
        }
        let by_time = self.item_time.map_or(1, |time| (CHUNK_TIME.as_secs_f64() / time.max(1e-9)) as usize);
        let by_growth = self.last.saturating_mul(GROWTH_MAX);
        let by_end = left.map_or(usize::MAX, |left| left / (2 * workers.max(1)));
        by_time.min(by_growth).min(by_end).clamp(1, self.most)
    }

    /// A chunk has come back: `len` of its items ran for `ran` together.
    pub(super) fn observe(&mut self, len: usize, ran: Duration) {
        if len == 0 {
            return;
        }
        let time = ran.as_secs_f64() / len as f64;
        self.item_time = Some(self.item_time.map_or(time, |before| before.mul_add(0.5, time * 0.5)));
        self.last = self.last.max(len);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(item: Duration) -> Sizer {
        let mut sizer = Sizer::new(None, None);
        for _ in 0..10 {
            let len = sizer.next_len(None, 2);
            sizer.observe(len, item * u32::try_from(len).unwrap());
        }
        sizer
    }

    #[test]
    fn batch_03_each_map_begins_with_single_items() {
        assert!(settled(Duration::from_nanos(1)).next_len(None, 8) > 1);
        let mut sizer = Sizer::new(None, None);
        assert_eq!(
            (sizer.next_len(None, 8), sizer.next_len(Some(1_000_000), 8)),
            (1, 1),
            "what was before is forgotten"
        );
    }

    #[test]
    fn batch_01_short_items_travel_together_and_long_ones_alone() {
        assert_eq!(settled(Duration::from_micros(20)).next_len(None, 2), 50);
        assert_eq!(settled(Duration::from_millis(20)).next_len(None, 2), 1);
        assert_eq!(settled(Duration::from_nanos(1)).next_len(None, 2), CHUNK_LEN_MAX);
    }

    #[test]
    fn batch_04_growth_is_bounded_and_a_long_item_shrinks_the_next_chunk() {
        let mut sizer = Sizer::new(None, None);
        sizer.observe(1, Duration::ZERO);
        assert_eq!(sizer.next_len(None, 2), GROWTH_MAX);
        let mut sizer = settled(Duration::from_micros(1));
        assert!((999..=1000).contains(&sizer.next_len(None, 2)));
        sizer.observe(1000, 1000 * Duration::from_micros(3));
        assert!((499..=500).contains(&sizer.next_len(None, 2)), "half of what was, half of what is");
        sizer.observe(1, Duration::from_millis(5));
        assert_eq!(sizer.next_len(None, 2), 1, "at once");
    }

    #[test]
    fn batch_06_the_end_is_shared() {
        let len = |item, left, workers| settled(Duration::from_micros(item)).next_len(Some(left), workers);
        assert_eq!([len(1, 10, 4), len(1, 40, 4), len(1, 0, 4)], [1, 5, 1]);
    }

    #[test]
    fn no_chunk_is_longer_than_a_worker_lives() {
        let mut sizer = Sizer::new(None, Some(5));
        sizer.observe(1, Duration::from_nanos(1));
        assert_eq!(sizer.next_len(None, 2), 5);
        assert_eq!(Sizer::new(None, Some(u64::MAX)).most, CHUNK_LEN_MAX);
    }

    #[test]
    fn batch_02_a_size_of_zero_is_one() {
        assert_eq!(Sizer::new(Some(0), None).next_len(None, 2), 1);
    }

    #[test]
    fn map_22_a_size_that_was_asked_for_is_kept() {
        let mut sizer = Sizer::new(Some(7), Some(3));
        sizer.observe(7, Duration::from_secs(1));
        assert_eq!(sizer.next_len(Some(3), 2), 7);
        assert_eq!(Sizer::new(Some(usize::MAX), None).next_len(None, 2), ITEMS_MAX - 1, "more could not be told apart");
    }
}
