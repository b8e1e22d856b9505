//! Settings that keep workers from what their tasks need not do, by means that every kernel has: for inputs from
//! strangers.

use std::time::Duration;

use super::PoolBuilder;
use crate::confinement::Confinement;
use crate::error::{Error, ErrorKind};

/// A worker has some open by itself, and wants to be able to look into `/proc` when it must end.
const OPEN_FILES_MIN: u64 = 16;

/// Workers can be confined, each way by one line. What is asked for holds before anything of a task runs, in every
/// thread of the worker and in all processes that a task starts; where it cannot be had, no worker runs with less:
/// calls fail with [`ErrorKind::Launch`], and the error names the setting. What has run before `main`, in constructors
/// of libraries, was not confined.
///
/// None of this makes a worker somebody else. It runs as the user that the program runs as, so by itself it can read
/// that user's files and send signals to that user's processes; what a task returns should be looked at like its input.
/// The feature `sandbox` adds two that go further: `no_network`, and `read_only_file_system` with `writable`.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// # fn main() -> Result<(), loky::Error> {
/// let decoders = loky::Pool::builder()
///     .timeout(Duration::from_secs(2))
///     .no_new_privileges(true)
///     .no_core_dumps(true)
///     .address_space_limit(4 << 30)
///     .cpu_time_limit(Duration::from_secs(600))
///     .open_files_limit(64)
///     .build()?;
/// # drop(decoders);
/// # Ok(())
/// # }
/// ```
impl PoolBuilder {
    /// Keeps workers, and whatever they start, from gaining what this program does not have: a set-user-ID program such
    /// as `sudo`, or one with file capabilities, runs without its privileges. Default: no.
    ///
    /// Takes nothing from a worker that it has already: the workers of a program that runs as root are root. Programs
    /// in which a library has started a thread before `main` cannot have it, since it would not hold there. Every
    /// supported kernel knows it (`no_new_privs`).
    pub fn no_new_privileges(mut self, is_wanted: bool) -> Self {
        self.settings.confinement.no_new_privileges = is_wanted;
        self
    }

    /// Has a crash leave no image of the worker's memory, which may hold secrets, or fill the disk. Default: no.
    ///
    /// Sets the limit `RLIMIT_CORE` to zero, also for what tasks start, and makes the worker itself *not dumpable*,
    /// because a system that pipes such images to a program of its own is not bound by the limit. So no debugger of the
    /// same user can attach to the worker, nor can others of its processes read its memory, environment and descriptors
    /// in `/proc`, which root can; nor can this program. Nothing in this library needs that, but where `/proc` is
    /// mounted with `hidepid`, this program does not see what its workers have started, and cannot end that when it
    /// kills one of them. Programs that a task starts are dumpable again, within the limit. A privileged task can undo
    /// both.
    pub fn no_core_dumps(mut self, is_wanted: bool) -> Self {
        self.settings.confinement.no_core_dumps = is_wanted;
        self
    }

    /// How many bytes of addresses a worker may use (`RLIMIT_AS`). Default: no limit of ours. Zero is an error at
    /// `build`.
    ///
    /// Past it, an allocation fails *in the call that asks for it*: C code is given a null pointer, `try_reserve` an
    /// error; a `Vec` that cannot grow aborts, which is a crash of that call. It is a blunt measure, exact and at once:
    /// addresses are counted, whether or not there is memory behind them. That includes the program itself, what its
    /// libraries map, 1 MiB for each direction to the parent, and for each thread its stack and often 64 MiB that the C
    /// library reserves for its heap. So choose it generously, as a wall behind a limit that counts memory. Each
    /// process that a task starts has as much again for itself. A limit that is less than what a worker has in use at
    /// its start fails the launch. A privileged task can raise it.
    pub fn address_space_limit(mut self, bytes: u64) -> Self {
        self.settings.confinement.address_space_limit = Some(bytes);
        self
    }

    /// How much processor time a worker may use in its *whole life*, all threads and calls together, rounded up to
    /// whole seconds (`RLIMIT_CPU`). Default: no limit of ours. Zero is an error at `build`.
    ///
    /// The kernel itself ends the worker, also while this program is stopped or too busy to keep a
    /// [`timeout`](Self::timeout). The call that runs then fails with [`ErrorKind::Crash`], the
    /// [`signal`](Error::signal) SIGXCPU (24) and a text that names this setting, and is retried as after any crash: it
    /// need not be the one that has used up the time. Use it with [`max_calls_per_worker`](Self::max_calls_per_worker),
    /// so that good calls never come near it. A task that catches the signal is killed a second later, by SIGKILL. Each
    /// process that a task starts has as much again for itself. A privileged task can raise it.
    pub fn cpu_time_limit(mut self, limit: Duration) -> Self {
        self.settings.confinement.cpu_time_limit = Some(limit);
        self
    }

    /// How many descriptors a worker may have open at a time (`RLIMIT_NOFILE`), fewer than ten of its own included.
    /// Default: no limit of ours. Less than 16 is an error at `build`.
    ///
    /// Past it, whatever would open one more fails ("too many open files"). Each process that a task starts has as many
    /// again for itself. Where the system's own limit is lower, that holds. A privileged task can raise it.
    pub fn open_files_limit(mut self, count: u64) -> Self {
        self.settings.confinement.open_files_limit = Some(count);
        self
    }
}

pub(super) fn check(wanted: &Confinement) -> Result<(), Error> {
    if wanted.address_space_limit == Some(0) {
        return Err(refused("`address_space_limit(0)`", "it must be at least 1"));
    }
    if wanted.cpu_time_limit == Some(Duration::ZERO) {
        return Err(refused("a `cpu_time_limit` of zero", "it must be longer; leave it out for no limit"));
    }
    if wanted.open_files_limit.is_some_and(|count| count < OPEN_FILES_MIN) {
        return Err(refused("so low an `open_files_limit`", "it must be at least 16: a worker has some of its own"));
    }
    #[cfg(feature = "sandbox")]
    super::sandbox::check(wanted)?;
    Ok(())
}

pub(super) fn refused(what: &str, advice: &'static str) -> Error {
    Error::new(ErrorKind::Config, format!("a pool cannot be built with {what}")).with_advice(advice)
}
