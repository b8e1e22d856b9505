//! Why there is no figure.

use std::error::Error;

use loky_benches::Outcome;

/// What a workload gets from a contestant.
pub(crate) type Measured<T> = Result<T, Absent>;

#[derive(Clone, Debug)]
pub(crate) enum Absent {
    /// The contestant has no such thing.
    NotOffered,
    Failed(String),
}

/// So that `?` takes every error there is; this type is none itself.
impl<E: Error> From<E> for Absent {
    fn from(why: E) -> Self {
        Self::Failed(why.to_string().lines().next().unwrap_or_default().to_owned())
    }
}

pub(crate) fn failed<T>(why: impl Into<String>) -> Measured<T> {
    Err(Absent::Failed(why.into()))
}

pub(crate) fn outcome(measured: Measured<f64>) -> Outcome {
    match measured {
        Ok(value) => Outcome::Measured(value),
        Err(Absent::NotOffered) => Outcome::NotOffered,
        Err(Absent::Failed(why)) => Outcome::Failed(why),
    }
}
