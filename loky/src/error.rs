//! Why a call has no result: one public type, a kind to branch on, and evidence to read.
//!
//! An error is built where the evidence is (the driver for a death, the worker for a panic) and is never changed
//! afterwards. It knows no process, no link and no scheduler; it only tells what it was told.

mod advice;
mod kind;

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::kind::ErrorKind;
use crate::progress::Progress;

/// Why a call has no result.
///
/// Cheap to clone; every clone shows the same evidence. `Display` is one line that says what happened, to which task,
/// in which process, and what to try next; of each of these it shows a thousand characters at most. The longer evidence
/// ([`stderr_tail`](Self::stderr_tail), [`backtrace`](Self::backtrace)) is asked for by name. It can travel, so a task that spawns tasks may return it.
///
/// # Examples
///
/// ```
/// use loky::prelude::*;
///
/// #[loky::task]
/// fn fragile(input: &str) -> usize {
///     if input == "bad" { std::process::exit(3) } else { input.len() }
/// }
///
/// # loky::main! { fn main() {
/// let error = fragile.run("bad").unwrap_err();
/// assert!(error.is_crash());
/// assert_eq!(error.exit_code(), Some(3));
/// assert!(error.may_have_run(), "it had begun when it died");
/// println!("{error}"); // call to task `my_crate::fragile` failed: worker 0 (pid 4242) exited with code 3 …
/// # } }
/// ```
#[derive(Clone)]
pub struct Error(Arc<Evidence>);

/// Everything an error can show. Built with the `with_*` methods of [`Error`], each of which fills one line.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Evidence {
    kind: Option<ErrorKind>,
    /// What happened, as a fragment that reads on after the name of the task, if there is one.
    what: Cow<'static, str>,
    /// What to try next, where more is known than what is said of every error of this kind.
    advice: Option<Cow<'static, str>>,
    may_have_run: bool,
    task: Option<String>,
    pid: Option<u32>,
    host: Option<String>,
    attempt: Option<u32>,
    attempts_max: Option<u32>,
    signal: Option<i32>,
    exit_code: Option<i32>,
    panic: Option<PanicEvidence>,
    stderr_tail: Option<String>,
    progress: Option<Progress>,
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

    /// The name of the task, as registered. `None` if it is not about a call: a pool that cannot be built, say.
    pub fn task(&self) -> Option<&str> {
        self.0.task.as_deref()
    }

    /// The process that ran the call. `None` if none had begun to.
    pub fn pid(&self) -> Option<u32> {
        self.0.pid
    }

    /// The number of the signal that killed the worker. `None` if it did not die, or not of a signal.
    pub fn signal(&self) -> Option<i32> {
        self.0.signal
    }

    /// The code with which the worker exited, from 0 to 255. `None` if it did not.
    pub fn exit_code(&self) -> Option<i32> {
        self.0.exit_code
    }

    /// Which attempt of the call this was, counted from 1; `None` if the call was never started.
    pub fn attempt(&self) -> Option<u32> {
        self.0.attempt
    }

    /// What the task panicked with. `None` if nothing has panicked.
    pub fn panic_message(&self) -> Option<&str> {
        self.0.panic.as_ref().map(|panic| panic.message.as_str())
    }

    /// Where the task panicked: `file:line:column`. `None` if nothing has panicked.
    pub fn panic_location(&self) -> Option<&str> {
        self.0.panic.as_ref()?.location.as_deref()
    }

    /// The backtrace of the panic, if the worker's environment asked for one (`RUST_BACKTRACE`, which can be set for a
    /// pool alone: [`PoolBuilder::env`](crate::PoolBuilder::env)).
    pub fn backtrace(&self) -> Option<&str> {
        self.0.panic.as_ref()?.backtrace.as_deref()
    }

    /// The last lines that the worker wrote to its standard error, up to 4 KiB. Empty lines count; `None` if it wrote
    /// nothing.
    pub fn stderr_tail(&self) -> Option<&str> {
        self.0.stderr_tail.as_deref()
    }

    /// How far the task had come, as it has said itself by [`loky::progress`](crate::progress()) and
    /// [`loky::progress_message`](crate::progress_message); of a call whose worker died, or was killed for it. The text of
    /// the error says it, too.
    pub fn progress(&self) -> Option<&Progress> {
        self.0.progress.as_ref()
    }

    /// The machine that ran the call, if it was not this one.
    pub fn host(&self) -> Option<&str> {
        self.0.host.as_deref()
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

    /// On another machine.
    #[cfg(feature = "cluster")]
    pub(crate) fn with_host(self, host: &str) -> Self {
        self.change(|evidence| evidence.host = Some(host.to_string()))
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

    pub(crate) fn with_progress(self, progress: Option<Progress>) -> Self {
        self.change(|evidence| evidence.progress = progress)
    }

    fn change(mut self, change: impl FnOnce(&mut Evidence)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// "(attempt 2 of 3)"; only of a crash, since nothing else is tried again: whoever reads of a panic in the first of
    /// three would wait for two more.
    fn fmt_attempt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.attempt, self.0.attempts_max) {
            (Some(attempt), Some(max)) if self.is_crash() => write!(f, " (attempt {attempt} of {max})"),
            (Some(attempt), _) => write!(f, " (attempt {attempt})"),
            (None, _) => Ok(()),
        }
    }

    fn advice(&self) -> &str {
        self.0.advice.as_deref().unwrap_or_else(|| advice::of(self.kind(), self.backtrace().is_some()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(task) = &self.0.task {
            write!(f, "call to task `{task}` ")?;
        }
        write!(f, "{}", OneLine(&self.0.what))?;
        if let Some(host) = self.host().filter(|_| self.kind() != ErrorKind::NodeLost) {
            write!(f, " on {}", OneLine(host))?;
        }
        self.fmt_attempt(f)?;
        if let Some(progress) = &self.0.progress {
            write!(f, "; it had come to: {}", OneLine(&progress.to_string()))?;
        }
        write!(f, "; {}", OneLine(self.advice()))
    }
}

/// Text of unknown origin on one line: control characters, line breaks among them, are escaped, and what is longer than anybody
/// reads is cut. A panic's message may well be megabytes, where it shows a value.
struct OneLine<'a>(&'a str);

/// In characters.
const LINE_MAX: usize = 1_000;

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut chars = self.0.chars();
        chars
            .by_ref()
            .take(LINE_MAX)
            .try_for_each(|c| if c.is_control() { write!(f, "{}", c.escape_default()) } else { f.write_char(c) })?;
        match chars.as_str().len() {
            0 => Ok(()),
            more => write!(f, "… ({more} bytes more)"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let evidence = &*self.0;
        let mut out = f.debug_struct("Error");
        out.field("kind", &self.kind()).field("message", &self.to_string());
        out.field("may_have_run", &evidence.may_have_run);
        if let Some(host) = &evidence.host {
            out.field("host", host);
        }
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
        if let Some(progress) = &evidence.progress {
            out.field("progress", progress);
        }
        out.finish()
    }
}

impl std::error::Error for Error {}

/// A limit in words: "2s", "1.5s", "20ms".
pub(crate) fn in_words(limit: Duration) -> String {
    format!("{limit:?}")
}
