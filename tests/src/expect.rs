//! Short words for what nearly every case says.

use std::fmt::Debug;
use std::time::Duration;

use loky::{Error, ErrorKind, Pool};

/// A pool of the case's own.
pub fn pool_of(workers: usize) -> Pool {
    Pool::builder().workers(workers).build().expect("a pool of this size can be made")
}

/// Panics unless the call failed, and in this way. The error's text is one line, whatever the kind.
#[track_caller]
pub fn fails<R: Debug>(result: Result<R, Error>, kind: ErrorKind) -> Error {
    let error = result.expect_err("the call must fail");
    assert_eq!(error.kind(), kind, "{error:?}");
    let text = error.to_string();
    assert!(!text.is_empty() && !text.contains('\n'), "one line of text: {text:?}");
    if let Some(task) = error.task() {
        assert!(text.contains(task), "the text names the task `{task}`: {text}");
    }
    error
}

/// A span in milliseconds.
pub const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}
