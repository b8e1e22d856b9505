//! The whole contract of the scheduler on one screen: what it is told, and what it wants done.
//!
//! Events say what happened; actions are imperatives. Neither carries a byte, a pid, a descriptor or a cause in words:
//! whoever performs an action holds the evidence.

use std::time::{Duration, Instant};

use crate::ids::{Attempt, CallKey, WorkerId};

/// What the scheduler is told.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A new call. Told once per call, in the order of their numbers: those are the ages of calls.
    Submitted { call: CallKey, terms: Terms },
    /// Somebody gave the call up. Ignored if it has ended.
    Cancelled { call: CallKey },
    /// The call shall end by itself, or its worker be killed for it at this moment; `None`: never. Ignored if it has ended.
    AskedToEnd { call: CallKey, kill_at: Option<Instant> },
    /// The call is wanted elsewhere: it ends as if it were given up, if it has not begun, and goes on otherwise. Ignored if
    /// it has ended.
    #[cfg(feature = "cluster")]
    WantedBack { call: CallKey },
    /// The worker said hello, and is through with what it does before it serves.
    WorkerReady { worker: WorkerId },
    /// The worker begins what it does for its pool before it serves, or before it leaves, and may take so long from now
    /// on. `None`: for ever before it serves, and as long as leaving may take before it leaves.
    GivenTime { worker: WorkerId, limit: Option<Duration> },
    /// The worker could not be started, or was refused at its hello; no process is left of it.
    LaunchFailed { worker: WorkerId },
    /// One item of a call of many items is done, and the next one begins.
    Progressed { worker: WorkerId, call: CallKey, attempt: Attempt },
    /// An answer arrived and is in the driver's hand.
    Returned { worker: WorkerId, call: CallKey, attempt: Attempt },
    /// The answer to `Recall`, given before any other action is carried out. `begun` is the last call that the worker
    /// has begun; whatever it holds behind that one, or all that it holds if that one is none of it, has not begun,
    /// and will neither begin nor be answered in this attempt.
    Recalled { worker: WorkerId, begun: Option<CallKey> },
    /// The process is gone, and all that it had written has been read. `begun` is the last call that it began.
    WorkerDied { worker: WorkerId, begun: Option<CallKey> },
    /// Somebody outside has killed the worker before it said hello. That says little about the program.
    LaunchCutShort { worker: WorkerId },
    /// The worker has closed its link; only a death would explain that.
    LinkClosed { worker: WorkerId },
    /// The worker has been seen to use more memory than it may, also by what it does before it serves or before it
    /// leaves.
    Outgrew { worker: WorkerId },
    /// The worker is to be replaced, as it says itself. It begins nothing more of what it holds, and no further item
    /// of the call that it holds first; nothing of all that will be answered in this attempt.
    Worn { worker: WorkerId },
    /// The pool shall have this many workers; zero means one.
    Resized { target: usize },
    /// Start all workers now, without waiting for work.
    WarmUpAsked,
    /// Accept nothing new. Forced: end what is there, too.
    ShutdownAsked { forced: bool },
    /// The program was interrupted. Accept nothing new, begin nothing more, finish what has begun.
    Interrupted,
}

/// On what terms a call was submitted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Terms {
    /// Higher first; equal ones in the order of their submission.
    pub(crate) priority: i32,
    /// How often the call may be tried again after a death.
    pub(crate) retries: u32,
    /// How long one attempt, or one item of it, may run.
    pub(crate) run_limit: Option<Duration>,
    /// When it must have started. Kept by a call that has begun once, whatever becomes of that try.
    pub(crate) queue_deadline: Option<Instant>,
    /// When it must have ended.
    pub(crate) deadline: Option<Instant>,
    /// For how many calls it counts where the calls of a worker are counted; zero means one.
    pub(crate) items: u32,
}

#[cfg(test)]
impl Terms {
    /// Whether nothing is to be known of the call but that it is there.
    pub(crate) fn are_plain(&self) -> bool {
        let is_timed = self.run_limit.is_some() || self.queue_deadline.is_some() || self.deadline.is_some();
        (self.priority, self.retries) == (0, 0) && !is_timed && self.items <= 1
    }
}

/// What the scheduler wants done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Start a process; answer with `WorkerReady`, `LaunchFailed` or `WorkerDied`.
    Launch { worker: WorkerId },
    /// Send the call to the worker, which runs its calls in the order of their dispatch.
    Dispatch { call: CallKey, attempt: Attempt, worker: WorkerId },
    /// Take back what the worker has not begun; answer with `Recalled` at once.
    Recall { worker: WorkerId },
    /// Let the call, which the worker has begun, know that it should end.
    AskToEnd { worker: WorkerId, call: CallKey },
    /// The answer in hand is the call's result.
    Deliver { call: CallKey },
    /// The call ends without a result.
    Settle { call: CallKey, why: Why },
    /// Ask the worker to finish and leave.
    Stop { worker: WorkerId },
    /// Kill the worker and what it started.
    Kill { worker: WorkerId },
    /// Every worker that was asked for by `WarmUpAsked` has been ready, or cannot be had. Answers all that asked.
    Warmed,
    /// No call waits, no worker lives, and none will. A call that is submitted even now is settled, and a warm-up
    /// answered; nothing else follows.
    Finished,
}

/// Why a call ended without a result.
///
/// Where a try is optional, it is the last one that may have begun; `None` promises that no worker has ever begun the
/// call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// Its worker died while it ran the call, and no retry was left.
    Crashed(Try),
    /// It was given up.
    Cancelled(Option<Try>),
    /// One attempt ran longer than its run limit.
    RanTooLong(Try),
    /// It ran in a worker that was killed because it had used more memory than it may.
    Outgrew(Try),
    /// It was not started in time. No worker has ever begun it.
    QueuedTooLong,
    /// It had not ended by its deadline.
    DeadlinePassed(Option<Try>),
    /// No worker can be started.
    CannotLaunch(Option<Try>),
    /// The pool was shut down.
    ShutDown(Option<Try>),
}

/// Which worker tried a call, for which time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Try {
    pub(crate) worker: WorkerId,
    pub(crate) attempt: Attempt,
}
