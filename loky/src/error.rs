//! Why a call has no result: one public type, a kind to branch on, and evidence to read.
//!
//! An error is built where the evidence is (the driver for a death, the worker for a panic) and is never changed
//! afterwards. It knows no process, no link and no scheduler; it only tells what it was told.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a call has no result.
///
/// Cheap to clone; every clone shows the same evidence. `Display` is one line that says what happened, to which task,
/// in which process, and what to try next; the longer evidence ([`stderr_tail`](Self::stderr_tail),
/// [`backtrace`](Self::backtrace)) is asked for by name. It can travel, so a task that spawns tasks may return it.
///
/// # Examples
///
/// ```
/// fn is_worth_another_try(error: &loky::Error) -> bool {
///     error.is_crash() || !error.may_have_run()
/// }
/// ```
#[derive(Clone)]
pub struct Error(Arc<Evidence>);

/// What kind of failure an [`Error`] is.
///
/// New kinds may be added in a minor release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The task panicked. The worker caught it and lives on.
    Panic,
    /// The worker process died while it ran the call. If the kernel's out-of-memory killer took it, the text says so,
    /// and by which counter that is known.
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
    /// An argument or the result could not be encoded.
    Encode,
    /// An argument or the result could not be decoded.
    Decode,
    /// A process had no descriptors, mappings or memory left for something that travels beside the bytes of an argument
    /// or of the result, such as a [`Shared`](crate::Shared) or an [`Fd`](crate::Fd). If it was an argument, the task
    /// did not run. The process lives on, and the next call finds what is free by then.
    OutOfResources,
    /// The function is not a registered task of this program.
    UnknownTask,
    /// No worker process could be started.
    Launch,
    /// A pool cannot be built as it was described.
    Config,
    /// No worker could serve the call, for an initializer of the pool failed in those that were tried.
    Initializer,
    /// Pools are nested deeper than `LOKY_MAX_DEPTH`.
    Depth,
    /// The program spawned a task without `loky::main!`.
    NotInitialized,
    /// The machine that ran the call was lost.
    NodeLost,
}

/// Everything an error can show. Built with the `with_*` methods of [`Error`], each of which fills one line.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Evidence {
    kind: Option<ErrorKind>,
    /// What happened, as a fragment that reads on after the name of the task, if there is one.
    what: Cow<'static, str>,
    /// What to try next.
    advice: Option<Cow<'static, str>>,
    may_have_run: bool,
    task: Option<String>,
    pid: Option<u32>,
    attempt: Option<u32>,
    attempts_max: Option<u32>,
    signal: Option<i32>,
    exit_code: Option<i32>,
    panic: Option<PanicEvidence>,
    stderr_tail: Option<String>,
}

/// What a worker saw of a panic that it caught.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PanicEvidence {
    pub(crate) message: String,
    /// `file:line:column`.
    pub(crate) location: Option<String>,
    pub(crate) backtrace: Option<String>,
}

impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Error {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let evidence = Evidence::deserialize(deserializer)?;
        if evidence.kind.is_none() {
            return Err(serde::de::Error::custom("an error of no kind"));
        }
        Ok(Self(Arc::new(evidence)))
    }
}

impl Error {
    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind.expect("every constructor names a kind")
    }

    /// Whether the task panicked.
    pub fn is_panic(&self) -> bool {
        self.kind() == ErrorKind::Panic
    }

    /// Whether the worker process died while it ran the call.
    pub fn is_crash(&self) -> bool {
        self.kind() == ErrorKind::Crash
    }

    /// Whether a time limit ended the call, in the queue or while it ran.
    pub fn is_timeout(&self) -> bool {
        matches!(self.kind(), ErrorKind::Timeout | ErrorKind::QueueTimeout)
    }

    /// Whether the call was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.kind() == ErrorKind::Cancelled
    }

    /// Whether the task may have begun to run. `false` promises that it did not: running it again is safe.
    pub fn may_have_run(&self) -> bool {
        self.0.may_have_run
    }

    /// The name of the task, as registered.
    pub fn task(&self) -> Option<&str> {
        self.0.task.as_deref()
    }

    /// The process that ran the call.
    pub fn pid(&self) -> Option<u32> {
        self.0.pid
    }

    /// The signal that killed the worker.
    pub fn signal(&self) -> Option<i32> {
        self.0.signal
    }

    /// The code with which the worker exited.
    pub fn exit_code(&self) -> Option<i32> {
        self.0.exit_code
    }

    /// Which attempt of the call this was, counted from 1; `None` if the call was never started.
    pub fn attempt(&self) -> Option<u32> {
        self.0.attempt
    }

    /// What the task panicked with.
    pub fn panic_message(&self) -> Option<&str> {
        self.0.panic.as_ref().map(|panic| panic.message.as_str())
    }

    /// Where the task panicked: `file:line:column`.
    pub fn panic_location(&self) -> Option<&str> {
        self.0.panic.as_ref()?.location.as_deref()
    }

    /// The backtrace of the panic, if the worker's environment asked for one (`RUST_BACKTRACE`).
    pub fn backtrace(&self) -> Option<&str> {
        self.0.panic.as_ref()?.backtrace.as_deref()
    }

    /// The last lines that the worker wrote to its standard error, up to 4 KiB. Empty lines count; `None` if it wrote
    /// nothing.
    pub fn stderr_tail(&self) -> Option<&str> {
        self.0.stderr_tail.as_deref()
    }

    /// The machine that ran the call, if it was not this one.
    pub fn host(&self) -> Option<&str> {
        None
    }
}

