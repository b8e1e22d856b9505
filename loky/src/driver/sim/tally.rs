//! What may be seen in the worlds of the driver.

use crate::worlds::{self, sights};

sights! {
    /// What one may see in a world.
    pub(super) enum Sight {
        Step,
        Submitted,
        NoRoom,
        Delivered,
        Crashed,
        Cancelled,
        TimedOut,
        QueuedTooLong,
        ShutDown,
        CannotLaunch,
        InitializerFailed,
        /// A call was delivered after a worker had died of it.
        Retried,
        Waiter,
        WaiterSleeps,
        DiedRunning,
        DiedIdle,
        Left,
        Abandoned,
        FellSilent,
        Hung,
        /// A worker that should have begun something had to wait, or to drop it.
        Halted,
        Recalled,
        Worn,
        SkippedWorn,
        /// A worker has left the last items of a chunk alone.
        BrokenOff,
        /// A worker died in the middle of an answer.
        Cut,
        Nonsense,
        RingFull,
        /// A result gave back what was given.
        Enclosed,
        AwaitsDescriptor,
        Withheld,
        LostBell,
        /// The memory of arguments was given to the result.
        Vacated,
        /// A result said within itself what it encloses.
        OfReaders,
        /// Something was said that would have made sense at another time.
        Untimely,
        FalseTime,
    }
}

pub(super) type Tally = worlds::Tally<Sight>;
