//! The rules of one pool: what its owner may choose, and the bound of every wait. They do not change while it lives, but
//! for its size, which is kept where it is changed (`sizing`).

use std::time::{Duration, Instant};

/// What a pool's owner may choose, and the bounds of every wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// Workers wanted; at least one.
    pub(crate) target: usize,
    /// Workers beyond those that are busy, kept ready while the pool is in use. They count beyond the target, but no
    /// more than the target are busy at once.
    pub(crate) spares: usize,
    /// How long a worker may be without calls before it is stopped.
    pub(crate) idle_timeout: Option<Duration>,
    /// So many workers stay however long they are without calls.
    pub(crate) min_workers: usize,
    /// A worker is replaced after it has answered this many calls; one of many items counts for as many.
    pub(crate) calls_per_worker_max: Option<u64>,
    /// Calls that a worker may hold at most, the one that it runs included; at least one. How many it does hold is up
    /// to what is measured.
    pub(crate) credit: usize,
    /// How long a worker may take from its launch to its hello; this and the other waits below are longer than zero.
    pub(crate) hello_limit: Duration,
    /// Failed launches in a row after which no further one is tried for a while.
    pub(crate) launch_failures_max: u32,
    /// That while.
    pub(crate) launch_pause: Duration,
    /// Time between *stop* and *kill*.
    pub(crate) stop_grace: Duration,
    /// How long a killed worker's death is waited for.
    pub(crate) kill_grace: Duration,
}

impl Rules {
    pub(super) fn leave_at(&self, now: Instant) -> Option<Instant> {
        now.checked_add(self.idle_timeout?)
    }
}
