//! Who hears what workers say: the waiter that drives, or the background thread.
//!
//! Workers ring a bell for whoever has announced that it sleeps. There are two bells. One is heard by the background
//! thread, which waits for everything else, too: output, timers. The other one is heard by a waiter and by nobody
//! else, so that a result comes straight to the thread that waits for it. Deaths are heard by both, without a bell.
//!
//! While a waiter drives, the background thread announces nothing. A waiter that leaves announces in the background
//! thread's name. Where waiters come and go quickly, that would be done in vain all the time: then the background
//! thread is asked once to *linger*, to look by itself again and again after a moment, until waiters have ceased to
//! come. It does so, too, while somebody spawns one call after the other, and hears what has come meanwhile each
//! time.
//!
//! A pure protocol under the driver's lock: what it says is done by `turn`.

use std::time::{Duration, Instant};

/// See the module.
#[derive(Debug)]
pub(super) struct Duty {
    is_driven: bool,
    /// The waiter shall look at its own result before it sleeps.
    is_interrupted: bool,
    is_waiter_asleep: bool,
    is_lingering: bool,
    /// Whether a thread that neither waits nor drives has heard news since the background thread looked last.
    has_helper: bool,
    /// How many waiters have come since the background thread looked last.
    come: u32,
    /// When the first one of the current row of waiters came.
    since: Instant,
    /// So many waiters within [`LINGER`] are a row.
    row: u32,
}

/// What a waiter that leaves has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Farewell {
    /// The background thread will look by itself.
    Nothing,
    /// Announce that the background thread sleeps.
    Announce,
    /// Wake the background thread, so that it lingers.
    Call,
}

/// How the background thread is to sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sleep {
    /// A waiter drives, and is awake: without announcing anything.
    Quiet,
    /// A waiter drives, and sleeps: after announcing that, since what was announced for it may have been heard here.
    ForWaiter,
    /// Without announcing anything, and not for longer than this moment.
    Brief(Duration),
    /// After announcing it.
    Announced,
}

/// How long the background thread leaves the links alone while waiters come and go.
pub(super) const LINGER: Duration = Duration::from_millis(1);

/// How long it leaves them alone while a thread that spawns calls hears what comes meanwhile. The workers have about as
/// much to do by then.
const HELPED: Duration = Duration::from_micros(150);

/// A row that is worth it.
pub(super) const ROW: u32 = 16;

impl Duty {
    pub(super) fn new(now: Instant, row: u32) -> Self {
        Self {
            is_driven: false,
            is_interrupted: false,
            is_waiter_asleep: false,
            is_lingering: false,
            has_helper: false,
            come: 0,
            since: now,
            row,
        }
    }

    /// A waiter drives from now on. Returns whether it has to take back what was announced for the background thread.
    pub(super) fn take(&mut self) -> bool {
        self.is_interrupted = false;
        self.is_waiter_asleep = false;
        self.come = self.come.saturating_add(1);
        let was_driven = std::mem::replace(&mut self.is_driven, true);
        !was_driven && !self.is_lingering
    }

    /// The waiter is about to sleep. `false`: it must not, but look at its own result again.
    pub(super) fn may_sleep(&mut self) -> bool {
        self.is_waiter_asleep = !std::mem::take(&mut self.is_interrupted);
        self.is_waiter_asleep
    }

    pub(super) fn wake(&mut self) {
        self.is_waiter_asleep = false;
    }

    /// Nobody drives from now on.
    pub(super) fn leave(&mut self, now: impl FnOnce() -> Instant) -> Farewell {
        self.is_driven = false;
        if self.is_lingering {
            return Farewell::Nothing;
        }
        if self.come < self.row {
            return Farewell::Announce;
        }
        let now = now();
        self.is_lingering = now.duration_since(self.since) < LINGER;
        (self.come, self.since) = (0, now);
        if self.is_lingering { Farewell::Call } else { Farewell::Announce }
    }

    /// What a waiter waits for may have been brought by somebody else. Returns whether its bell is to be rung.
    pub(super) fn interrupt(&mut self) -> bool {
        self.is_interrupted = self.is_driven;
        self.is_driven && self.is_waiter_asleep
    }

    /// The background thread is about to sleep.
    pub(super) fn sleep_in_background(&mut self) -> Sleep {
        if self.is_lingering {
            self.is_lingering = std::mem::take(&mut self.come) > 0;
        }
        let has_helper = std::mem::take(&mut self.has_helper);
        match (self.is_waiter_asleep, self.is_driven, self.is_lingering) {
            (true, ..) => Sleep::ForWaiter,
            (false, _, true) => Sleep::Brief(LINGER),
            (false, true, false) => Sleep::Quiet,
            (false, false, false) if has_helper => Sleep::Brief(HELPED),
            (false, false, false) => Sleep::Announced,
        }
    }

    /// Whoever has just spawned a call has heard news on that occasion, and will again if it spawns on.
    pub(super) fn was_helped(&mut self) {
        self.has_helper = true;
    }

    /// Whether a worker that comes now is to ring for the waiter; else it is for the background thread, which does no
    /// harm.
    pub(super) const fn is_for_waiter(&self) -> bool {
        self.is_waiter_asleep
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_lonely_waiter_announces_for_the_background_thread() {
        let now = Instant::now();
        let mut duty = Duty::new(now, ROW);
        assert_eq!(duty.sleep_in_background(), Sleep::Announced);
        for come in 1..3 * ROW {
            assert!(duty.take());
            assert_eq!(duty.sleep_in_background(), Sleep::Quiet);
            assert_eq!(duty.leave(|| now + come * LINGER / 4), Farewell::Announce);
        }
    }

    #[test]
    fn in_a_row_of_waiters_the_background_thread_is_called_once_and_lingers() {
        let now = Instant::now();
        let mut duty = Duty::new(now, ROW);
        let come_and_go = |duty: &mut Duty| (duty.take(), duty.leave(|| now));
        (1..ROW).for_each(|_| assert_eq!(come_and_go(&mut duty), (true, Farewell::Announce)));
        assert_eq!(come_and_go(&mut duty), (true, Farewell::Call));
        assert_eq!(come_and_go(&mut duty), (false, Farewell::Nothing));
        assert_eq!(duty.sleep_in_background(), Sleep::Brief(LINGER));
        assert_eq!(come_and_go(&mut duty), (false, Farewell::Nothing));
        assert_eq!((duty.sleep_in_background(), duty.sleep_in_background()), (Sleep::Brief(LINGER), Sleep::Announced));
        assert_eq!(come_and_go(&mut duty), (true, Farewell::Announce));
    }

    #[test]
    fn while_it_is_helped_the_background_thread_looks_by_itself() {
        let mut duty = Duty::new(Instant::now(), ROW);
        duty.was_helped();
        assert_eq!((duty.sleep_in_background(), duty.sleep_in_background()), (Sleep::Brief(HELPED), Sleep::Announced));
        duty.was_helped();
        assert!(duty.take());
        assert_eq!(duty.sleep_in_background(), Sleep::Quiet, "a waiter hears all");
    }

    #[test]
    fn an_interrupted_waiter_looks_again_before_it_sleeps() {
        let mut duty = Duty::new(Instant::now(), ROW);
        assert!(!duty.interrupt(), "nobody waits");
        duty.take();
        assert!(!duty.interrupt() && !duty.may_sleep() && duty.may_sleep());
        assert!(duty.interrupt());
        duty.wake();
        assert!(!duty.interrupt(), "it is awake");
        duty.take();
        assert!(duty.may_sleep(), "whoever comes next looks at its own result first");
    }
}
