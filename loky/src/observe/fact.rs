//! What has happened in a pool, for whoever shows it: facts, with their moments by the machine's clock in nanoseconds.

use super::stats::Cause;
use crate::error::ErrorKind;

/// One of them.
#[derive(Clone, Debug)]
pub(crate) enum Fact {
    Launched {
        at: u64,
        index: usize,
    },
    /// The worker is ready for calls; it was launched at `since`.
    Ready {
        at: u64,
        since: u64,
        index: usize,
        pid: u32,
    },
    Died {
        at: u64,
        index: usize,
        pid: u32,
        cause: Cause,
        how: String,
    },
    /// A call has ended, or one try of it.
    Ended(Ended),
    /// How things were at one moment.
    Sample {
        at: u64,
        sample: Sample,
    },
    /// So many facts came faster than they could be taken in.
    Lost {
        at: u64,
        count: u64,
    },
}

/// A call that has ended, or one try of it.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) call: u64,
    pub(crate) task: &'static str,
    pub(crate) items: u32,
    pub(crate) spawned: u64,
    /// When that was known here.
    pub(crate) at: u64,
    /// `None` if it never ran, or if the try that did was told before.
    pub(crate) run: Option<Run>,
    pub(crate) ending: Ending,
    /// What is to be known of a failure, where somebody wants that.
    pub(crate) failure: Option<Box<Failure>>,
}

/// What a worker did for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) index: usize,
    pub(crate) pid: u32,
    pub(crate) attempt: u32,
    /// Since when it could have begun: it was spawned, or the try before had ended.
    pub(crate) queued: u64,
    pub(crate) began: u64,
    pub(crate) ended: u64,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Succeeded,
    /// `None`: some of its items did.
    Failed(Option<ErrorKind>),
    /// Its worker has died, and it will be tried again.
    TriedAgain,
    /// Its worker is to be replaced, and another one goes on with the items that are left.
    Continued,
}

/// An error in words.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) text: String,
    pub(crate) stderr_tail: Option<String>,
}

/// How many there were of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) queued: usize,
    pub(crate) running: usize,
    pub(crate) live: usize,
    pub(crate) idle: usize,
    pub(crate) sent: u64,
    pub(crate) received: u64,
}

impl Ended {
    /// Whether nothing more comes of the call.
    pub(crate) fn is_last(&self) -> bool {
        !matches!(self.ending, Ending::TriedAgain | Ending::Continued)
    }
}

impl Run {
    /// How long it waited, and how long it ran.
    pub(crate) const fn spans(&self) -> [u64; 2] {
        [self.began.saturating_sub(self.queued), self.ended.saturating_sub(self.began)]
    }
}

impl Ending {
    /// In a word: a stable name, for programs to read.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "ok",
            Self::TriedAgain => "tried_again",
            Self::Continued => "continued",
            Self::Failed(None) => "some_items_failed",
            Self::Failed(Some(kind)) => kind_name(kind),
        }
    }
}

const fn kind_name(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Panic => "panic",
        ErrorKind::Crash => "crash",
        ErrorKind::Timeout => "timeout",
        ErrorKind::QueueTimeout => "queue_timeout",
        ErrorKind::Cancelled => "cancelled",
        ErrorKind::Shutdown => "shutdown",
        ErrorKind::MemoryLimit => "memory_limit",
        ErrorKind::Encode => "encode",
        ErrorKind::Decode => "decode",
        ErrorKind::OutOfResources => "out_of_resources",
        ErrorKind::UnknownTask => "unknown_task",
        ErrorKind::Launch => "launch",
        ErrorKind::Config => "config",
        ErrorKind::Initializer => "initializer",
        ErrorKind::Depth => "depth",
        ErrorKind::NotInitialized => "not_initialized",
        ErrorKind::NodeLost => "node_lost",
    }
}
