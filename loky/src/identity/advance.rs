//! Where a task says how far it has come.

use std::sync::{Mutex, PoisonError};

use super::IDENTITY;
use crate::sys::own_pid::own_pid;
use crate::sys::page::{Advance, TEXT_MAX};
use crate::text::start_of;

/// Says how far this task has come: from 0, nothing, to 1, all. What is beyond counts as the nearer of these; what is no
/// number is not heard.
///
/// A bar of [`par_map`](crate::ParMapIter) shows it beside the worker, and if the worker dies, the error
/// [has it](crate::Error::progress). It counts for the item that runs, and is forgotten with it.
///
/// It costs less than a microsecond, from any thread of the worker, and never blocks. Outside of a worker it does nothing,
/// so the same function can be called as it is.
///
/// # Examples
///
/// ```
/// #[loky::task]
/// fn sum(numbers: Vec<u64>) -> u64 {
///     let mut sum = 0;
///     for (place, number) in numbers.iter().enumerate() {
///         loky::progress(place as f64 / numbers.len() as f64);
///         sum += number;
///     }
///     sum
/// }
/// assert_eq!(sum(vec![1, 2, 3]), 6, "here nobody hears of it");
/// ```
pub fn progress(fraction: f64) {
    if !fraction.is_nan() {
        tell(|advance| advance.fraction = fraction.clamp(0.0, 1.0));
    }
}

/// Says what this task is doing, in a few words: up to 128 bytes are kept, of the first line. An empty text takes the last one
/// back.
///
/// It is shown, kept and forgotten like the [fraction](progress()), and costs as little.
///
/// # Examples
///
/// ```
/// #[loky::task]
/// fn read(path: &str) -> Option<String> {
///     loky::progress_message(path);
///     std::fs::read_to_string(path).ok()
/// }
/// assert_eq!(read("/no/such/file"), None);
/// ```
pub fn progress_message(message: impl AsRef<str>) {
    let line = message.as_ref().lines().next().unwrap_or_default();
    tell(|advance| advance.text = start_of(line, TEXT_MAX).into());
}

fn tell(change: impl FnOnce(&mut Advance)) {
    static TURN: Mutex<()> = Mutex::new(());
    // A forked child of the worker is not what the parent watches.
    if let Some(identity) = IDENTITY.get().filter(|identity| identity.pid == own_pid()) {
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        identity.page.tell_advance(change);
    }
}
