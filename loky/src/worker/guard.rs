//! Keeps a panic of a task from ending the worker, and keeps what is known about it.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::panic::{self, PanicHookInfo};

use crate::caught::{Thrown, caught};
use crate::error::PanicEvidence;
use crate::task::message_of;

thread_local! {
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
    /// Whether there is something in `SEEN`.
    static HAS_SEEN: Cell<bool> = const { Cell::new(false) };
    /// Panics of the task that runs, the last ones; it may catch some itself.
    static SEEN: RefCell<VecDeque<PanicEvidence>> = const { RefCell::new(VecDeque::new()) };
}

const SEEN_MAX: usize = 4;

/// How the standard library begins the message of a panic that cannot unwind, and that will abort the process.
const FATAL: [&str; 2] = ["panic in a destructor during cleanup", "panic in a function that cannot unwind"];

/// From now on a guarded panic is recorded instead of printed; the error tells it. Others are printed as ever.
///
/// A panic that will end the process takes the record with it: then all that was recorded is printed, as last words.
/// In a program whose panics abort, every panic is like that.
pub(super) fn install() {
    if cfg!(panic = "abort") {
        return;
    }
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if IS_GUARDED.get() && !FATAL.iter().any(|start| message_of(info.payload()).starts_with(start)) {
            return record(info);
        }
        for seen in SEEN.take() {
            eprintln!("panicked at {}: {}", seen.location.as_deref().unwrap_or("?"), seen.message);
        }
        print(info);
    }));
}

/// Runs `task` and catches its panic.
#[inline]
pub(super) fn guarded<T>(task: impl FnOnce() -> T) -> Result<T, Box<PanicEvidence>> {
    IS_GUARDED.set(true);
    let outcome = caught(task).map_err(|thrown| evidence(&thrown));
    if HAS_SEEN.take() {
        SEEN.take();
    }
    IS_GUARDED.set(false);
    outcome
}

#[cold]
fn evidence(thrown: &Thrown) -> Box<PanicEvidence> {
    let message = message_of(&**thrown).to_string();
    // A task may have set a hook of its own: then only the message is known.
    Box::new(PanicEvidence { message, ..SEEN.take().pop_back().unwrap_or_default() })
}

fn record(info: &PanicHookInfo<'_>) {
    let backtrace = Backtrace::capture();
    let is_captured = backtrace.status() == BacktraceStatus::Captured;
    let evidence = PanicEvidence {
        message: message_of(info.payload()).to_string(),
        location: info.location().map(ToString::to_string),
        backtrace: is_captured.then(|| backtrace.to_string()),
    };
    HAS_SEEN.set(true);
    SEEN.with_borrow_mut(|seen| {
        if seen.len() == SEEN_MAX {
            seen.pop_front();
        }
        seen.push_back(evidence);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_caught_with_its_message() {
        assert_eq!(guarded(|| 7), Ok(7));
        let evidence = guarded(|| panic!("number {}", 7)).unwrap_err();
        assert_eq!(evidence.message, "number 7");
        assert_eq!(guarded(|| panic::panic_any(7)).unwrap_err().message, "a value that is not text");
    }

    #[test]
    fn a_payload_that_panics_when_dropped_is_contained() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("once more");
            }
        }
        assert!(guarded(|| panic::panic_any(Bomb)).is_err());
        assert_eq!(guarded(|| 7), Ok(7));
    }
}
