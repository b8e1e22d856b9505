//! What can be seen of a pool: the numbers that users read, how they look as a table, as a trace, as a page, as metrics.
//!
//! Facts come in, text goes out. When they happened, where they are kept and who writes the text into which file is not
//! known here.

mod fact;
mod histogram;
mod json;
#[cfg(feature = "metrics")]
mod metrics;
mod report;
mod stats;
mod table;
mod tasks;
mod trace;

pub(crate) use self::fact::{Ended, Ending, Fact, Failure, Run, Sample};
#[cfg(feature = "metrics")]
pub(crate) use self::metrics::Metrics;
pub(crate) use self::report::{Report, page};
pub(crate) use self::stats::Cause;
pub use self::stats::{DeathCauses, Latency, PoolStats, TaskStats, WorkerStats};
pub(crate) use self::tasks::Tasks;
pub(crate) use self::trace::Trace;

/// What a pool counts by itself, from its start.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) submitted: u64,
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    pub(crate) launches: u64,
    pub(crate) deaths: u64,
    pub(crate) deaths_by_cause: DeathCauses,
    /// Of workers that have ended.
    pub(crate) bytes_sent: u64,
    pub(crate) bytes_received: u64,
}
