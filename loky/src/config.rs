//! What a pool is made of, and every bound that is not the user's to choose.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::confinement::Confinement;
use crate::scheduler::Rules;

/// Which variables a worker gets, by its index.
pub(crate) type EnvPerWorker = Arc<dyn Fn(usize) -> Vec<(String, String)> + Send + Sync>;

/// What becomes of what workers write to their standard output and standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// Standard output is the program's own; what comes on standard error is passed on to it.
    Inherit,
    /// What a call prints is kept, and printed by whoever receives its result.
    Capture,
}

impl Output {
    /// In tests it should be seen with the test that it belongs to.
    const DEFAULT: Self = if cfg!(feature = "test") { Self::Capture } else { Self::Inherit };
}

/// All settings of a pool. Two pools with equal settings can stand for each other, but for their size.
#[derive(Clone)]
pub(crate) struct Settings {
    /// How many processors there are for the whole pool: counted once, since to count them reads a dozen files.
    pub(crate) cpus: usize,
    pub(crate) workers: usize,
    pub(crate) spares: usize,
    pub(crate) idle_timeout: Option<Duration>,
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
    pub(crate) output: Output,
    pub(crate) zygote: bool,
    pub(crate) confinement: Confinement,
    pub(crate) name: String,
}

impl Settings {
    /// What a pool has whose builder was told nothing: a worker for each processor.
    pub(crate) fn default_for(cpus: usize) -> Self {
        Self {
            cpus,
            workers: cpus,
            spares: 0,
            idle_timeout: None,
            environment: Vec::new(),
            env_per_worker: None,
            current_dir: None,
            timeout: None,
            retries: 0,
            max_calls_per_worker: None,
            memory_limit: None,
            memory_growth_limit: Some(MEMORY_GROWTH_LIMIT),
            queue_limit: None,
            output: Output::DEFAULT,
            zygote: false,
            confinement: Confinement::default(),
            name: "pool".to_string(),
        }
    }

    /// Whether a pool with these settings can stand for one with those, once it is resized. Closures are equal only
    /// if they are the same one.
    pub(crate) fn are_interchangeable(&self, other: &Self) -> bool {
        let same_closure = match (&self.env_per_worker, &other.env_per_worker) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        };
        same_closure
            && self.spares == other.spares
            && self.idle_timeout == other.idle_timeout
            && self.environment == other.environment
            && self.current_dir == other.current_dir
            && self.timeout == other.timeout
            && self.retries == other.retries
            && self.max_calls_per_worker == other.max_calls_per_worker
            && self.memory_limit == other.memory_limit
            && self.memory_growth_limit == other.memory_growth_limit
            && self.queue_limit == other.queue_limit
            && self.output == other.output
            && self.zygote == other.zygote
            && self.confinement == other.confinement
            && self.name == other.name
    }

    pub(crate) fn rules(&self) -> Rules {
        Rules {
            target: self.workers,
            spares: self.spares,
            idle_timeout: self.idle_timeout,
            calls_per_worker_max: self.max_calls_per_worker,
            credit: match self.output {
                Output::Inherit => CREDIT,
                Output::Capture => CREDIT_CAPTURED,
            },
            hello_limit: HELLO_LIMIT,
            launch_failures_max: LAUNCH_FAILURES_MAX,
            launch_pause: LAUNCH_PAUSE,
            stop_grace: STOP_GRACE,
            kill_grace: KILL_GRACE,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Settings");
        out.field("name", &self.name).field("workers", &self.workers).field("idle_timeout", &self.idle_timeout);
        out.field("timeout", &self.timeout).field("retries", &self.retries).finish_non_exhaustive()
    }
}

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
const CREDIT_CAPTURED: usize = 1;

/// From launch to hello. A binary that is read from a slow disk takes seconds; a program that never gets to `main!`
/// takes forever.
const HELLO_LIMIT: Duration = Duration::from_secs(30);

/// One failed launch can be bad luck; this many in a row are not.
const LAUNCH_FAILURES_MAX: u32 = 3;

/// Long enough that retrying costs nothing, short enough that a passing shortage of processes is soon forgotten.
const LAUNCH_PAUSE: Duration = Duration::from_secs(1);

/// How long a worker may take to leave when asked: it runs the handlers that its libraries have registered.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// A killed process is gone in microseconds, unless the kernel itself is stuck in it.
pub(crate) const KILL_GRACE: Duration = Duration::from_secs(5);

/// A zygote that was killed is replaced; one that dies each time before it has made a worker is of no use.
pub(crate) const ZYGOTES_LOST_MAX: u32 = 3;

/// How long a worker that has closed its link may live on before it is killed. One that dies has closed it a moment
/// before, and to kill it then would take longer than to wait.
pub(crate) const DEATH_GRACE: Duration = Duration::from_millis(10);

/// How much of a worker's standard error is kept for an error.
pub(crate) const STDERR_TAIL_LEN: usize = 4 << 10;

/// How much of what workers write waits for this program's own streams to take it, before the workers have to wait.
pub(crate) const OUTPUT_PENDING_MAX: usize = 64 << 10;

/// How much of what one call prints is kept for whoever receives its result.
pub(crate) const PRINTED_MAX: usize = 1 << 20;
