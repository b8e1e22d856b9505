//! What a pool can be told before it is built.

mod errands;
mod hardening;
mod interrupts;
mod limits;
mod memory;
mod output;
#[cfg(feature = "sandbox")]
mod sandbox;
mod surroundings;
mod timings;

use std::sync::Arc;
use std::time::Duration;

pub use self::errands::InitializerResult;
use super::{Engine, Owner, Pool, check_depth};
use crate::config::Settings;
use crate::cpu;
use crate::error::{Error, ErrorKind};

/// Describes a pool; made by [`Pool::builder`].
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// # fn main() -> Result<(), loky::Error> {
/// let pool = loky::Pool::builder()
///     .workers(4)
///     .name("decoders")
///     .timeout(Duration::from_secs(10))
///     .env("MALLOC_ARENA_MAX", "1")
///     .build()?;
/// assert_eq!(pool.workers(), 4);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct PoolBuilder {
    settings: Settings,
    /// `None`: not said, so that the reusable pool can have its own default.
    idle_timeout: Option<Option<Duration>>,
    /// What was wrong first with what it was told.
    fault: Option<Error>,
}

impl PoolBuilder {
    pub(super) fn new() -> Self {
        Self { settings: Settings::default_for(cpu::cpu_count()), idle_timeout: None, fault: None }
    }

    /// The number of workers wanted. Default: [`cpu_count`](crate::cpu_count). Zero is an error at `build`.
    ///
    /// The workers that are there share the CPUs that the pool found when its builder was made. Workers start when there
    /// is work for them, so a call that is alone has all CPUs for an inner `par_map`; as others come, each has less, and
    /// none less than one. The share is what `cpu_count` tells in a task at that moment, and how many workers a pool has
    /// there that is made then and names none. Libraries are told a number of threads once, at the start of a worker: the
    /// share that it has when all are there (see [`env`](Self::env)).
    ///
    /// An explicit number is yours to choose, and honored at any depth; what lies below it shares what there is.
    ///
    /// Where the program has many machines, it is the number on each of them, and the default is what
    /// `cpu_count` tells there.
    pub fn workers(mut self, workers: usize) -> Self {
        (self.settings.workers, self.settings.is_sized) = (workers, true);
        self
    }

