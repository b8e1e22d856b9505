//! What a pool is made of, and every bound that is not the user's to choose.

mod interrupt;
mod output;
#[cfg(feature = "cluster")]
mod travel;

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use self::interrupt::Interrupt;
pub use self::output::Output;
#[cfg(feature = "cluster")]
pub(crate) use self::travel::SettingsSaid;
use crate::confinement::Confinement;
use crate::errand::{Finalizer, Initializer};
use crate::scheduler::Rules;

/// Which variables a worker gets, by its index.
pub(crate) type EnvPerWorker = Arc<dyn Fn(usize) -> Vec<(String, String)> + Send + Sync>;

/// On which CPUs a worker runs, by its index.
pub(crate) type CpuAffinity = Arc<dyn Fn(usize) -> Vec<usize> + Send + Sync>;

/// All settings of a pool. Two pools with equal settings can stand for each other, but for their size.
#[derive(Clone)]
pub(crate) struct Settings {
    /// How many processors there are for the whole pool: counted once, since to count them reads a dozen files.
    pub(crate) cpus: usize,
    pub(crate) workers: usize,
    /// Whether somebody has said how many.
    pub(crate) is_sized: bool,
    /// Whether the workers are to be on this machine, whatever others there are.
    pub(crate) is_local: bool,
    /// Whether the calls come from a program on another machine.
    pub(crate) is_hosted: bool,
    pub(crate) spares: usize,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) min_workers: usize,
    pub(crate) environment: Vec<(OsString, Option<OsString>)>,
    pub(crate) env_per_worker: Option<EnvPerWorker>,
    pub(crate) current_dir: Option<PathBuf>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) retries: u32,
    pub(crate) max_calls_per_worker: Option<u64>,
    /// Bytes of private memory.
    pub(crate) memory_limit: Option<u64>,
    /// The same, beyond what a worker has had at first.
    pub(crate) memory_growth_limit: Option<u64>,
    pub(crate) queue_limit: Option<usize>,
    pub(crate) queue_limit_bytes: Option<usize>,
    pub(crate) initializers: Vec<Initializer>,
    pub(crate) finalizers: Vec<Finalizer>,
    pub(crate) cpu_affinity: Option<CpuAffinity>,
    pub(crate) output: Output,
    pub(crate) on_interrupt: Interrupt,
    pub(crate) zygote: bool,
    pub(crate) confinement: Confinement,
    /// `None`: if somebody shows them.
    pub(crate) timings: Option<bool>,
    pub(crate) name: String,
}

impl Settings {
    /// What a pool has whose builder was told nothing: a worker for each processor.
    pub(crate) fn default_for(cpus: usize) -> Self {
        Self {
            cpus,
            workers: cpus,
            is_sized: false,
            is_local: false,
            is_hosted: false,
            spares: 0,
            idle_timeout: None,
            min_workers: 0,
            environment: Vec::new(),
            env_per_worker: None,
            current_dir: None,
            timeout: None,
            retries: 0,
            max_calls_per_worker: None,
            memory_limit: None,
            memory_growth_limit: Some(MEMORY_GROWTH_LIMIT),
            queue_limit: None,
            queue_limit_bytes: None,
            initializers: Vec::new(),
            finalizers: Vec::new(),
            cpu_affinity: None,
            output: Output::default(),
            on_interrupt: Interrupt::default(),
            zygote: false,
            confinement: Confinement::default(),
            timings: None,
            name: DEFAULT_NAME.to_string(),
        }
    }

    /// Whether a pool with these settings can stand for one with those, once it is resized. Closures are equal only
    /// if they are the same one.
    pub(crate) fn are_interchangeable(&self, other: &Self) -> bool {
        is_same(self.env_per_worker.as_ref(), other.env_per_worker.as_ref())
            && is_same(self.cpu_affinity.as_ref(), other.cpu_affinity.as_ref())
            && self.is_local == other.is_local
            && self.spares == other.spares
            && self.idle_timeout == other.idle_timeout
            && self.min_workers == other.min_workers
            && self.environment == other.environment
            && self.current_dir == other.current_dir
            && self.timeout == other.timeout
            && self.retries == other.retries
            && self.max_calls_per_worker == other.max_calls_per_worker
            && self.memory_limit == other.memory_limit
            && self.memory_growth_limit == other.memory_growth_limit
            && self.queue_limit == other.queue_limit
            && self.queue_limit_bytes == other.queue_limit_bytes
            && self.initializers == other.initializers
            && self.finalizers == other.finalizers
            && self.output == other.output
            && self.on_interrupt == other.on_interrupt
            && self.zygote == other.zygote
            && self.confinement == other.confinement
            && self.timings == other.timings
            && self.name == other.name
    }

    /// How many of the pool's processors each worker has for itself while there are so many; at least one.
    pub(crate) fn share_among(&self, live: usize) -> usize {
        (self.cpus / live.clamp(1, self.workers.max(1))).max(1)
    }

    /// The same when all are there: what is said to libraries, which are not told again.
    pub(crate) fn share_of_all(&self) -> usize {
        self.share_among(self.workers)
    }

