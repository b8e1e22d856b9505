//! What can be run: the functions that `#[loky::task]` registered in this binary, and closures.
//!
//! An entry turns a typed function into one of bytes to bytes; the registry is the list of the entries that can be
//! listed, the same in every process of this binary. Nothing here knows of workers, pools or links.

mod arguments;
mod capture;
mod closure;
mod contain;
mod entry;
mod find;
mod passage;
mod registry;
mod slice;
mod value;

pub use arguments::{ArgumentReader, ArgumentWriter};
pub(crate) use arguments::{encode_arguments, encode_arguments_into};
pub use capture::{
    Bare, ByReference, ByType, ByValue, Capturable, Capture, CaptureFunction, Captured, Caught, Changed, Glue, Kind,
    Named, Nested, Nobody, OfFunction, OfMutable, OfNested, OfReference, OfSlice, OfUnsized, OfValue, Passing,
    Somebody, captures, passing, probe,
};
pub(crate) use closure::closure;
pub(crate) use contain::{contain, message_of};
pub(crate) use entry::{Code, Opened, Run};
pub use entry::{Entry, Fault, type_id_of, version};
pub use find::{Instance, TaskRef, mark};
pub(crate) use find::{entry_of, find, keep};
#[cfg(feature = "cluster")]
pub(crate) use find::{judge_at, place_of_judge};
pub(crate) use passage::write_result;
pub use passage::{Argument, Lent, LentSlice, LentUnsized, Owned, Passage, Returned, Sent, owned};
pub(crate) use registry::{build, registry};
pub use slice::SliceOwner;
pub use value::Written;
pub(crate) use value::{RESULT_SHORT_MAX, decode, decode_row};
