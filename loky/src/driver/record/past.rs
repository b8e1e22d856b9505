//! What a worker has behind it: when it was launched and ready, how long it was busy, and why it ends.

use std::time::Duration;

use super::super::clock;
use super::super::inner::{Inner, Worker};
use crate::ids::WorkerId;
use crate::observe::{Cause, Fact, Run};
use crate::scheduler::Why;
use crate::supervisor;
use crate::sys::process::{Exit, SIGKILL};

/// See the module. Moments are those of the machine's clock.
#[derive(Debug)]
pub(in crate::driver) struct Past {
    launched: u64,
    ready: Option<u64>,
    /// How long it has run calls, in nanoseconds.
    busy: u64,
    /// When the last one of them ended.
    pub(super) last_ended: u64,
    /// Why it was asked to leave, or killed.
    leaves_for: Option<Cause>,
}

/// The parts of a life, as far as they are over.
#[derive(Debug)]
pub(in crate::driver) struct Spans {
    pub(in crate::driver) age: Duration,
    pub(in crate::driver) start_up: Option<Duration>,
    pub(in crate::driver) busy: Duration,
    pub(in crate::driver) idle: Duration,
}

impl Past {
    pub(in crate::driver) fn beginning_now() -> Self {
        Self { launched: clock::moment(), ready: None, busy: 0, last_ended: 0, leaves_for: None }
    }

    pub(super) const fn ran(&mut self, run: &Run) {
        self.busy += run.ended - run.began;
        self.last_ended = run.ended;
    }

    pub(in crate::driver) fn spans(&self) -> Spans {
        let now = clock::moment();
        let span = |from: u64, to: u64| Duration::from_nanos(to.saturating_sub(from));
        let served = self.ready.map_or(Duration::ZERO, |ready| span(ready, now));
        let busy = Duration::from_nanos(self.busy);
        Spans {
            age: span(self.launched, now),
            start_up: self.ready.map(|ready| span(self.launched, ready)),
            busy,
            idle: served.saturating_sub(busy),
        }
    }

    /// Why it has ended in this way.
    fn cause(&self, exit: Exit, is_killed: bool) -> Cause {
        let is_as_asked = is_killed || exit == Exit::Code(0);
        match self.leaves_for.filter(|_| is_as_asked) {
            Some(cause) => cause,
            None if self.ready.is_none() => Cause::Start,
            None => Cause::Crash,
        }
    }
}

impl Inner {
    pub(in crate::driver) fn note_launched(&mut self, index: usize) {
        if let Some(record) = &self.record {
            record.tell(Fact::Launched { at: clock::moment(), index });
        }
    }

    /// The worker serves from now on.
    pub(in crate::driver) fn note_ready(&mut self, id: WorkerId) {
        let at = clock::moment();
        let Some(worker) = self.workers.get_mut(&id) else { return };
        worker.past.ready = Some(at);
        if let Some(record) = &self.record {
            let (since, index, pid) = (worker.past.launched, worker.index, worker.pid().unwrap_or(0));
            record.tell(Fact::Ready { at, since, index, pid });
            self.sample(at);
        }
    }

    /// The worker is asked to leave.
    pub(in crate::driver) fn note_stopped(&mut self, id: WorkerId) {
        let cause = self.why_stopped(id);
        self.leaves_for(id, cause);
    }

    /// The worker will be asked to leave since it has grown.
    pub(in crate::driver) fn note_worn(&mut self, id: WorkerId) {
        self.leaves_for(id, Cause::Worn);
    }

    /// What is known first is the reason.
    fn leaves_for(&mut self, id: WorkerId, cause: Cause) {
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.past.leaves_for.get_or_insert(cause);
        }
    }

    fn why_stopped(&self, id: WorkerId) -> Cause {
        if self.scheduler.has_served_all(id) {
            Cause::Worn
        } else if self.scheduler.is_shutting_down() {
            Cause::Shutdown
        } else if self.scheduler.live() >= self.scheduler.target() + self.settings.spares {
            // Without it there are as many as are wanted.
            Cause::Resized
        } else {
            Cause::Idle
        }
    }

    /// The worker is killed.
    pub(in crate::driver) fn note_killed(&mut self, id: WorkerId) {
        let doomed = self.scheduler.doom_of(id).and_then(Why::as_cause);
        let outgrown = self.too_much(id).map(|_| Cause::MemoryLimit);
        let ended = self.scheduler.is_shutting_down().then_some(Cause::Shutdown);
        let Some(worker) = self.workers.get_mut(&id) else { return };
        if worker.refused_for.is_none() && !worker.has_fallen_silent {
            let past = &mut worker.past;
            past.leaves_for = past.leaves_for.or(doomed).or(outgrown).or(ended);
        }
    }

    /// The worker is dead, and no worker of the pool any more.
    pub(in crate::driver) fn note_died(&mut self, worker: &Worker, exit: Exit) {
        self.ended_for(worker, worker.past.cause(exit, worker.is_killed), exit);
    }

    /// The worker is as good as dead: it will be killed with its pool, by somebody who tells nothing.
    pub(in crate::driver) fn note_discarded(&mut self, worker: &Worker) {
        self.ended_for(worker, Cause::Shutdown, Exit::Signal(SIGKILL));
    }

    fn ended_for(&mut self, worker: &Worker, cause: Cause, exit: Exit) {
        self.counters.deaths += 1;
        self.counters.deaths_by_cause.count(cause);
        if let Some(body) = &worker.body {
            let traffic = body.link.traffic();
            self.counters.bytes_sent += traffic.sent;
            self.counters.bytes_received += traffic.received;
        }
        if let Some(record) = &self.record {
            let (at, index, pid) = (clock::moment(), worker.index, worker.pid().unwrap_or(0));
            let how = supervisor::in_words(exit);
            record.tell(Fact::Died { at, index, pid, cause, how });
            self.sample(at);
        }
    }
}

impl Why {
    /// Why a worker is killed whose call ends so.
    fn as_cause(self) -> Option<Cause> {
        match self {
            Self::Cancelled(_) => Some(Cause::Cancelled),
            Self::RanTooLong(_) | Self::DeadlinePassed(_) => Some(Cause::Timeout),
            Self::Outgrew(_) => Some(Cause::MemoryLimit),
            Self::ShutDown(_) => Some(Cause::Shutdown),
            Self::Crashed(_) | Self::QueuedTooLong | Self::CannotLaunch(_) => None,
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn who_dies_in_another_way_than_it_was_asked_to_has_crashed() {
        let mut past = Past::beginning_now();
        assert_eq!(past.cause(Exit::Code(1), false), Cause::Start);
        past.ready = Some(past.launched);
        assert_eq!(past.cause(Exit::Code(0), false), Cause::Crash, "nobody has asked it to leave");
        past.leaves_for = Some(Cause::Idle);
        let ends = [(Exit::Code(0), false), (Exit::Signal(SIGKILL), true), (Exit::Signal(11), false)];
        assert_eq!(ends.map(|(exit, is_killed)| past.cause(exit, is_killed)), [Cause::Idle, Cause::Idle, Cause::Crash]);
    }
}
