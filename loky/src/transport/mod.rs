//! Moves frames between a parent and one worker, without a word about what they mean.
//!
//! A link is a pair of rings in memory that both have mapped, and a stream socket. Frames go through the rings. The
//! socket carries the descriptor of that memory at the start, then a byte for each bell and the descriptors of what is
//! passed on, and its end of file is how each side learns that the other is gone. The parent never waits on a link: what it says is queued and written as
//! the worker takes it. The worker, which has nothing else to do, waits.

pub(crate) mod descriptors;
pub(crate) mod link;
#[cfg(feature = "tracing")]
pub(crate) mod notes;
mod outgoing;
pub(crate) mod payload;
pub(crate) mod ring;
pub(crate) mod short;
pub(crate) mod spin;
pub(crate) mod worker_link;
