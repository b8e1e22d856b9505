//! How long a cell measures: in full, or just long enough to see that everything is alive.

use loky_benches::Spread;

use crate::absent::Measured;

#[derive(Clone, Copy)]
pub(crate) struct Scale {
    pub(crate) quick: bool,
}

impl Scale {
    pub(crate) fn pick<T>(self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    /// The median of as many measurements.
    pub(crate) fn median_of(self, full: usize, measure: impl FnMut() -> Measured<f64>) -> Measured<f64> {
        let repeats = self.pick(full, 2.min(full));
        let values = std::iter::repeat_with(measure).take(repeats).collect::<Measured<Vec<_>>>()?;
        Ok(median(values))
    }
}

pub(crate) fn median(values: Vec<f64>) -> f64 {
    Spread::of(values).expect("something was measured").median
}

/// Below which 99 of 100 are.
pub(crate) fn p99(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[(values.len() - 1) * 99 / 100]
}