impl Error {
    /// `what` reads on after "call to task `x`", as in "was cancelled".
    pub(crate) fn new(kind: ErrorKind, what: impl Into<Cow<'static, str>>) -> Self {
        Self(Arc::new(Evidence { kind: Some(kind), what: what.into(), ..Evidence::default() }))
    }

    pub(crate) fn with_advice(self, advice: impl Into<Cow<'static, str>>) -> Self {
        self.change(|evidence| evidence.advice = Some(advice.into()))
    }

    pub(crate) fn with_task(self, task: impl Into<String>) -> Self {
        self.change(|evidence| evidence.task = Some(task.into()))
    }

    pub(crate) fn with_pid(self, pid: u32) -> Self {
        self.change(|evidence| evidence.pid = Some(pid))
    }

    pub(crate) fn with_attempt(self, attempt: u32, attempts_max: u32) -> Self {
        self.change(|evidence| {
            (evidence.attempt, evidence.attempts_max) = (Some(attempt), Some(attempts_max));
        })
    }

    /// Says that the task may have begun to run.
    pub(crate) fn having_run(self) -> Self {
        self.change(|evidence| evidence.may_have_run = true)
    }

    pub(crate) fn with_signal(self, signal: i32) -> Self {
        self.change(|evidence| evidence.signal = Some(signal))
    }

    pub(crate) fn with_exit_code(self, code: i32) -> Self {
        self.change(|evidence| evidence.exit_code = Some(code))
    }

    pub(crate) fn with_panic(self, panic: PanicEvidence) -> Self {
        self.change(|evidence| evidence.panic = Some(panic))
    }

    pub(crate) fn with_stderr_tail(self, tail: String) -> Self {
        self.change(|evidence| evidence.stderr_tail = (!tail.is_empty()).then_some(tail))
    }

    fn change(mut self, change: impl FnOnce(&mut Evidence)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// "(attempt 2 of 3)"; of a single attempt only a crash speaks, because there more can be asked for.
    fn fmt_attempt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.attempt, self.0.attempts_max) {
            (Some(attempt), Some(max)) if max > 1 || self.is_crash() => write!(f, " (attempt {attempt} of {max})"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(task) = &self.0.task {
            write!(f, "call to task `{task}` ")?;
        }
        write!(f, "{}", OneLine(&self.0.what))?;
        self.fmt_attempt(f)?;
        match &self.0.advice {
            Some(advice) => write!(f, "; {}", OneLine(advice)),
            None => Ok(()),
        }
    }
}

/// Text of unknown origin on one line: control characters, line breaks among them, are escaped.
struct OneLine<'a>(&'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .chars()
            .try_for_each(|c| if c.is_control() { write!(f, "{}", c.escape_default()) } else { f.write_char(c) })
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let evidence = &*self.0;
        let mut out = f.debug_struct("Error");
        out.field("kind", &self.kind()).field("message", &self.to_string());
        out.field("may_have_run", &evidence.may_have_run);
        if let Some(signal) = evidence.signal {
            out.field("signal", &signal);
        }
        if let Some(code) = evidence.exit_code {
            out.field("exit_code", &code);
        }
        if let Some(panic) = &evidence.panic {
            out.field("panic", panic);
        }
        if let Some(tail) = &evidence.stderr_tail {
            out.field("stderr_tail", tail);
        }
        out.finish()
    }
}

impl std::error::Error for Error {}

/// A limit in words: "2s", "1.5s", "20ms".
pub(crate) fn in_words(limit: Duration) -> String {
    format!("{limit:?}")
}
