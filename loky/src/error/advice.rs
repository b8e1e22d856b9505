//! What to try next: a sentence for each kind of error, for somebody who has never seen this library.
//!
//! It is said where whoever made the error had nothing better to say, so no error is without one. It knows nothing of
//! what has happened beyond the kind.

use super::ErrorKind;

/// Goes on after "; ".
pub(super) const fn of(kind: ErrorKind, has_backtrace: bool) -> &'static str {
    match kind {
        ErrorKind::Panic if has_backtrace => "the error's `backtrace()` shows how it got there",
        ErrorKind::Panic => "for a backtrace, set `RUST_BACKTRACE=1` and ask the error's `backtrace()`",
        ErrorKind::Crash => "with `.retries(n)`, such a call is tried again",
        ErrorKind::Timeout => "if it may take longer, raise the `timeout` of the call, its task or its pool",
        ErrorKind::QueueTimeout => "it never ran; give the pool more workers, or the call more time",
        ErrorKind::Cancelled => "this program asked for that; spawn it again if its result is wanted after all",
        ErrorKind::Shutdown => "spawn it in another pool, or join it before the shutdown",
        ErrorKind::MemoryLimit => "give it less to do at once, or the pool a higher `memory_limit`",
        ErrorKind::Encode => "see why the `Serialize` of its type refuses it, or send what is in it",
        ErrorKind::Decode => "does the `Deserialize` of that type read what its `Serialize` writes?",
        ErrorKind::OutOfResources => {
            "raise the limit of open files (`ulimit -n`), hold fewer `loky::Shared` and `loky::Fd` at once, or share one \
             large array and pass parts of it"
        }
        ErrorKind::UnknownTask => {
            "is `#[loky::task]` on the function, and is its crate linked (`use its_crate as _;`)?"
        }
        ErrorKind::Launch => {
            "a worker is this same program, started once more: it must reach `loky::main!` before anything else"
        }
        ErrorKind::Config => "change that setting",
        ErrorKind::Initializer => {
            "correct it: calls run only where every initializer has succeeded, and later ones try again"
        }
        ErrorKind::Depth => "unless a task calls itself without end, raise `LOKY_MAX_DEPTH`",
        ErrorKind::NotInitialized => {
            "wrap `main` in `loky::main! { … }`, or call `loky::init()` as its first statement; in tests, enable the \
             feature `test` of loky"
        }
        ErrorKind::NodeLost => "with `.retries(n)`, such a call is tried again, on another machine",
    }
}
