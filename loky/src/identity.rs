//! Who this process is: the program itself or one of its workers, how deep, and what it runs now.
//!
//! Written by `main!` at the start and by the worker's loop before each call; read by anybody.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::ids::CallId;

/// What a task can know about the process and the call that it runs in; see [`worker`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerInfo {
    /// The place of this worker in its pool, from 0; a replacement takes the place of the worker that it replaces.
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
    /// The machine.
    pub host: String,
}

/// What a worker is told about itself.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) index: usize,
    pub(crate) pool: String,
    pub(crate) depth: u32,
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
        host: host(),
    })
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

fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim_end().to_string()
}
