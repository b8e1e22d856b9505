//! What cannot be had because this process has run out of what the system gives: descriptors, room for mappings, memory.
//!
//! That is no fault of the value, and another error. But between whoever finds it out and whoever tells it stands the
//! code of users, their `Serialize` and `Deserialize`, and takes only text along. So the thread notes it here.

use std::cell::Cell;
use std::io;

use crate::sys::segment;

thread_local! {
    static IS_NOTED: Cell<bool> = const { Cell::new(false) };
}

/// Why a descriptor has not come.
pub(super) const NO_ROOM: &str = "the process that receives it has too many open files already";

/// The value that is encoded or decoded on this thread cannot be for that reason.
pub(super) fn note() {
    IS_NOTED.set(true);
}

/// Whether that was so. To be asked once, when it is known that something went wrong.
pub(crate) fn take() -> bool {
    IS_NOTED.replace(false)
}

/// The error as text, noted if it is one for that reason.
pub(super) fn told(why: io::Error) -> String {
    if is_one(&why) {
        note();
    }
    why.to_string()
}

pub(super) fn is_one(why: &io::Error) -> bool {
    segment::is_for_want(why)
}
