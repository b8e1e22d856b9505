//! From what befell an initializer or a finalizer to an error that a stranger understands.

use std::time::Duration;

use super::super::evidence::{place, tail};
use super::super::inner::Inner;
use crate::error::{Error, ErrorKind, in_words};
use crate::ids::WorkerId;
use crate::supervisor;
use crate::sys::process::Exit;
use crate::text;
use crate::wire::message::Failure;

/// What befell it.
#[derive(Debug)]
pub(super) enum Fault {
    /// The worker says so, and lives.
    Told(Failure),
    /// It has returned an error; in words that go on after "it".
    Returned(String),
    Died(Exit),
    RanTooLong(Duration),
    /// The worker had so many bytes of private memory, which is too much.
    Outgrew(u64),
    /// The worker cannot be reached any more.
    Closed,
    ShutDown,
}

/// The error of whoever waits for a worker.
pub(super) fn of_initializer(inner: &mut Inner, worker: WorkerId, number: usize, fault: &Fault) -> Error {
    let name = inner.settings.initializers[number].errand.name();
    let (index, pid) = place(inner, worker);
    let how = words(inner, fault);
    let what = format!("found no worker, for the initializer `{name}` failed in worker {index} (pid {pid}): {how}");
    let error = Error::new(ErrorKind::Initializer, what);
    let error = match fault {
        Fault::Outgrew(_) => error.with_advice(
            "a worker must not need that much before its first call; give the pool a higher `memory_limit`",
        ),
        _ => error,
    };
    with_evidence(inner, worker, fault, error)
}

/// The error of whoever waits for the value of a finalizer. Whether it had begun in a worker that has died, others
/// know.
pub(super) fn of_finalizer(inner: &mut Inner, worker: WorkerId, number: usize, fault: &Fault) -> Error {
    let name = inner.settings.finalizers[number].errand.name();
    let (index, pid) = place(inner, worker);
    let kind = match fault {
        Fault::Told(Failure::Panicked(_)) => ErrorKind::Panic,
        Fault::Told(Failure::CannotDecode(_) | Failure::NoRoomForArguments(_) | Failure::NoRoomForResult(_)) => {
            ErrorKind::Decode
        }
        Fault::Told(Failure::CannotEncode(_)) | Fault::Returned(_) => ErrorKind::Encode,
        Fault::Told(Failure::Lacks { .. }) => ErrorKind::OutOfResources,
        Fault::Died(_) | Fault::Closed => ErrorKind::Crash,
        Fault::RanTooLong(_) => ErrorKind::Timeout,
        Fault::Outgrew(_) => ErrorKind::MemoryLimit,
        Fault::ShutDown => ErrorKind::Shutdown,
    };
    let what = format!("failed as the finalizer of worker {index} (pid {pid}): {}", words(inner, fault));
    // Whoever reads it may think that a call has failed, or that one will be tried again.
    let error = Error::new(kind, what).with_task(name).with_advice("that worker was leaving: no other call is lost");
    let has_run = matches!(kind, ErrorKind::Panic | ErrorKind::Encode)
        || matches!(fault, Fault::Told(Failure::Lacks { has_run: true, .. }));
    let error = if has_run { error.having_run() } else { error };
    with_evidence(inner, worker, fault, error)
}

fn words(inner: &Inner, fault: &Fault) -> String {
    match fault {
        Fault::Told(Failure::Panicked(evidence)) => {
            let place = evidence.location.as_deref().unwrap_or("an unknown place");
            format!("it panicked at {place}: {}", evidence.message)
        }
        Fault::Told(Failure::CannotDecode(why)) => format!("its arguments cannot be decoded there: {why}"),
        Fault::Told(Failure::CannotEncode(why)) => format!("its result cannot be encoded: {why}"),
        Fault::Told(Failure::NoRoomForArguments(bytes)) => {
            format!("there is no memory for its {bytes} bytes of arguments")
        }
        Fault::Told(Failure::NoRoomForResult(bytes)) => {
            format!("there is no memory here for its result of {bytes} bytes")
        }
        Fault::Told(Failure::Lacks { has_run: false, why }) => format!("its arguments cannot be taken in there: {why}"),
        Fault::Told(Failure::Lacks { has_run: true, why }) => format!("its result cannot be sent: {why}"),
        Fault::Returned(why) => format!("it {why}"),
        Fault::Died(exit) => format!("the worker {} while running it", supervisor::in_words(*exit)),
        Fault::RanTooLong(limit) => format!("it ran longer than its limit of {}", in_words(*limit)),
        Fault::Outgrew(used) => {
            let [used, limit] = text::memory_of_limit(*used, inner.settings.memory_limit.unwrap_or(0));
            format!("the worker had {used} of private memory, more than its limit of {limit}")
        }
        Fault::Closed => "the worker closed its link while running it".to_string(),
        Fault::ShutDown => "the pool was shut down by force while it ran".to_string(),
    }
}

fn with_evidence(inner: &mut Inner, worker: WorkerId, fault: &Fault, error: Error) -> Error {
    let (_, pid) = place(inner, worker);
    let error = error.with_pid(pid).with_stderr_tail(tail(inner, worker));
    match fault {
        Fault::Told(Failure::Panicked(evidence)) => error.with_panic(evidence.clone()),
        Fault::Died(Exit::Code(code)) => error.with_exit_code(*code),
        Fault::Died(Exit::Signal(signal)) => error.with_signal(*signal),
        _ => error,
    }
}
