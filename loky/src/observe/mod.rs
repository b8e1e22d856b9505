//! What can be seen of a pool from outside.

use std::fmt;

/// What a pool counts by itself, from its start.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) submitted: u64,
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    pub(crate) launches: u64,
    pub(crate) deaths: u64,
}

/// A pool at one moment: what it has, and what it has done since it was built. `Display` is one line.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), loky::Error> {
/// let pool = loky::Pool::builder().workers(2).build()?;
/// let stats = pool.stats();
/// assert_eq!((stats.target, stats.live, stats.queued), (2, 0, 0));
/// println!("{stats}");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// Workers wanted.
    pub target: usize,
    /// Workers that serve or are being started.
    pub live: usize,
    /// Workers that serve and have nothing to do.
    pub idle: usize,
    /// The processes of all workers, those that are about to leave included, in the order of their index.
    pub pids: Vec<u32>,
    /// Calls that wait for a worker.
    pub queued: usize,
    /// Calls that a worker holds.
    pub running: usize,
    /// Calls spawned so far. A chunk of a `par_map` is one call.
    pub submitted: u64,
    /// Calls that ended with a result.
    pub succeeded: u64,
    /// Calls that ended with an error, or of which one item did.
    pub failed: u64,
    /// Worker processes started, or tried to.
    pub launches: u64,
    /// Worker processes that have ended, for whatever reason.
    pub deaths: u64,
}

impl fmt::Display for PoolStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, live, idle, queued, running, submitted, succeeded, failed, launches, deaths, .. } = self;
        write!(
            f,
            "{live} of {target} workers ({idle} idle, {launches} launched, {deaths} ended); \
             {submitted} calls: {queued} queued, {running} running, {succeeded} succeeded, {failed} failed"
        )
    }
}
