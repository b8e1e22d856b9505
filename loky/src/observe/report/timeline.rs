//! An amount over time, in memory of a fixed size: the longer it lasts, the coarser it is.

/// How much there was in each of at most [`BUCKETS`] stretches of time.
#[derive(Debug)]
pub(super) struct Timeline {
    /// The length of a stretch, in nanoseconds.
    pub(super) width: u64,
    pub(super) amounts: Vec<u64>,
    fold: fn(u64, u64) -> u64,
}

const BUCKETS: usize = 512;

/// At first.
const WIDTH: u64 = 100_000;

impl Timeline {
    /// Of amounts that add up.
    pub(super) const fn of_sums() -> Self {
        Self { width: WIDTH, amounts: Vec::new(), fold: u64::saturating_add }
    }

    /// Of amounts of which the greatest is wanted.
    pub(super) const fn of_peaks() -> Self {
        Self { width: WIDTH, amounts: Vec::new(), fold: |one, other| if one > other { one } else { other } }
    }

    /// Something went on from the first of these moments to the second.
    pub(super) fn add_span(&mut self, from: u64, to: u64) {
        self.reach(to);
        let mut at = from;
        while at < to {
            let end = (at / self.width + 1).saturating_mul(self.width).min(to);
            self.add(at, end - at);
            at = end;
        }
    }

    /// There was so much from the first of these moments to the second.
    pub(super) fn hold(&mut self, from: u64, to: u64, amount: u64) {
        self.reach(to);
        for place in from / self.width..=to / self.width {
            self.add(place * self.width, amount);
        }
    }

    /// There was so much at this moment.
    pub(super) fn add(&mut self, at: u64, amount: u64) {
        self.reach(at);
        let place = (at / self.width) as usize;
        if self.amounts.len() <= place {
            self.amounts.resize(place + 1, 0);
        }
        self.amounts[place] = (self.fold)(self.amounts[place], amount);
    }

    /// Makes stretches so long that there is one for this moment.
    fn reach(&mut self, at: u64) {
        while at / self.width >= BUCKETS as u64 {
            let fold = self.fold;
            let pairs = self.amounts.chunks(2).map(|pair| pair.iter().copied().fold(0, fold));
            self.amounts = pairs.collect();
            self.width = self.width.saturating_mul(2);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_when_it_gets_coarser() {
        let mut busy = Timeline::of_sums();
        busy.add_span(50_000, 350_000);
        assert_eq!(busy.amounts, [50_000, 100_000, 100_000, 50_000]);
        busy.add_span(1_000_000_000, 1_000_500_000);
        assert!(busy.amounts.len() <= BUCKETS && busy.width > WIDTH);
        assert_eq!(busy.amounts.iter().sum::<u64>(), 800_000);
        busy.add_span(u64::MAX - 10, u64::MAX);
        assert_eq!((busy.amounts.iter().sum::<u64>(), busy.amounts.len() <= BUCKETS), (800_010, true));
    }

    #[test]
    fn peaks_stay_peaks() {
        let mut queue = Timeline::of_peaks();
        [(0, 3), (150_000, 7), (160_000, 5), (10_000_000_000, 1)]
            .into_iter()
            .for_each(|(at, long)| queue.add(at, long));
        assert_eq!((queue.amounts[0], queue.amounts.last()), (7, Some(&1)));
        let mut queue = Timeline::of_peaks();
        queue.add(0, 9);
        queue.hold(50_000, 350_000, 3);
        queue.hold(350_000, 400_000, 0);
        assert_eq!(queue.amounts, [9, 3, 3, 3, 0]);
    }
}