    /// Keeps the workers on this machine, also where the program has others: for calls that need what only this one has, or
    /// whose arguments would cost more to send than to work on. Default: no, with the feature `cluster`; without it, all
    /// pools are local.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), loky::Error> {
    /// let plotters = loky::Pool::builder().workers(2).local().build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn local(mut self) -> Self {
        self.settings.is_local = true;
        self
    }

    /// How many workers are kept ready beyond those that are busy, so that after a death the next call finds one and does
    /// not wait for its start. Default: 0.
    ///
    /// They count beyond [`workers`](Self::workers), of which never more than so many run calls at once; a pool of 4 with
    /// 1 spare has up to 5 processes. The first call starts them, too, each worker that becomes busy has another one
    /// started while there is room, and [`warm_up`](Pool::warm_up) waits for all. Spares have an
    /// [idle timeout](Self::idle_timeout) like all workers and come back with the next call; so do those that have
    /// died without a call. [`resize`](Pool::resize) leaves their number as it is. In a shutdown they leave first.
    ///
    /// Each costs the memory of an idle process: some hundred KiB and whatever the worker has loaded. The index of a worker
    /// (see [`env_per_worker`](Self::env_per_worker)) is less than both numbers together, as a rule.
    pub fn spares(mut self, spares: usize) -> Self {
        self.settings.spares = spares;
        self
    }

    /// How long a worker may be without calls before it leaves; `None`: it stays as long as the pool. A worker that
    /// has left is started again when there is work for it.
    ///
    /// Default: `None`; for [`reusable`](crate::reusable) pools 10 seconds.
    pub fn idle_timeout(mut self, limit: Option<Duration>) -> Self {
        self.idle_timeout = Some(limit);
        self
    }

    /// Has workers made as copies of a process that is kept for that, the *zygote*, instead of being started: that takes
    /// a fraction of the time (0.3 instead of 1.2 milliseconds, say), and copies share the memory that they do not
    /// change. Default: no.
    ///
    /// The zygote is this same program, started once and caught where a worker would be: at [`main!`](crate::main).
    /// Nothing of your `main` has run in it, it has one thread, and it runs no task; it sleeps until it is asked for the
    /// next worker, and leaves with the last one. A pool whose first call comes alone starts one worker for it in the
    /// ordinary way, and the zygote after that call; a worker whose environment changes more than 32 KiB is no copy either.
    ///
    /// A copy has the environment, the directory and the standard output that this program has at that moment, and all
    /// that is said here of workers holds for it. What it has in common with the other copies, and what you should
    /// know before you choose this:
    ///
    /// - What constructors have made before `main`, C++ objects with static storage for instance, is there in each copy
    ///   without being made again. A connection or a generator of random numbers that is opened or seeded so early is
    ///   the same one in all of them. Handlers registered with `pthread_atfork` do not run.
    /// - Copies have one layout of memory and one seed for the hash maps of the standard library, where separate
    ///   processes would have one each. Those who defend against attackers inside of a task want separate processes.
    /// - Limits, priority, processors, namespaces and the like are as they were when the zygote was started.
    /// - A program in which a library has started threads before `main` cannot be copied without danger. This is
    ///   noticed, and so is a C library or a kernel that does not have what is needed (musl, or a sandbox): then workers
    ///   are started in the ordinary way, as they are while the zygote is being replaced after somebody has killed it.
    pub fn zygote(mut self, is_wanted: bool) -> Self {
        self.settings.zygote = is_wanted;
        self
    }

    /// How many workers stay although they have been without calls for longer than the
    /// [idle timeout](Self::idle_timeout), so that the next calls after a pause do not wait for a start. Default: 0.
    ///
    /// They are started as all workers are, when there is work for them, and stay from then on; to have them from the
    /// beginning, call [`warm_up`](Pool::warm_up). One that leaves for another reason (it has died, or served its
    /// [number of calls](Self::max_calls_per_worker), or the pool was made smaller) is started again when there is work
    /// for it. [Spares](Self::spares) count: of 4 workers and 1 spare with 2 that stay, two of the five stay. More than
    /// [`workers`](Self::workers) is an error at `build`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # fn main() -> Result<(), loky::Error> {
    /// let pool =
    ///     loky::Pool::builder().workers(8).idle_timeout(Some(Duration::from_secs(10))).min_workers(2).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn min_workers(mut self, workers: usize) -> Self {
        self.settings.min_workers = workers;
        self
    }

    /// A name to be shown by `ps`, in logs, in the statistics and in traces. Default: "pool".
    pub fn name(mut self, name: &str) -> Self {
        self.settings.name = name.to_string();
        self
    }

    /// Builds the pool. Starts nothing yet: the first call does.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if a setting makes no sense, such as zero workers; [`ErrorKind::Encode`] if the arguments
    /// of an [initializer](Self::initializer) or a [finalizer](Self::finalizer) cannot be encoded;
    /// [`ErrorKind::Depth`] in a task that runs as many pools deep as `LOKY_MAX_DEPTH` allows (10 by default).
    pub fn build(self) -> Result<Pool, Error> {
        check_depth("a pool cannot be built")?;
        let settings = self.into_settings(None)?;
        Ok(Pool::from_settings(settings))
    }

    /// The settings, with `idle_timeout` where none was asked for.
    pub(super) fn into_settings(self, idle_timeout: Option<Duration>) -> Result<Settings, Error> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let settings = Settings { idle_timeout: self.idle_timeout.unwrap_or(idle_timeout), ..self.settings };
        if settings.min_workers > settings.workers {
            let (min, all) = (settings.min_workers, settings.workers);
            let what = format!("a pool cannot be built with `workers({all})` and `min_workers({min})`");
            return Err(Error::new(ErrorKind::Config, what).with_advice("no more can stay than there are"));
        }
        let refused = [
            (settings.workers == 0, "workers"),
            (settings.max_calls_per_worker == Some(0), "max_calls_per_worker"),
            (settings.queue_limit == Some(0), "queue_limit"),
            (settings.queue_limit_bytes == Some(0), "queue_limit_bytes"),
            (settings.memory_limit == Some(0), "memory_limit"),
            (settings.memory_growth_limit == Some(0), "memory_growth_limit"),
        ];
        match refused.into_iter().find(|(is_refused, _)| *is_refused) {
            Some((_, setting)) => {
                let what = format!("a pool cannot be built with `{setting}(0)`");
                Err(Error::new(ErrorKind::Config, what).with_advice("it must be at least 1"))
            }
            None => hardening::check(&settings.confinement).and_then(|()| Engine::check(&settings)).map(|()| settings),
        }
    }
}

impl Pool {
    pub(super) fn from_settings(settings: Settings) -> Self {
        Self(Arc::new(Owner { engine: Engine::new(settings.clone()), settings }))
    }
}
