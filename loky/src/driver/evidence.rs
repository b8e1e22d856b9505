//! From a decision or an answer to an error that a stranger understands.

use std::time::Duration;

use super::inner::{Inner, Pending, Worker};
use super::vigil::Memory;
use crate::error::{Error, ErrorKind, PanicEvidence, in_words};
use crate::ids::{Attempt, WorkerId};
use crate::progress::Progress;
use crate::scheduler::{Try, Why};
use crate::supervisor;
use crate::sys::process::{self, Exit, FAULTS, SIGKILL, SIGXCPU};
use crate::text;
use crate::wire::message::{Failure, NOT_A_WORKER};

/// Why a launch has come to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LaunchFailure {
    /// The system, or the process itself, has said why.
    Explained(String),
    /// What became of the process, or what it did.
    Seen(String),
}

impl LaunchFailure {
    pub(super) fn why(&self) -> &str {
        match self {
            Self::Explained(why) | Self::Seen(why) => why,
        }
    }
}

/// The error of a call that ends without a result.
pub(super) fn settled(inner: &mut Inner, pending: &Pending, why: Why) -> Error {
    let limits = pending.order.limits();
    let error = match why {
        Why::Crashed(tried) => return crashed(inner, pending, tried),
        Why::Cancelled(tried) => begun(inner, pending, tried, ErrorKind::Cancelled, "was cancelled".to_string()),
        Why::RanTooLong(tried) => {
            let what = format!("ran longer than its limit of {}", in_words(limits.timeout.unwrap_or_default()));
            begun(inner, pending, Some(tried), ErrorKind::Timeout, what)
        }
        Why::Outgrew(tried) => outgrown(inner, pending, tried),
        Why::QueuedTooLong => Error::new(ErrorKind::QueueTimeout, queued_too_long(limits.queue_timeout)),
        Why::DeadlinePassed(tried) => {
            let limit = in_words(limits.deadline.unwrap_or_default());
            begun(inner, pending, tried, ErrorKind::Timeout, format!("missed its deadline, {limit} after its spawn"))
                .with_advice("if it may take longer, waiting for a worker included, give it a longer `deadline`")
        }
        Why::CannotLaunch(tried) => cannot_launch(inner, pending, tried),
        Why::ShutDown(tried) => shut_down(inner, pending, tried),
    };
    error.with_task(pending.order.task_name())
}

/// The error of an item whose worker lives on.
pub(super) fn failed(inner: &Inner, pending: &Pending, worker: WorkerId, attempt: Attempt, failure: Failure) -> Error {
    let (index, pid) = place(inner, worker);
    let error = match failure {
        Failure::Panicked(evidence) => panicked(evidence, index, pid),
        Failure::CannotDecode(why) => Error::new(
            ErrorKind::Decode,
            format!("did not run: worker {index} (pid {pid}) cannot decode its arguments: {why}"),
        ),
        Failure::CannotEncode(why) => Error::new(
            ErrorKind::Encode,
            format!("ran in worker {index} (pid {pid}), but its result cannot be encoded: {why}"),
        )
        .having_run(),
        Failure::NoRoomForArguments(bytes) => {
            let bytes = text::memory(bytes);
            let what = format!("did not run: worker {index} (pid {pid}) has no memory for its arguments of {bytes}");
            Error::new(ErrorKind::Decode, what).with_advice(LESS)
        }
        Failure::NoRoomForResult(bytes) => {
            let bytes = text::memory(bytes);
            let what = format!(
                "ran in worker {index} (pid {pid}), but the process that spawned it has no memory for its {bytes} of result"
            );
            Error::new(ErrorKind::Decode, what).having_run().with_advice(LESS)
        }
        Failure::Lacks { has_run, why } => lacking(has_run, &format!("worker {index} (pid {pid})"), &why),
    };
    let tries = tries(pending, attempt);
    error.with_task(pending.order.task_name()).with_pid(pid).with_attempt(tries, attempts_max(pending))
}

/// Where memory has run out.
pub(super) const LESS: &str = "send less at once, or what is large as a `loky::Shared`, which is not copied";

fn lacking(has_run: bool, worker: &str, why: &str) -> Error {
    let error = |what| Error::new(ErrorKind::OutOfResources, what);
    if has_run {
        error(format!("ran in {worker}, but its result cannot be sent: {why}")).having_run()
    } else {
        error(format!("did not run: {worker} cannot take in its arguments: {why}"))
    }
}

