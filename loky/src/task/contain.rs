//! Runs the code that users wrote for encoding and decoding, and lets nothing out of it but a value or a text.
//!
//! A `Serialize` that panics is a value that cannot travel; it is neither a panic of the task nor one of its caller.

use std::any::Any;
use std::fmt::Display;

use crate::caught::caught;

/// What `work` returns; what goes wrong in it as text, a panic, too.
///
/// What a panic can leave half done is a buffer of ours, which every caller cuts back or drops.
#[inline]
pub(crate) fn contain<T, E: Display>(work: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    match caught(work) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(why)) => Err(told(&why)),
        Err(thrown) => Err(told_of_panic(&*thrown)),
    }
}

#[cold]
fn told(why: &impl Display) -> String {
    why.to_string()
}

#[cold]
fn told_of_panic(panic: &(dyn Any + Send)) -> String {
    format!("it panicked: {}", message_of(panic))
}

/// What a panic says.
pub(crate) fn message_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a value that is not text")
}
