//! Where a fuzzer comes in: each function takes any bytes, does with them what the library does with the words of a worker,
//! and panics if a promise is broken. Not a part of the library: it is there for the programs in `fuzz`, and for the tests
//! that feed it what those have kept.

mod frames;
mod messages;
mod rings;
mod schedules;
#[cfg(test)]
mod tests;
mod values;

use crate::driver::Input;

/// Rows of frames, in pieces.
pub fn frames(data: &[u8]) {
    frames::read(data);
}

/// What each kind of frame brings, in both directions.
pub fn messages(data: &[u8]) {
    messages::understand(data);
}

/// Values of users, as arguments and results.
pub fn values(data: &[u8]) {
    values::decode(data);
}

/// A ring whose memory somebody else writes to, and one whose sides are honest.
pub fn rings(data: &[u8]) {
    rings::pass(data);
}

/// The events of a pool, in any order in which they could come.
pub fn schedules(data: &[u8]) {
    schedules::tell(data);
}

/// A worker that writes anything anywhere, and its parent.
pub fn links(data: &[u8]) {
    crate::driver::live(data);
}