/// How a worker ended that had not said hello.
pub(super) fn death_at_start(inner: &mut Inner, worker: WorkerId, exit: Exit) -> LaunchFailure {
    let how = how_it_died(inner, worker, exit);
    let why = match tail(inner, worker).lines().last() {
        Some(last) => format!("a worker {how} at its start, saying `{last}`"),
        None => format!("a worker {how} at its start"),
    };
    if exit == Exit::Code(NOT_A_WORKER) { LaunchFailure::Explained(why) } else { LaunchFailure::Seen(why) }
}

fn crashed(inner: &mut Inner, pending: &Pending, tried: Try) -> Error {
    let (index, pid) = place(inner, tried.worker);
    let exit = inner.body(tried.worker).and_then(|body| body.exit).unwrap_or(Exit::Unknown);
    let how = how_it_died(inner, tried.worker, exit);
    let error = Error::new(ErrorKind::Crash, format!("failed: worker {index} (pid {pid}) {how} while running it"));
    let error = match exit {
        Exit::Code(code) => error.with_exit_code(code),
        Exit::Signal(signal) => error.with_signal(signal),
        Exit::Unknown => error,
    };
    let error = tried_by(inner, pending, tried, error).with_task(pending.order.task_name());
    let last_words = error.stderr_tail().map(|_| "`stderr_tail()` has its last words");
    let poison =
        (attempts_max(pending) > 1).then_some("what it was given may be to blame, since each attempt ended so");
    let hint = hint(inner.workers.get(&tried.worker), exit).or(poison);
    let hints: Vec<_> = hint.into_iter().chain(last_words).collect();
    if hints.is_empty() { error } else { error.with_advice(hints.join("; ")) }
}

/// "was killed by SIGSEGV", and what else is known.
fn how_it_died(inner: &Inner, worker: WorkerId, exit: Exit) -> String {
    let how = supervisor::in_words(exit);
    let Some(worker) = inner.workers.get(&worker) else { return how };
    if let Some(why) = &worker.refused_for {
        return format!("{how}, since it {why},");
    }
    let Some(body) = &worker.body else { return how };
    let Some(witness) = &body.oom_witness else {
        let is_silent = worker.has_fallen_silent && exit == Exit::Signal(SIGKILL);
        return if is_silent { format!("{how}, as its link to this process had closed,") } else { how };
    };
    let had = match body.memory.as_ref().and_then(Memory::last_seen) {
        Some(bytes) => format!("; it had {} of private memory when it was last looked at", text::memory(bytes)),
        None => String::new(),
    };
    format!("{how}, by the kernel's out-of-memory killer (`oom_kill` in {} has risen{had})", witness.display())
}

/// What is likely behind a death, or what to do about it.
fn hint(worker: Option<&Worker>, exit: Exit) -> Option<&'static str> {
    let body = worker.and_then(|worker| worker.body.as_ref());
    match exit {
        _ if worker.is_some_and(|worker| worker.refused_for.is_some()) => Some(
            "something in it has overwritten what it shares with this process: look for a fault in `unsafe` code or in a \
             C library",
        ),
        _ if body.is_some_and(|body| body.oom_witness.is_some()) => {
            Some("give the pool fewer workers, or a `memory_limit`")
        }
        // So a worker ends that is cut off from its parent, too.
        Exit::Code(0) => {
            Some("a task should return or panic, not end its process or close descriptors that it has not opened")
        }
        Exit::Code(_) => Some("a task should return or panic instead of ending its process"),
        Exit::Signal(SIGKILL) if worker.is_some_and(|worker| worker.has_fallen_silent) => {
            Some("did the task close descriptors that it had not opened, or become another program?")
        }
        Exit::Signal(SIGKILL) => Some(
            "if nobody killed it on purpose, the machine may have run out of memory: try fewer workers, or a \
             `memory_limit`",
        ),
        Exit::Signal(SIGXCPU) => {
            Some("its CPU time was used up: raise the pool's `cpu_time_limit`, or else the system's (`ulimit -t`)")
        }
        Exit::Signal(signal) if FAULTS.contains(&signal) => Some("look for a fault in `unsafe` code or in a C library"),
        Exit::Signal(_) | Exit::Unknown => None,
    }
}

/// An error of a call that may have begun, with the process that ran it as evidence.
fn begun(inner: &mut Inner, pending: &Pending, tried: Option<Try>, kind: ErrorKind, what: String) -> Error {
    let Some(tried) = tried else { return Error::new(kind, format!("{what}, before it ran")) };
    let (index, pid) = place(inner, tried.worker);
    let error = match inner.workers.get(&tried.worker).map(|worker| worker.is_killed) {
        Some(true) => Error::new(kind, format!("{what}; worker {index} (pid {pid}), which ran it, was killed")),
        Some(false) => Error::new(kind, format!("{what}; worker {index} (pid {pid}), which ran it, died of itself")),
        // Of that worker nothing is known any more.
        None => Error::new(kind, format!("{what}, while it waited for another attempt")),
    };
    tried_by(inner, pending, tried, error)
}

