//! Something that is done when the program ends by itself: when `main` has returned, or somebody has called `exit`.
//!
//! Not when it is killed, aborts, or leaves by `_exit`. The other threads still run meanwhile.

use std::panic::catch_unwind;
use std::sync::OnceLock;

use nix::libc;

use super::own_pid::own_pid;

/// What is to be done, and in which process: a forked child that ends is not the program.
static LAST: OnceLock<(u32, fn())> = OnceLock::new();

/// Has `last` run at the end of the program. Whoever comes second is not heard.
pub(crate) fn at_exit(last: fn()) {
    if LAST.set((own_pid(), last)).is_ok() {
        // SAFETY: the function takes nothing, does not unwind, and is there as long as the program.
        unsafe { libc::atexit(run) };
    }
}

extern "C" fn run() {
    if let Some(&(_, last)) = LAST.get().filter(|(pid, _)| *pid == own_pid()) {
        // To unwind into the C library would abort a program that is ending well.
        std::mem::forget(catch_unwind(last));
    }
}
