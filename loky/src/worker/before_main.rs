//! Catches worker processes before `main`, for programs whose `main` is not the user's to write: tests, doctests.
//!
//! A worker that is caught here never gets to what the standard library does at the start of `main`. The part of it
//! that tasks could miss is made up for; what cannot be is told in the documentation of the feature.

use super::enter::enter;
use crate::sys::constructor::{self, Rest, before_main, overflow};
use crate::{env, identity};

before_main!(catch);

/// In a worker this never returns. In any other process it does next to nothing: it runs in all of them, also in those
/// that never spawn anything.
fn catch(others: Rest) {
    if env::worker_mark().is_some_and(|mark| mark == env::WORKER_MARK) {
        others.run();
        constructor::ignore_broken_pipes();
        overflow::install();
        enter();
    }
    identity::set_ready();
}
