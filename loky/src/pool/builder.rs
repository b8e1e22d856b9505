//! What a pool can be told before it is built.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{Owner, Pool, check_depth};
use crate::config::Settings;
use crate::cpu;
use crate::driver::Driver;
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
}

impl PoolBuilder {
    pub(super) fn new() -> Self {
        Self { settings: Settings::default_for(cpu::cpu_count()), idle_timeout: None }
    }

    /// The number of workers wanted. Default: [`cpu_count`](crate::cpu_count). Zero is an error at `build`.
    pub fn workers(mut self, workers: usize) -> Self {
        self.settings.workers = workers;
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

    /// Sets an environment variable in the workers, before anything of them runs. Default: they inherit everything.
    ///
    /// Variables by which libraries choose a number of threads (`OMP_NUM_THREADS`, `OPENBLAS_NUM_THREADS`,
    /// `MKL_NUM_THREADS`, `RAYON_NUM_THREADS` and others) are set so that workers × threads ≤ CPUs, unless they are set
    /// already, or here.
    pub fn env(mut self, key: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.settings.environment.push((key.into(), Some(value.into())));
        self
    }

    /// Removes an environment variable in the workers.
    pub fn env_remove(mut self, key: impl Into<OsString>) -> Self {
        self.settings.environment.push((key.into(), None));
        self
    }

    /// Sets environment variables by the index of the worker, from 0: which GPU it uses, say. Comes after
    /// [`env`](Self::env).
    ///
    /// The function is called on a thread of the pool each time a worker is started. If it panics, that launch fails.
    pub fn env_per_worker(
        mut self,
        variables: impl Fn(usize) -> Vec<(String, String)> + Send + Sync + 'static,
    ) -> Self {
        self.settings.env_per_worker = Some(Arc::new(variables));
        self
    }

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

    /// Replaces a worker after it has answered so many calls, for libraries that leak. A chunk of a `par_map` counts as
    /// one call. Default: never. Zero is an error at `build`.
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

    /// The directory in which workers start. Default: inherited.
    pub fn current_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.settings.current_dir = Some(dir.into());
        self
    }

    /// A name to be shown by `ps` and in errors. Default: "pool".
    pub fn name(mut self, name: &str) -> Self {
        self.settings.name = name.to_string();
        self
    }

    /// Builds the pool. Starts nothing yet: the first call does.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if a setting makes no sense, such as zero workers; [`ErrorKind::Depth`] in a task that
    /// runs as many pools deep as `LOKY_MAX_DEPTH` allows (10 by default).
    pub fn build(self) -> Result<Pool, Error> {
        check_depth("a pool cannot be built")?;
        let settings = self.into_settings(None)?;
        Ok(Pool::from_settings(settings))
    }

    /// The settings, with `idle_timeout` where none was asked for.
    pub(super) fn into_settings(self, idle_timeout: Option<Duration>) -> Result<Settings, Error> {
        let settings = Settings { idle_timeout: self.idle_timeout.unwrap_or(idle_timeout), ..self.settings };
        let refused = [
            (settings.workers == 0, "workers"),
            (settings.max_calls_per_worker == Some(0), "max_calls_per_worker"),
            (settings.queue_limit == Some(0), "queue_limit"),
        ];
        match refused.into_iter().find(|(is_refused, _)| *is_refused) {
            Some((_, setting)) => {
                let what = format!("a pool cannot be built with `{setting}(0)`");
                Err(Error::new(ErrorKind::Config, what).with_advice("it must be at least 1"))
            }
            None => Ok(settings),
        }
    }
}

impl Pool {
    pub(super) fn from_settings(settings: Settings) -> Self {
        Self(Arc::new(Owner { driver: Driver::new(settings.clone()), settings }))
    }
}