    pub(crate) fn rules(&self) -> Rules {
        Rules {
            target: self.workers,
            spares: self.spares,
            idle_timeout: self.idle_timeout,
            min_workers: self.min_workers,
            calls_per_worker_max: self.max_calls_per_worker,
            credit: if self.output.is_by_call() { CREDIT_BY_CALL } else { CREDIT },
            hello_limit: HELLO_LIMIT,
            launch_failures_max: LAUNCH_FAILURES_MAX,
            launch_pause: LAUNCH_PAUSE,
            stop_grace: STOP_GRACE,
            kill_grace: KILL_GRACE,
        }
    }
}

fn is_same<T: ?Sized>(one: Option<&Arc<T>>, other: Option<&Arc<T>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, None) => true,
        _ => false,
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Settings");
        out.field("name", &self.name).field("workers", &self.workers).field("idle_timeout", &self.idle_timeout);
        out.field("timeout", &self.timeout).field("retries", &self.retries).finish_non_exhaustive()
    }
}

/// The name of a pool that was given none.
pub(crate) const DEFAULT_NAME: &str = "pool";

/// A worker that has leaked so much is replaced, if nothing else is said: what libraries keep for later use is less.
const MEMORY_GROWTH_LIMIT: u64 = 300_000_000;

/// How often to look at a worker that is close to its memory limit. More often would cost more than a hundredth of a
/// processor.
pub(crate) const LOOK_MIN: Duration = Duration::from_millis(1);

/// How often to look at one that is far from it.
pub(crate) const LOOK_MAX: Duration = Duration::from_millis(50);

/// How many bytes one processor can fill in a microsecond, if it does nothing else: 4 GB in a second, twice of what it
/// takes the kernel to clear as many pages.
pub(crate) const MEMORY_PER_CPU_US: u64 = 4_000;

/// How many calls a worker may hold; how many of them it does, the scheduler finds out.
const CREDIT: usize = 256;

/// What a worker prints belongs to the call that it has begun, so the next one may not begin before that was read.
const CREDIT_BY_CALL: usize = 1;

/// From launch to hello. A binary that is read from a slow disk takes seconds; a program that never gets to `main!`
/// takes forever.
pub(crate) const HELLO_LIMIT: Duration = Duration::from_secs(30);

/// One failed launch can be bad luck; this many in a row are not.
const LAUNCH_FAILURES_MAX: u32 = 3;

/// Long enough that retrying costs nothing, short enough that a passing shortage of processes is soon forgotten.
pub(crate) const LAUNCH_PAUSE: Duration = Duration::from_secs(1);

/// How long a worker may take to leave when asked: it runs the handlers that its libraries have registered.
pub(crate) const STOP_GRACE: Duration = Duration::from_secs(5);

/// A killed process is gone in microseconds, unless the kernel itself is stuck in it.
pub(crate) const KILL_GRACE: Duration = Duration::from_secs(5);

/// What the program may do with the results that came after an interrupt, before it ends: enough to write some lines.
pub(crate) const INTERRUPT_MOMENT: Duration = Duration::from_millis(500);

/// A zygote that was killed is replaced; one that dies each time before it has made a worker is of no use.
pub(crate) const ZYGOTES_LOST_MAX: u32 = 3;

/// How long a worker that has closed its link may live on before it is killed. One that dies has closed it a moment
/// before, and to kill it then would take longer than to wait.
pub(crate) const DEATH_GRACE: Duration = Duration::from_millis(10);

/// How many segments one result may enclose.
pub(crate) const ENCLOSED_MAX: usize = 1 << 16;

/// When it is tried again to send a descriptor for which a worker's socket had no room: it has as soon as the worker
/// goes on to its next call.
pub(crate) const SEND_RETRY: Duration = Duration::from_millis(1);

/// How much of a worker's standard error is kept for an error.
pub(crate) const STDERR_TAIL_LEN: usize = 4 << 10;

/// How much of what workers write waits for this program's own streams to take it, before the workers have to wait.
pub(crate) const OUTPUT_PENDING_MAX: usize = 64 << 10;

/// The same for what is to be known by its call, which has ended, and whose result may not have to wait.
pub(crate) const OUTPUT_PENDING_OF_ENDED_MAX: usize = 1 << 20;

/// A longer line is shown in several.
pub(crate) const LINE_MAX: usize = 3 << 10;

/// How much of what one call prints is kept for whoever receives its result.
pub(crate) const PRINTED_MAX: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_10_a_share_is_a_part_of_the_processors_and_never_none() {
        let share = |cpus, workers, live| Settings { workers, ..Settings::default_for(cpus) }.share_among(live);
        let among = |live| share(8, 8, live);
        assert_eq!([0, 1, 2, 3, 4, 5, 8].map(among), [8, 8, 4, 2, 2, 1, 1]);
        assert_eq!((share(8, 2, 5), share(8, 100, 100), share(1, 1, 1)), (4, 1, 1), "spares run nothing");
        assert_eq!(share(share(64, 4, 4), 5, 5), 3, "what is given further down is divided once more");
        assert_eq!(Settings { workers: 3, ..Settings::default_for(8) }.share_of_all(), 2);
    }
}
