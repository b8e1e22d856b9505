//! Waits for what must become so, with a bound: the only way a test waits for something it cannot be told of.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// Asks until there is an answer, at most for `limit`. The last question is asked after the limit.
///
/// What counts is time in which the machine ran. A busy machine may stop this process for a second and everything
/// else with it; that second is nobody's fault, so a gap between two questions counts for `GAP_MAX` at most.
pub fn within<T>(limit: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let (mut left, mut before) = (limit.saturating_mul(patience()), Instant::now());
    let mut period = PERIOD;
    loop {
        let answer = ask();
        if answer.is_some() || left.is_zero() {
            return answer;
        }
        sleep(period);
        period = (period * 2).min(PERIOD_MAX);
        let now = Instant::now();
        left = left.saturating_sub((now - before).min(GAP_MAX));
        before = now;
    }
}

/// Panics unless `is_so` becomes true within ten seconds: for what must happen, at no particular speed.
#[track_caller]
pub fn eventually(what: &str, is_so: impl FnMut() -> bool) {
    soon(what, Duration::from_secs(10), is_so);
}

/// Panics unless `is_so` becomes true within `limit`: for what is promised to be quick.
#[track_caller]
pub fn soon(what: &str, limit: Duration, mut is_so: impl FnMut() -> bool) {
    assert!(within(limit, || is_so().then_some(())).is_some(), "after {limit:?} still not so: {what}");
}

/// Panics if `is_so` becomes false within `span`: for what must not happen though nothing will tell us.
#[track_caller]
pub fn stays(what: &str, span: Duration, mut is_so: impl FnMut() -> bool) {
    assert!(within(span, || (!is_so()).then_some(())).is_none(), "no longer so within {span:?}: {what}");
}

/// Panics unless what `doing` counts comes to stand still, and then does so for half a second.
#[track_caller]
pub fn falls_asleep<T: PartialEq>(doing: impl Fn() -> T) {
    let mut before = doing();
    eventually("it comes to rest", || {
        sleep(GAP_MAX);
        let now = doing();
        let is_still = before == now;
        before = now;
        is_still
    });
    stays("nobody wakes", Duration::from_millis(500), || doing() == before);
}

/// By how much every limit is stretched: `LOKY_TESTS_PATIENCE`, for machines that are slow or stall.
pub fn patience() -> u32 {
    let given = std::env::var("LOKY_TESTS_PATIENCE").ok();
    given.map_or(1, |factor| factor.parse().expect("LOKY_TESTS_PATIENCE is a whole number"))
}

/// How long to wait between the first two questions, and between any later two at most: asking costs something, too.
const PERIOD: Duration = Duration::from_micros(500);
const PERIOD_MAX: Duration = Duration::from_millis(50);

/// Longer than any question takes on a machine that runs.
const GAP_MAX: Duration = Duration::from_millis(100);
