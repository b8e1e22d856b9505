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

    /// How many bytes the arguments of calls that wait to be started may have together, as they are encoded. Past it,
    /// `spawn` blocks, `spawn_async` waits and `try_spawn` gives the call back, as with
    /// [`queue_limit`](Self::queue_limit); both may be set. Default: no limit. Zero is an error at `build`.
    ///
    /// A call that has more than that by itself is taken in when no other one waits. Of those that wait for room, a
    /// smaller one may find it earlier than a larger one that came before. A [`Shared`](crate::Shared) counts for the few
    /// bytes of its name, and what a closure has captured for nothing: it lies in memory once for all calls.
    ///
    /// A `par_map` pulls no further input while there is no room for another chunk as large as its last one. It does not
    /// know how large the next items are before it has pulled them, so each may exceed the limit by a chunk: by 1 MiB, or by
    /// one item if that is larger.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use loky::prelude::*;
    ///
    /// #[loky::task]
    /// fn digest(file: Vec<u8>) -> u64 {
    ///     // …
    /// #   file.len() as u64
    /// }
    ///
    /// # fn demo(paths: Vec<std::path::PathBuf>) -> Result<(), Box<dyn std::error::Error>> {
    /// // However many files there are, no more than 256 MiB of them wait in memory.
    /// let pool = loky::Pool::builder().queue_limit_bytes(256 << 20).build()?;
    /// let mut digests = Vec::new();
    /// for path in paths {
    ///     digests.push(digest.bind(std::fs::read(path)?).on(&pool).spawn());
    /// }
    /// println!("{:?}", loky::join_all(digests)?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn queue_limit_bytes(mut self, bytes: usize) -> Self {
        self.settings.queue_limit_bytes = Some(bytes);
        self
    }
}
