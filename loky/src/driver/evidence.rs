//! From a decision or an answer to an error that a stranger understands.

use std::time::Duration;

use super::figures;
use super::inner::{Inner, Pending, Worker};
use super::vigil::Memory;
use crate::error::{Error, ErrorKind, PanicEvidence, in_words};
use crate::ids::{Attempt, WorkerId};
use crate::scheduler::{Try, Why};
use crate::shared::exhaustion;
use crate::supervisor;
use crate::sys::process::{self, Exit, SIGKILL, SIGXCPU};
use crate::wire::message::Failure;

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
        Why::QueuedTooLong => Error::new(ErrorKind::QueueTimeout, queued_too_long(limits.queue_timeout))
            .with_advice("it never ran; give the pool more workers, or the call more time"),
        Why::DeadlinePassed(tried) => {
            let what = format!("had not ended {} after it was spawned", in_words(limits.deadline.unwrap_or_default()));
            begun(inner, pending, tried, ErrorKind::Timeout, what)
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
        )
        .with_advice("does `Deserialize` of each argument read what its `Serialize` writes?"),
        Failure::CannotEncode(why) => Error::new(
            ErrorKind::Encode,
            format!("ran in worker {index} (pid {pid}), but its result cannot be encoded: {why}"),
        )
        .having_run(),
        Failure::NoRoomForArguments(bytes) => {
            let bytes = figures::in_words(bytes);
            let what = format!("did not run: worker {index} (pid {pid}) has no memory for its arguments of {bytes}");
            Error::new(ErrorKind::Decode, what).with_advice(LESS)
        }
        Failure::NoRoomForResult(bytes) => {
            let bytes = figures::in_words(bytes);
            let what =
                format!("ran in worker {index} (pid {pid}), but there is no memory here for its result of {bytes}");
            Error::new(ErrorKind::Decode, what).having_run().with_advice(LESS)
        }
        Failure::Lacks { has_run, why } => lacking(has_run, &format!("worker {index} (pid {pid})"), &why),
    };
    let tries = tries(pending, attempt);
    error.with_task(pending.order.task_name()).with_pid(pid).with_attempt(tries, attempts_max(pending))
}

const LESS: &str = "send less at once, or what is large as a `loky::Shared`, which is not copied";

fn lacking(has_run: bool, worker: &str, why: &str) -> Error {
    let error = |what| Error::new(ErrorKind::OutOfResources, what).with_advice(exhaustion::ADVICE);
    if has_run {
        error(format!("ran in {worker}, but its result cannot be sent: {why}")).having_run()
    } else {
        error(format!("did not run: {worker} cannot take in its arguments: {why}"))
    }
}

/// How a worker ended that had not said hello.
pub(super) fn death_at_start(inner: &mut Inner, worker: WorkerId, exit: Exit) -> String {
    let how = how_it_died(inner, worker, exit);
    match tail(inner, worker).lines().last() {
        Some(last) => format!("a worker {how} at its start, saying `{last}`"),
        None => format!("a worker {how} at its start"),
    }
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
    let worker = inner.workers.get(&tried.worker);
    let advice = if worker.is_some_and(|worker| worker.refused_for.is_some()) {
        Some("something in that process has written to memory that is not its own")
    } else {
        let body = worker.and_then(|worker| worker.body.as_ref());
        advice(exit, body.is_some_and(|body| body.oom_witness.is_some()), error.stderr_tail().is_some())
    };
    match advice {
        Some(advice) => error.with_advice(advice),
        None => error,
    }
}

/// "was killed by SIGSEGV", and what else is known.
fn how_it_died(inner: &Inner, worker: WorkerId, exit: Exit) -> String {
    let how = supervisor::in_words(exit);
    let Some(worker) = inner.workers.get(&worker) else { return how };
    if let Some(why) = &worker.refused_for {
        return format!("{how}, since it {why},");
    }
    let Some(body) = &worker.body else { return how };
    let Some(witness) = &body.oom_witness else { return how };
    let had = match body.memory.as_ref().and_then(Memory::last_seen) {
        Some(bytes) => format!("; it had {} of private memory when it was last looked at", figures::in_words(bytes)),
        None => String::new(),
    };
    format!("{how}, by the kernel's out-of-memory killer (`oom_kill` in {} has risen{had})", witness.display())
}

fn advice(exit: Exit, is_out_of_memory: bool, has_last_words: bool) -> Option<&'static str> {
    match exit {
        _ if is_out_of_memory => Some("give the pool fewer workers, or a `memory_limit`"),
        Exit::Code(_) => Some("a task should return or panic instead of ending its process"),
        Exit::Signal(SIGKILL) => Some("if nobody killed it on purpose, the machine may have run out of memory"),
        Exit::Signal(SIGXCPU) => {
            Some("its CPU time was used up: the pool's `cpu_time_limit`, or else the system's (`ulimit -t`)")
        }
        Exit::Signal(_) | Exit::Unknown => has_last_words.then_some("`stderr_tail()` has its last words"),
    }
}

/// An error of a call that may have begun, with the process that ran it as evidence.
fn begun(inner: &mut Inner, pending: &Pending, tried: Option<Try>, kind: ErrorKind, what: String) -> Error {
    let Some(tried) = tried else { return Error::new(kind, format!("{what} before it ran")) };
    let (index, pid) = place(inner, tried.worker);
    let error = match inner.workers.get(&tried.worker).map(|worker| worker.is_killed) {
        Some(true) => Error::new(kind, format!("{what}; worker {index} (pid {pid}), which ran it, was killed")),
        Some(false) => Error::new(kind, format!("{what}; worker {index} (pid {pid}), had run it")),
        None => Error::new(kind, what),
    };
    tried_by(inner, pending, tried, error)
}

/// The error of a call in whose worker there was too much memory.
fn outgrown(inner: &mut Inner, pending: &Pending, tried: Try) -> Error {
    let used = inner.too_much(tried.worker).unwrap_or(0);
    let [used, limit] = figures::both_in_words(used, inner.settings.memory_limit.unwrap_or(0));
    let what = format!("used {used} of private memory, more than its limit of {limit}");
    begun(inner, pending, Some(tried), ErrorKind::MemoryLimit, what)
        .with_advice("give it less to do at once, or the pool a higher `memory_limit`")
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
    let why = inner.launch_failure.as_deref().unwrap_or("no reason is known");
    let error = Error::new(ErrorKind::Launch, format!("found no worker, for none could be started: {why}"))
        .with_advice("a worker is this same program; it must reach `loky::main!` and be allowed to start processes");
    match tried {
        Some(tried) => tried_by(inner, pending, tried, error),
        None => error,
    }
}

fn shut_down(inner: &mut Inner, pending: &Pending, tried: Option<Try>) -> Error {
    let why =
        inner.interrupted_by.map(|signal| format!("the program was interrupted ({})", process::signal_name(signal)));
    let what = match (why, tried) {
        (Some(why), None) => return Error::new(ErrorKind::Shutdown, format!("was not started, because {why}")),
        (Some(why), Some(_)) => format!("was ended, because {why}"),
        (None, _) => "ended with its pool, which was shut down".to_string(),
    };
    begun(inner, pending, tried, ErrorKind::Shutdown, what)
}

fn queued_too_long(limit: Option<Duration>) -> String {
    format!("was not started within its queue timeout of {}", in_words(limit.unwrap_or_default()))
}

pub(super) fn tail(inner: &mut Inner, worker: WorkerId) -> String {
    inner.body(worker).map(|body| body.tail.text()).unwrap_or_default()
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
