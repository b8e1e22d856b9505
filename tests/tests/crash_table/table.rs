//! The table: what is read when it strikes there, in this way. Data, and nothing that carries it out.
//!
//! The third dimension is not in it, because it must make no difference: whatever the pool is doing, the call reads the
//! same, and each of its neighbors has its result.

use loky::ErrorKind;

use crate::dimensions::{Dimension, How, Place};

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reads {
    /// The result, as if nothing had happened.
    Result,
    /// The result: the error that the task itself has returned.
    OwnError,
    /// The result, from another worker: the one that was struck had not begun the call.
    Elsewhere,
    /// An error of this kind. `has_place`: it names the process and the attempt.
    Told { kind: ErrorKind, may_have_run: bool, has_place: bool },
    /// No call is concerned: another worker comes, if one is needed.
    Nothing,
    /// The program itself has ended, in this way, and nobody is there to read. Its workers are gone within a second.
    End,
    /// It cannot be, and why.
    CannotBe(&'static str),
}

use Reads::{CannotBe, Elsewhere, End, Nothing, OwnError, Result};

const fn told(kind: ErrorKind, may_have_run: bool, has_place: bool) -> Reads {
    Reads::Told { kind, may_have_run, has_place }
}

const CRASH: Reads = told(ErrorKind::Crash, true, true);
const PANIC: Reads = told(ErrorKind::Panic, true, true);
/// An argument, in the program.
const UNENCODED_HERE: Reads = told(ErrorKind::Encode, false, false);
/// A result, in the worker.
const UNENCODED_THERE: Reads = told(ErrorKind::Encode, true, true);
/// An argument, in the worker.
const UNDECODED_THERE: Reads = told(ErrorKind::Decode, false, true);
/// A result, in the program, where nobody knows any more who has run the call.
const UNDECODED_HERE: Reads = told(ErrorKind::Decode, true, false);

const NO_CODE: Reads =
    CannotBe("bytes on their way run nobody's code, and a panic of another thread ends that thread only");
const NO_CODE_IDLE: Reads =
    CannotBe("an idle worker runs nobody's code, and a panic of another thread ends that thread only");
const UNTOLD: Reads = CannotBe("a `Drop` returns nothing");
const UNTOLD_CALLBACK: Reads = CannotBe("a callback returns nothing");
const UNTOLD_END: Reads = CannotBe("what is registered for the end of a process returns nothing");

/// Where × how, in the order of [`How::ALL`].
#[rustfmt::skip]
pub(crate) const TABLE: [(Place, [Reads; 7]); 12] = [
    //                        error            panic            exit(0)    abort      SIGSEGV    SIGKILL    stopped
    (Place::EncodeArgument,  [UNENCODED_HERE,  UNENCODED_HERE,  End,       End,       End,       End,       End]),
    (Place::ArgumentTransit, [NO_CODE,         NO_CODE,         Elsewhere, Elsewhere, Elsewhere, Elsewhere, Elsewhere]),
    (Place::DecodeArgument,  [UNDECODED_THERE, UNDECODED_THERE, CRASH,     CRASH,     CRASH,     CRASH,     CRASH]),
    (Place::Run,             [OwnError,        PANIC,           CRASH,     CRASH,     CRASH,     CRASH,     CRASH]),
    (Place::DropArgument,    [UNTOLD,          PANIC,           CRASH,     CRASH,     CRASH,     CRASH,     CRASH]),
    (Place::EncodeResult,    [UNENCODED_THERE, UNENCODED_THERE, CRASH,     CRASH,     CRASH,     CRASH,     CRASH]),
    (Place::DropResult,      [UNTOLD,          PANIC,           CRASH,     CRASH,     CRASH,     CRASH,     CRASH]),
    (Place::ResultTransit,   [NO_CODE,         NO_CODE,         CRASH,     CRASH,     CRASH,     CRASH,     CRASH]),
    (Place::DecodeResult,    [UNDECODED_HERE,  UNDECODED_HERE,  End,       End,       End,       End,       End]),
    (Place::Callback,        [UNTOLD_CALLBACK, Result,          End,       End,       End,       End,       End]),
    (Place::Exit,            [UNTOLD_END,      Nothing,         Nothing,   Nothing,   Nothing,   Nothing,   Nothing]),
    (Place::Idle,            [NO_CODE_IDLE,    NO_CODE_IDLE,    Nothing,   Nothing,   Nothing,   Nothing,   Nothing]),
];

/// The cell of the table.
pub(crate) fn reads(place: Place, how: How) -> Reads {
    let row = TABLE.iter().find(|(at, _)| *at == place).expect("every place has its row");
    let column = How::ALL.iter().position(|way| *way == how).expect("every way is listed");
    row.1[column]
}
