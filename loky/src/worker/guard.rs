//! Keeps a panic of a task from ending the worker, and keeps what is known about it.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};

use crate::error::PanicEvidence;

thread_local! {
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
    static SEEN: RefCell<Option<PanicEvidence>> = const { RefCell::new(None) };
}

/// From now on a guarded panic is recorded instead of printed; the error tells it. Others are printed as ever.
pub(super) fn install() {
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |info| if IS_GUARDED.get() { record(info) } else { print(info) }));
}

/// Runs `task` and catches its panic.
pub(super) fn guarded<T>(task: impl FnOnce() -> T) -> Result<T, PanicEvidence> {
    IS_GUARDED.set(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(task));
    let seen = SEEN.take();
    let outcome = outcome.map_err(|payload| {
        let message = message_of(&*payload);
        // A payload may panic in its own turn when it is dropped.
        let _ = panic::catch_unwind(AssertUnwindSafe(|| drop(payload)));
        SEEN.take();
        // A task may have set a hook of its own: then only the message is known.
        PanicEvidence { message, ..seen.unwrap_or_default() }
    });
    IS_GUARDED.set(false);
    outcome
}

fn record(info: &PanicHookInfo<'_>) {
    let backtrace = Backtrace::capture();
    let is_captured = backtrace.status() == BacktraceStatus::Captured;
    let evidence = PanicEvidence {
        message: message_of(info.payload()),
        location: info.location().map(ToString::to_string),
        backtrace: is_captured.then(|| backtrace.to_string()),
    };
    SEEN.set(Some(evidence));
}

fn message_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a value that is not text").to_string()
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
