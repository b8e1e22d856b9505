//! The back door: the only names that generated code may use. Nobody's API; it changes without notice.

use std::process::{ExitCode, Termination};

pub use inventory;
pub use loky_macros::closure;
pub use serde::Serialize;

use crate::driver;
pub use crate::par_map::callable::{ByClosure, Callable};
pub use crate::par_map::supplies::{EncodesAs, Supplies};
pub use crate::pool::closure::{Unfinished, closure};
pub use crate::pool::dot::{Async, Plain, Returns, TaskOutput, bind, finish, returns, settle};
pub use crate::pool::dot::{
    Task0, Task1, Task2, Task3, Task4, Task5, Task6, Task7, Task8, Task9, Task10, Task11, Task12,
};
pub use crate::start::init;
pub use crate::task::{Argument, Lent, LentSlice, LentUnsized, Owned, Passage, Returned, Sent, owned};
pub use crate::task::{
    ArgumentReader, ArgumentWriter, Entry, Fault, Instance, SliceOwner, TaskRef, Written, mark, type_id_of, version,
};
pub use crate::task::{
    Bare, ByReference, ByType, ByValue, Capturable, Capture, CaptureFunction, Captured, Caught, Changed, Glue, Kind,
    Named, Nested, Nobody, OfFunction, OfMutable, OfNested, OfReference, OfSlice, OfUnsized, OfValue, Passing,
    Somebody, captures, passing, probe,
};
pub use crate::wire::body::Encoded;

/// What the `main` of a user may return.
#[diagnostic::on_unimplemented(
    message = "`main` cannot return `{Self}`",
    label = "not the result of a program",
    note = "`main` returns `()`, a `Result` or an `ExitCode`; an `async fn main` needs the attribute of a runtime, such as `#[tokio::main]`"
)]
pub trait MainResult: Termination {}

#[diagnostic::do_not_recommend]
impl<T: Termination> MainResult for T {}

/// Runs the `main` of the user and ends as it would have ended the program; or as by the signal that has interrupted it.
pub fn end<R: MainResult>(main: impl FnOnce() -> R) -> ExitCode {
    let _ends_also_if_it_panics = Ends;
    let result = main();
    // Before it is reported: an error that comes of the interrupt is no news.
    driver::end_if_interrupted();
    result.report()
}

struct Ends;

impl Drop for Ends {
    fn drop(&mut self) {
        driver::end_if_interrupted();
    }
}
