//! Waits for what must become so, with a bound: the only way a test waits for something it cannot be told of.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// Asks until there is an answer, at most for `limit`. The last question is asked after the limit.
pub fn within<T>(limit: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + limit;
    loop {
        let is_last = Instant::now() >= end;
        let answer = ask();
        if answer.is_some() || is_last {
            return answer;
        }
        sleep(PERIOD);
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

const PERIOD: Duration = Duration::from_millis(1);
