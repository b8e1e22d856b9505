//! Who this process is: the program itself or one of its workers, how deep, what it runs now, and what is wished of it.
//!
//! Written by `main!` at the start and by the worker's loop before each call; read by anybody.

mod advance;

use std::ffi::OsStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

pub use self::advance::{progress, progress_message};
use crate::ids::CallId;
use crate::sys::page::Page;

/// What a task can know about the process and the call that it runs in; see [`worker`].
///
/// # Examples
///
/// A file for each worker, which no other one writes to:
///
/// ```
/// fn own_file(worker: &loky::WorkerInfo) -> String {
///     format!("{}-{}.csv", worker.pool, worker.index)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerInfo {
    /// The place of this worker in its pool, from 0: the smallest that no other process of the pool had when it was started.
    pub index: usize,
    /// The process.
    pub pid: u32,
    /// The name of the pool.
    pub pool: String,
    /// The task that runs.
    pub task: String,
    /// The call that runs.
    pub call: CallId,
    /// Which attempt of the call this is, counted from 1.
    pub attempt: u32,
    /// How many pools deep this worker is: 1 in a pool of the program that the user started, one more in a pool of such
    /// a worker.
    pub depth: u32,
    /// The machine.
    pub host: String,
}

/// What a worker is told about itself.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) pid: u32,
    pub(crate) index: usize,
    pub(crate) pool: String,
    pub(crate) depth: u32,
    /// How many processors it had for itself at its start.
    pub(crate) share: usize,
    /// How many threads libraries were told to start, and by which variables.
    pub(crate) threads: usize,
    pub(crate) threads_said: u8,
    /// Where its parent tells it what changes.
    pub(crate) page: Page,
}

static IS_READY: AtomicBool = AtomicBool::new(false);
static IDENTITY: OnceLock<Identity> = OnceLock::new();
static CURRENT: Mutex<Option<(&'static str, CallId, u32)>> = Mutex::new(None);

/// Whether this process is a worker. In a worker, `main` never begins.
///
/// # Examples
///
/// ```
/// assert!(!loky::is_worker());
/// ```
pub fn is_worker() -> bool {
    IDENTITY.get().is_some()
}

/// Who runs this code: the worker and the call, if this process is a worker that has begun a call; `None` elsewhere.
///
/// A thread that a task leaves behind sees the call that the worker runs at that moment.
///
/// It reads the name of the machine from the kernel, which takes some microseconds: ask once for a call, not in an inner
/// loop.
///
/// # Examples
///
/// ```
/// #[loky::task]
/// fn whoami() -> String {
///     match loky::worker() {
///         Some(worker) => format!("worker {} in attempt {}", worker.index, worker.attempt),
///         None => "not in a worker".to_string(),
///     }
/// }
/// assert_eq!(whoami(), "not in a worker");
/// ```
pub fn worker() -> Option<WorkerInfo> {
    let identity = IDENTITY.get()?;
    let (task, call, attempt) = (*CURRENT.lock().unwrap_or_else(PoisonError::into_inner))?;
    Some(WorkerInfo {
        index: identity.index,
        pid: std::process::id(),
        pool: identity.pool.clone(),
        task: task.to_string(),
        call,
        attempt,
        depth: identity.depth,
        host: host(),
    })
}

/// Whether the call that this worker runs was asked to end: by [`cancel_within`](crate::JoinHandle::cancel_within).
///
/// A task that takes long asks now and then, and returns what it has so far: that is then the call's result, like any
/// other. One that never asks is killed when its grace is over. Once `true`, it stays so until the call has ended; no
/// other call in the same worker ever sees it.
///
/// It costs a few nanoseconds, so it may be asked in an inner loop. It may be asked from any thread of the worker. Always
/// `false` outside of a worker, so the same function can be called as it is.
///
/// # Examples
///
/// ```
/// #[loky::task]
/// fn count(limit: u64) -> u64 {
///     (0..limit).take_while(|_| !loky::is_cancelled()).count() as u64
/// }
/// assert_eq!(count(1000), 1000, "outside of a worker nobody cancels");
/// ```
pub fn is_cancelled() -> bool {
    IDENTITY.get().is_some_and(|identity| identity.page.is_asked_to_end())
}

/// How many processors this process may count on, if it is a worker: its part of those of the pool that it serves.
pub(crate) fn share() -> Option<usize> {
    let identity = IDENTITY.get()?;
    Some(identity.page.share().unwrap_or(identity.share))
}

/// Whether the value of the variable in this place of the list is what the pool of this worker has said, and so nobody's
/// decision.
pub(crate) fn was_told_threads(place: usize, value: &OsStr) -> bool {
    let is_said = |identity: &Identity| identity.threads_said >> place & 1 == 1;
    IDENTITY.get().is_some_and(|identity| is_said(identity) && *value == *identity.threads.to_string())
}

/// Whether `main!` or `init` has run: a worker started now would be caught.
pub(crate) fn is_ready() -> bool {
    IS_READY.load(Ordering::Acquire)
}

pub(crate) fn set_ready() {
    IS_READY.store(true, Ordering::Release);
}

/// How many pools lie between this process and the program that the user started; 0 in that program.
pub(crate) fn depth() -> u32 {
    IDENTITY.get().map_or(0, |identity| identity.depth)
}

pub(crate) fn become_worker(identity: Identity) {
    IDENTITY.set(identity).expect("a process becomes a worker once");
}

pub(crate) fn begin_call(task: &'static str, call: CallId, attempt: u32) {
    *CURRENT.lock().unwrap_or_else(PoisonError::into_inner) = Some((task, call, attempt));
}

/// The name of this machine.
pub(crate) fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim_end().to_string()
}
