//! The three dimensions of the table: where it strikes, how, and what the pool is doing meanwhile. Knows no outcome.

use nix::libc;
use serde::{Deserialize, Serialize};

/// What every dimension has: all its values in order, the word for a test's name, and the words of the page.
pub(crate) trait Dimension: Copy + PartialEq + 'static {
    const ALL: &'static [Self];

    fn name(self) -> &'static str;

    fn words(self) -> &'static str;
}

/// Where it strikes, in the order in which a call comes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Place {
    EncodeArgument,
    ArgumentTransit,
    DecodeArgument,
    Run,
    DropArgument,
    EncodeResult,
    DropResult,
    ResultTransit,
    DecodeResult,
    Callback,
    Exit,
    Idle,
}

/// How it strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum How {
    Error,
    Panic,
    Exit,
    Abort,
    Segfault,
    Kill,
    StopAndKill,
}

/// What the pool is doing meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum State {
    Fresh,
    Busy,
    Resizing,
    ShuttingDown,
    Nested,
}

impl Dimension for Place {
    const ALL: &'static [Self] = &[
        Self::EncodeArgument,
        Self::ArgumentTransit,
        Self::DecodeArgument,
        Self::Run,
        Self::DropArgument,
        Self::EncodeResult,
        Self::DropResult,
        Self::ResultTransit,
        Self::DecodeResult,
        Self::Callback,
        Self::Exit,
        Self::Idle,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::EncodeArgument => "encode_argument",
            Self::ArgumentTransit => "argument_transit",
            Self::DecodeArgument => "decode_argument",
            Self::Run => "run",
            Self::DropArgument => "drop_argument",
            Self::EncodeResult => "encode_result",
            Self::DropResult => "drop_result",
            Self::ResultTransit => "result_transit",
            Self::DecodeResult => "decode_result",
            Self::Callback => "callback",
            Self::Exit => "exit",
            Self::Idle => "idle",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::EncodeArgument => "the program encodes the argument",
            Self::ArgumentTransit => {
                "the argument is on its way: longer than the link, and its worker reads no further"
            }
            Self::DecodeArgument => "the worker decodes the argument",
            Self::Run => "the task runs",
            Self::DropArgument => "the worker drops the argument",
            Self::EncodeResult => "the worker encodes the result",
            Self::DropResult => "the worker drops the result, which is encoded",
            Self::ResultTransit => "the result is on its way: longer than the link, and the program reads no further",
            Self::DecodeResult => "the program decodes the result",
            Self::Callback => "the program's `on_done` callback has got the result",
            Self::Exit => "the worker leaves after its call: what was registered for the end of the process runs",
            Self::Idle => "the worker has nothing to do",
        }
    }
}

impl Dimension for How {
    const ALL: &'static [Self] =
        &[Self::Error, Self::Panic, Self::Exit, Self::Abort, Self::Segfault, Self::Kill, Self::StopAndKill];

    fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Panic => "panic",
            Self::Exit => "exit",
            Self::Abort => "abort",
            Self::Segfault => "segfault",
            Self::Kill => "kill",
            Self::StopAndKill => "stop_and_kill",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Panic => "panic",
            Self::Exit => "`exit(0)`",
            Self::Abort => "abort",
            Self::Segfault => "SIGSEGV",
            Self::Kill => "SIGKILL",
            Self::StopAndKill => "SIGKILL after SIGSTOP",
        }
    }
}

impl How {
    /// The exit code and the signal of a process that is struck so; neither, if it lives on.
    pub(crate) const fn death(self) -> (Option<i32>, Option<i32>) {
        match self {
            Self::Error | Self::Panic => (None, None),
            Self::Exit => (Some(0), None),
            Self::Abort => (None, Some(libc::SIGABRT)),
            Self::Segfault => (None, Some(libc::SIGSEGV)),
            Self::Kill | Self::StopAndKill => (None, Some(libc::SIGKILL)),
        }
    }

    /// Whether it takes another process to do it.
    pub(crate) const fn comes_from_outside(self) -> bool {
        matches!(self, Self::Kill | Self::StopAndKill)
    }
}

impl Dimension for State {
    const ALL: &'static [Self] = &[Self::Fresh, Self::Busy, Self::Resizing, Self::ShuttingDown, Self::Nested];

    fn name(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Busy => "busy",
            Self::Resizing => "resizing",
            Self::ShuttingDown => "shutting_down",
            Self::Nested => "nested",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Fresh => "a pool of one worker, which has served nobody yet",
            Self::Busy => {
                "a pool of two: the other worker runs a call, and three calls wait (none if the worker is idle)"
            }
            Self::Resizing => "as busy, and grown to four and shrunk to two again while the call is on its way",
            Self::ShuttingDown => "as busy, and a graceful shutdown has begun",
            Self::Nested => "as busy, within a worker of another pool",
        }
    }
}
