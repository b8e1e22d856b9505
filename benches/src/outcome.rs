//! What came of measuring one figure, in one round and in all of them.

use serde::{Deserialize, Serialize};

/// Of one round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// A number, in the figure's unit.
    Measured(f64),
    /// There is no such thing here.
    NotOffered,
    /// Why there is no number.
    Failed(String),
}

/// Of all rounds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Summary {
    /// Every round has a number.
    Measured(Spread),
    /// There is no such thing here.
    NotOffered,
    /// Why the first round that failed did.
    Failed(String),
}

/// Where the numbers lie.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// Half of them are below.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

impl Spread {
    /// Of at least one number.
    #[must_use]
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_unstable_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        Some(Self { median: values[values.len() / 2], min, max })
    }
}

impl Summary {
    /// A failure is told even if other rounds went well: what fails at times is not fast.
    #[must_use]
    pub fn of(outcomes: &[Outcome]) -> Self {
        let mut values = Vec::new();
        for outcome in outcomes {
            match outcome {
                Outcome::Measured(value) => values.push(*value),
                Outcome::NotOffered => {}
                Outcome::Failed(why) => return Self::Failed(why.clone()),
            }
        }
        Spread::of(values).map_or(Self::NotOffered, Self::Measured)
    }

    /// The number to compare by.
    #[must_use]
    pub fn median(&self) -> Option<f64> {
        match self {
            Self::Measured(spread) => Some(spread.median),
            Self::NotOffered | Self::Failed(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Outcome::{Failed, Measured, NotOffered};
    use super::{Spread, Summary};

    #[test]
    fn the_median_is_in_the_middle_of_the_sorted() {
        let spread = Spread { median: 3.0, min: 1.0, max: 100.0 };
        assert_eq!(Summary::of(&[100.0, 1.0, 3.0].map(Measured)), Summary::Measured(spread));
    }

    #[test]
    fn one_failure_is_told() {
        assert_eq!(Summary::of(&[Measured(1.0), Failed("why".to_owned())]), Summary::Failed("why".to_owned()));
        assert_eq!(Summary::of(&[NotOffered]), Summary::NotOffered);
    }
}
