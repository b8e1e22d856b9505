//! What time it is, for the driver. In a test it may stand still, and is moved on by hand.

use std::time::Instant;

use crate::sys::clock;

/// The time by which the driver does all that it decides. How long a thread has slept or looked is measured elsewhere.
#[inline]
pub(super) fn now() -> Instant {
    #[cfg(all(test, not(loom)))]
    if let Some((now, _)) = HELD.get() {
        return now;
    }
    Instant::now()
}

/// The same by the clock that all processes share, for whatever tells when it was.
#[inline]
pub(super) fn moment() -> u64 {
    #[cfg(all(test, not(loom)))]
    if let Some((_, moment)) = HELD.get() {
        return moment;
    }
    clock::now()
}

/// From now on it is this late on the calling thread; with `None`, as late as it is.
#[cfg(all(test, not(loom)))]
pub(super) fn hold(now: Option<Instant>) {
    let since = |(before, moment): (Instant, u64), now: Instant| moment + (now - before).as_nanos() as u64;
    HELD.set(now.map(|now| (now, HELD.get().map_or_else(clock::now, |held| since(held, now)))));
}

#[cfg(all(test, not(loom)))]
thread_local! {
    static HELD: std::cell::Cell<Option<(Instant, u64)>> = const { std::cell::Cell::new(None) };
}
