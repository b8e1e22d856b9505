//! Settings that bound what calls and workers may use.

use std::time::Duration;

use super::PoolBuilder;

impl PoolBuilder {
    /// How long a call may run, where neither the call nor its task says otherwise; see
    /// [`Call::timeout`](crate::Call::timeout). Default: no limit.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.settings.timeout = Some(limit);
        self
    }

    /// How many extra attempts a call has after its worker has died, where neither the call nor its task says
    /// otherwise; see [`Call::retries`](crate::Call::retries). Default: 0.
    pub fn retries(mut self, extra_attempts: u32) -> Self {
        self.settings.retries = extra_attempts;
        self
    }

    /// Replaces a worker after it has answered so many calls, for libraries that leak. Each item of a `par_map` counts as
    /// a call. No chunk is chosen longer than that; one whose length was asked for is not cut, so a worker that has begun
    /// it ends it. Default: never. Zero is an error at `build`.
    pub fn max_calls_per_worker(mut self, calls: u64) -> Self {
        self.settings.max_calls_per_worker = Some(calls);
        self
    }

    /// How many calls may wait to be started. Past it, `spawn` blocks, `spawn_async` waits and `try_spawn` gives the
    /// call back. A `par_map` is bounded by its own window instead. Default: no limit. Zero is an error at `build`.
    pub fn queue_limit(mut self, calls: usize) -> Self {
        self.settings.queue_limit = Some(calls);
        self
    }
}
