//! Something that is done when the program ends by itself: when `main` has returned, or somebody has called `exit`.
//!
//! Not when it is killed, aborts, or leaves by `_exit`. The other threads still run meanwhile.

use std::panic::catch_unwind;
use std::sync::{Mutex, PoisonError};

use nix::libc;

use super::own_pid::own_pid;

/// What is to be done, and in which process: a forked child that ends is not the program.
type Last = (u32, fn());

static LAST: Mutex<Vec<Last>> = Mutex::new(Vec::new());

/// Has `last` run at the end of the program, once, however often this is called. Whoever comes last is heard first.
pub(crate) fn at_exit(last: fn()) {
    let mut all = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if all.is_empty() {
        // SAFETY: the function takes nothing, does not unwind, and is there as long as the program.
        unsafe { libc::atexit(run) };
    }
    if !all.iter().any(|(pid, other)| *pid == own_pid() && std::ptr::fn_addr_eq(*other, last)) {
        all.push((own_pid(), last));
    }
}

extern "C" fn run() {
    // Not under the lock, which what is done may want.
    let all = std::mem::take(&mut *LAST.lock().unwrap_or_else(PoisonError::into_inner));
    for (_, last) in all.into_iter().rev().filter(|(pid, _)| *pid == own_pid()) {
        // To unwind into the C library would abort a program that is ending well.
        std::mem::forget(catch_unwind(last));
    }
}
