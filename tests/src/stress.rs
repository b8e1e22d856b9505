//! How long a case of stress goes on: a few rounds as a rule, and as long as somebody asks for.

use std::time::{Duration, Instant};

/// So many rounds, and then others until `LOKY_TESTS_SECONDS` have gone by, if the variable is set.
pub fn rounds(at_least: u64) -> impl Iterator<Item = u64> {
    let (begun, asked) = (Instant::now(), asked());
    (0..).take_while(move |round| *round < at_least || begun.elapsed() < asked)
}

/// How long a case of stress shall go on.
pub(crate) fn asked() -> Duration {
    let given = std::env::var("LOKY_TESTS_SECONDS").ok();
    let seconds = given.map_or(0, |seconds| seconds.parse().expect("LOKY_TESTS_SECONDS is a whole number"));
    Duration::from_secs(seconds)
}
