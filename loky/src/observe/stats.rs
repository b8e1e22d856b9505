//! The numbers of a pool, as users read them.

use std::time::Duration;

use serde::Serialize;

/// A pool at one moment: what it has, and what it has done since it was built.
///
/// `Display` is a table that fits into 80 columns. It can be serialized; a duration is then a pair of `secs` and
/// `nanos`, as `serde` has it.
///
/// Some numbers are measured only where the pool keeps [timings](crate::PoolBuilder::timings), since that costs each
/// call something: [`tasks`](Self::tasks), [`oldest_queued`](Self::oldest_queued), and how long each worker was busy and
/// idle. All others are always there.
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PoolStats {
    /// What the pool is called.
    pub name: String,
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
    /// For how long the oldest of them has waited. `None` if none waits, and without timings.
    pub oldest_queued: Option<Duration>,
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
    /// The same by their reasons, of which there is one for each.
    pub deaths_by_cause: DeathCauses,
    /// Bytes that were sent to workers: arguments as they are encoded, and the few that describe a call. What lies in a
    /// [`Shared`](crate::Shared) is not sent.
    pub bytes_sent: u64,
    /// Bytes that have come from workers: results as they are encoded, and the few words about them.
    pub bytes_received: u64,
    /// The processes in `pids`, one by one.
    pub workers: Vec<WorkerStats>,
    /// How long calls have waited and run, by task, in the order of their first call: the first 64 tasks, and all others
    /// together as `(other tasks)`. Empty without timings.
    pub tasks: Vec<TaskStats>,
}

/// One worker process, as part of [`PoolStats`].
///
/// # Examples
///
/// ```
/// fn largest(stats: &loky::PoolStats) -> Option<&loky::WorkerStats> {
///     stats.workers.iter().max_by_key(|worker| worker.memory)
/// }
/// # assert_eq!(largest(&loky::PoolStats::default()), None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WorkerStats {
    /// Its place in the pool; the next process in that place has the same.
    pub index: usize,
    /// Its process.
    pub pid: u32,
    /// Calls that it has answered. A chunk of a `par_map` is one call.
    pub calls: u64,
    /// From its launch until it was ready for calls, initializers included. `None` while it is not.
    pub start_up: Option<Duration>,
    /// How long it has run calls that have ended. `None` without timings.
    pub busy: Option<Duration>,
    /// For the rest of the time since it was ready. `None` without timings.
    pub idle: Option<Duration>,
    /// Processor time that the process has used, all of its threads together, to a hundredth of a second.
    pub cpu_time: Duration,
    /// Bytes of memory that it has now, what it shares with others included. Zero if it has just ended.
    pub memory: u64,
    /// The most that it ever had.
    pub memory_peak: u64,
    /// How long ago its launch began.
    pub age: Duration,
}

/// How long the calls of one task have waited and run, as part of [`PoolStats`]. A call that is tried again is counted
/// for each try; one that never ran, not at all.
///
/// # Examples
///
/// ```
/// use loky::prelude::*;
///
/// #[loky::task]
/// fn square(x: u64) -> u64 {
///     x * x
/// }
///
/// # loky::main! { fn main() -> Result<(), loky::Error> {
/// let pool = loky::Pool::builder().workers(1).timings(true).build()?;
/// square.bind(7).on(&pool).run()?;
/// let [task] = &pool.stats().tasks[..] else { panic!("one task has run") };
/// assert_eq!((task.items, task.run.count), (1, 1));
/// println!("{} took {:?} at the longest", task.task, task.run.max);
/// # pool.shutdown();
/// # Ok(()) } }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TaskStats {
    /// Its name.
    pub task: String,
    /// Items of its calls. All calls of `spawn` have one, chunks of a `par_map` many.
    pub items: u64,
    /// From the spawn until a worker began, or for another try from the end of the one before.
    pub queue: Latency,
    /// From when the worker began to when it was done, as the worker measures it; of a chunk, for all items together. If
    /// the worker has died, until that was heard.
    pub run: Latency,
}

/// How durations are distributed: of 99 % it is true that they were no longer than `p99`.
///
/// The count and the longest are exact, the others to 3.2 % of themselves. All are zero where there were none.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// fn is_slow_for_some(run: &loky::Latency) -> bool {
///     run.p99 > 10 * run.p50 && run.max > Duration::from_secs(1)
/// }
/// # assert!(!is_slow_for_some(&loky::Latency::default()));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Latency {
    /// How many there were.
    pub count: u64,
    /// The median.
    pub p50: Duration,
    /// Of 90 %.
    pub p90: Duration,
    /// Of 99 %.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
}

/// Why workers have ended, as part of [`PoolStats`]: how many for each reason.
///
/// # Examples
///
/// ```
/// fn is_unwell(stats: &loky::PoolStats) -> bool {
///     let causes = &stats.deaths_by_cause;
///     10 * (causes.crash + causes.memory_limit) > stats.launches
/// }
/// # assert!(!is_unwell(&loky::PoolStats::default()));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DeathCauses {
    /// Died by itself, or of somebody else: a signal, an `exit`, the kernel's out-of-memory killer.
    pub crash: u64,
    /// Killed since a call ran longer than it might.
    pub timeout: u64,
    /// Killed since the call that it ran was cancelled.
    pub cancelled: u64,
    /// Killed since it used more memory than it might.
    pub memory_limit: u64,
    /// Left since it had grown too large, or had served its number of calls.
    pub worn: u64,
    /// Left since it was without calls for too long.
    pub idle: u64,
    /// Left since the pool was made smaller.
    pub resized: u64,
    /// Left, or was killed, with its pool.
    pub shutdown: u64,
    /// Ended before it was ready for calls, or was killed since that took too long or an initializer failed.
    pub start: u64,
}

/// Why a worker ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    Crash,
    Timeout,
    Cancelled,
    MemoryLimit,
    Worn,
    Idle,
    Resized,
    Shutdown,
    Start,
}

impl Cause {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
            Self::MemoryLimit => "memory_limit",
            Self::Worn => "worn",
            Self::Idle => "idle",
            Self::Resized => "resized",
            Self::Shutdown => "shutdown",
            Self::Start => "start",
        }
    }
}

impl DeathCauses {
    pub(crate) const fn count(&mut self, cause: Cause) {
        *match cause {
            Cause::Crash => &mut self.crash,
            Cause::Timeout => &mut self.timeout,
            Cause::Cancelled => &mut self.cancelled,
            Cause::MemoryLimit => &mut self.memory_limit,
            Cause::Worn => &mut self.worn,
            Cause::Idle => &mut self.idle,
            Cause::Resized => &mut self.resized,
            Cause::Shutdown => &mut self.shutdown,
            Cause::Start => &mut self.start,
        } += 1;
    }

    /// Each with its name.
    pub(super) const fn each(&self) -> [(&'static str, u64); 9] {
        [
            ("crash", self.crash),
            ("timeout", self.timeout),
            ("cancelled", self.cancelled),
            ("memory limit", self.memory_limit),
            ("worn", self.worn),
            ("idle", self.idle),
            ("resized", self.resized),
            ("shutdown", self.shutdown),
            ("at start", self.start),
        ]
    }
}
