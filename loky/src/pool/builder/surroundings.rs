//! Settings of what workers find around them: variables, directory, processors.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use super::PoolBuilder;

impl PoolBuilder {
    /// Sets an environment variable in the workers, before anything of them runs, static initializers included. Default:
    /// they inherit everything, as it is when each of them is started: what the program changes later reaches only
    /// workers that are started later.
    ///
    /// Variables by which libraries choose a number of threads (`OMP_NUM_THREADS`, `OPENBLAS_NUM_THREADS`,
    /// `MKL_NUM_THREADS`, `RAYON_NUM_THREADS` and others) are set so that workers × threads ≤ CPUs, unless they are set
    /// already, or here.
    pub fn env(mut self, key: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.settings.environment.push((key.into(), Some(value.into())));
        self
    }

    /// Removes an environment variable in the workers. Of what is said of one variable, here and by [`env`](Self::env), the
    /// last counts.
    pub fn env_remove(mut self, key: impl Into<OsString>) -> Self {
        self.settings.environment.push((key.into(), None));
        self
    }

    /// Sets environment variables by the index of the worker, from 0: which GPU it uses, say. Comes after
    /// [`env`](Self::env).
    ///
    /// It is the smallest index that no process of the pool has which lives: the successor of one that has crashed gets the
    /// same. So it is less than the number of [workers](Self::workers), unless one that was killed, or is about to leave, is
    /// not gone yet when its successor is started: take a remainder if there is no more of what you number than that.
    ///
    /// The function is called on a thread of the pool each time a worker is started. If it panics, that launch fails.
    /// Where there are [spares](Self::spares), they have indices, too.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), loky::Error> {
    /// let gpus = 2;
    /// let of_worker = move |index: usize| vec![("CUDA_VISIBLE_DEVICES".to_string(), (index % gpus).to_string())];
    /// let pool = loky::Pool::builder().workers(gpus).env_per_worker(of_worker).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn env_per_worker(
        mut self,
        variables: impl Fn(usize) -> Vec<(String, String)> + Send + Sync + 'static,
    ) -> Self {
        self.settings.env_per_worker = Some(Arc::new(variables));
        self
    }

    /// On which CPUs a worker runs, by the index of the worker, from 0; an empty list means all that the program may use.
    /// Default: inherited. CPUs are numbered as the system does (`taskset`, `/proc/cpuinfo`).
    ///
    /// It holds before anything of yours runs in the worker, initializers included, and for all threads and processes
    /// that are started there. A CPU that does not exist, or that the worker may not use (a container or a batch system
    /// may have taken it away), fails the launch, and calls that wait for a worker end in
    /// [`ErrorKind::Launch`](crate::ErrorKind::Launch), which names the worker and the CPU.
    ///
    /// The function is called on a thread of the pool each time a worker is started. If it panics, that launch fails.
    /// Where there are [spares](Self::spares), they have indices, too.
    ///
    /// # Examples
    ///
    /// Each worker on a CPU of its own (see [`env_per_worker`](Self::env_per_worker) for the remainder):
    ///
    /// ```
    /// # fn main() -> Result<(), loky::Error> {
    /// let pool = loky::Pool::builder().workers(4).cpu_affinity(|index| vec![index % 4]).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn cpu_affinity(mut self, cpus: impl Fn(usize) -> Vec<usize> + Send + Sync + 'static) -> Self {
        self.settings.cpu_affinity = Some(Arc::new(cpus));
        self
    }

    /// The directory in which workers start. Default: inherited. If it cannot be entered, workers cannot be started, and
    /// calls end in [`ErrorKind::Launch`](crate::ErrorKind::Launch).
    pub fn current_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.settings.current_dir = Some(dir.into());
        self
    }
}
