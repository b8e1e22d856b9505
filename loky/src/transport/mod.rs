//! Moves frames between a parent and one worker, without a word about what they mean.
//!
//! A link is a stream socket that the parent never waits on: what it says is queued and written as the worker takes
//! it. The worker, which has nothing else to do, waits. End of file is how each side learns that the other is gone.

pub(crate) mod link;
