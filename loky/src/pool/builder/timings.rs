//! Whether a pool measures its calls.

use super::PoolBuilder;

impl PoolBuilder {
    /// Measures how long each call waits and runs, for the numbers in [`PoolStats`](crate::PoolStats) that need it:
    /// latencies by task, how long workers are busy, how old the oldest waiting call is. Default: no; with the feature
    /// `metrics`, or while `LOKY_TRACE` or `LOKY_REPORT` is set, yes.
    ///
    /// It costs each call half a microsecond and, while it waits, 72 bytes; and up to 400 KiB for each pool. While one of
    /// those variables is set it cannot be switched off.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), loky::Error> {
    /// let pool = loky::Pool::builder().workers(2).timings(true).build()?;
    /// assert!(pool.stats().tasks.is_empty(), "no call has run yet");
    /// # Ok(())
    /// # }
    /// ```
    pub fn timings(mut self, is_wanted: bool) -> Self {
        self.settings.timings = Some(is_wanted);
        self
    }
}
