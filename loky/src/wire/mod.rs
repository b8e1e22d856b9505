//! What the bytes between a parent and its workers mean. No I/O: bytes go in and out through the caller's hands.
//!
//! `codec` turns values into bytes, `message` says what can be said, `frame` puts a message and its payload into a
//! row of bytes and finds them there again, `body` is what a frame brings, `long` one that has no room in the buffer,
//! `enclosure` what comes beside it. A worker's words are not trusted: whatever
//! it sends is either understood or an error, and costs no more memory than it has sent.

pub(crate) mod body;
pub(crate) mod codec;
pub(crate) mod enclosure;
pub(crate) mod frame;
mod long;
pub(crate) mod message;
#[cfg(feature = "tracing")]
pub(crate) mod note;
pub(crate) mod run;