/// The error of a call in whose worker there was too much memory.
fn outgrown(inner: &mut Inner, pending: &Pending, tried: Try) -> Error {
    let used = inner.too_much(tried.worker).unwrap_or(0);
    let [used, limit] = text::memory_of_limit(used, inner.settings.memory_limit.unwrap_or(0));
    let what = format!("used {used} of private memory, more than its limit of {limit}");
    begun(inner, pending, Some(tried), ErrorKind::MemoryLimit, what)
}

fn tried_by(inner: &mut Inner, pending: &Pending, tried: Try, error: Error) -> Error {
    let error = match inner.workers.get(&tried.worker).and_then(Worker::pid) {
        Some(pid) => error.with_pid(pid),
        None => error,
    };
    error
        .having_run()
        .with_attempt(tries(pending, tried.attempt), attempts_max(pending))
        .with_stderr_tail(tail(inner, tried.worker))
        .with_progress(progress(inner, tried.worker))
}

fn panicked(evidence: PanicEvidence, index: usize, pid: u32) -> Error {
    let place = evidence.location.as_deref().unwrap_or("an unknown place");
    let what = format!("panicked at {place}, in worker {index} (pid {pid}): {}", evidence.message);
    Error::new(ErrorKind::Panic, what).having_run().with_panic(evidence)
}

fn cannot_launch(inner: &mut Inner, pending: &Pending, tried: Option<Try>) -> Error {
    if let Some(error) = inner.initializer_failure.clone() {
        // The process that it names is the one that failed, not the one that tried the call before.
        return match tried {
            Some(tried) => error.having_run().with_attempt(tries(pending, tried.attempt), attempts_max(pending)),
            None => error,
        };
    }
    let why = inner.launch_failure.as_ref().map_or("no reason is known", LaunchFailure::why);
    let error = Error::new(ErrorKind::Launch, format!("found no worker, for none could be started: {why}"));
    let error = match inner.launch_failure {
        Some(LaunchFailure::Explained(_)) => error.with_advice("later calls try again"),
        _ => error,
    };
    match tried {
        Some(tried) => tried_by(inner, pending, tried, error),
        None => error,
    }
}

fn shut_down(inner: &mut Inner, pending: &Pending, tried: Option<Try>) -> Error {
    let Some(signal) = inner.interrupted_by else {
        let what = "ended with its pool, which was shut down".to_string();
        return begun(inner, pending, tried, ErrorKind::Shutdown, what);
    };
    let why = format!("because the program was interrupted ({})", process::signal_name(signal));
    let error = match tried {
        None => Error::new(ErrorKind::Shutdown, format!("was not started, {why}")),
        Some(_) => begun(inner, pending, tried, ErrorKind::Shutdown, format!("was ended, {why}")),
    };
    error.with_advice("the pool's `on_interrupt` says what an interrupt does to its calls")
}

fn queued_too_long(limit: Option<Duration>) -> String {
    format!("was not started within its queue timeout of {}", in_words(limit.unwrap_or_default()))
}

pub(super) fn tail(inner: &mut Inner, worker: WorkerId) -> String {
    inner.body(worker).map(|body| body.tail.text()).unwrap_or_default()
}

/// How far the worker says that it had come with what it began last.
pub(super) fn progress(inner: &Inner, worker: WorkerId) -> Option<Progress> {
    let advance = inner.workers.get(&worker)?.body.as_ref()?.page.advance()?;
    Progress::new(advance.fraction, &advance.text)
}

pub(super) fn place(inner: &Inner, worker: WorkerId) -> (usize, u32) {
    let worker = inner.workers.get(&worker);
    worker.map_or((0, 0), |worker| (worker.index, worker.pid().unwrap_or(0)))
}

fn tries(pending: &Pending, attempt: Attempt) -> u32 {
    let before = if pending.done() == 0 { pending.order.tries_before() } else { 0 };
    attempt.get() + before
}

fn attempts_max(pending: &Pending) -> u32 {
    let order = &pending.order;
    let retries = order.limits().retries.unwrap_or(0);
    let before = if pending.done() == 0 { order.tries_before() } else { 0 };
    retries.saturating_add(before).saturating_add(1)
}
