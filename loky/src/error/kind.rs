//! What there is to branch on.

use serde::{Deserialize, Serialize};

/// What kind of failure an [`Error`](crate::Error) is.
///
/// New kinds may be added in a minor release. Whether the task has begun to run is another question, and the one that
/// decides whether to try again: [`Error::may_have_run`](crate::Error::may_have_run).
///
/// # Examples
///
/// ```
/// use loky::ErrorKind;
/// use loky::prelude::*;
///
/// #[loky::task]
/// fn share(of: u32, among: u32) -> u32 {
///     of / among
/// }
///
/// # loky::main! { fn main() {
/// let what_to_do = match share.run(10, 0).unwrap_err().kind() {
///     ErrorKind::Panic => "look at the input",
///     ErrorKind::Crash | ErrorKind::MemoryLimit => "leave this one out",
///     ErrorKind::Timeout | ErrorKind::QueueTimeout => "come back later",
///     _ => "read what it says",
/// };
/// assert_eq!(what_to_do, "look at the input");
/// # } }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The task panicked. The worker caught it and lives on. The error has the
    /// [message](crate::Error::panic_message) and the [place](crate::Error::panic_location).
    Panic,
    /// The worker process died while it ran the call. If the kernel's out-of-memory killer took it, the text says so,
    /// and by which counter that is known. The error has the [signal](crate::Error::signal) or the
    /// [code](crate::Error::exit_code), and the worker's [last words](crate::Error::stderr_tail).
    Crash,
    /// The call ran, or waited and ran, longer than it was allowed to; its worker was killed if it had started.
    Timeout,
    /// The call was not started within its queue timeout. It never ran.
    QueueTimeout,
    /// The call was cancelled.
    Cancelled,
    /// The pool was shut down before the call had a result, or the program was interrupted.
    Shutdown,
    /// The worker used more memory than its pool's [`memory_limit`](crate::PoolBuilder::memory_limit), and was killed.
    MemoryLimit,
    /// An argument or the result could not be encoded: its `Serialize` has refused, or panicked. If it was an argument,
    /// the task did not run.
    Encode,
    /// An argument or the result could not be decoded: its `Deserialize` has refused, or wants something else than its
    /// `Serialize` has written. If it was an argument, the task did not run.
    Decode,
    /// A process had no descriptors, mappings or memory left for something that travels beside the bytes of an argument
    /// or of the result, such as a [`Shared`](crate::Shared) or an [`Fd`](crate::Fd). If it was an argument, the task
    /// did not run. The process lives on, and the next call finds what is free by then.
    OutOfResources,
    /// The function is not a registered task of this program: as a rule, it lacks `#[loky::task]`.
    UnknownTask,
    /// No worker process could be started, for a reason that the text has. The call did not run.
    Launch,
    /// A pool cannot be built as it was described.
    Config,
    /// No worker could serve the call, for an initializer of the pool failed in those that were tried.
    Initializer,
    /// Pools are nested deeper than `LOKY_MAX_DEPTH` allows (10 by default): a task that spawns itself without end, as a rule.
    Depth,
    /// The program spawned a task without [`loky::main!`](crate::main). Nothing was started.
    NotInitialized,
    /// The machine that ran the call was lost.
    NodeLost,
}
