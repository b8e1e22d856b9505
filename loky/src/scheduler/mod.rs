//! Decides which call goes to which worker, and who is started, stopped and killed.
//!
//! A pure state machine: it has no clock, no threads and no I/O, and it never names a byte, a pid or a descriptor.
//! Its methods are of three kinds. *Look*: [`is_finished`](Scheduler::is_finished), `queued`, `live`…. *Feed*:
//! [`handle`](Scheduler::handle) for what happened, [`handle_timeout`](Scheduler::handle_timeout) for time that has
//! passed. *Take out*: [`next_action`](Scheduler::next_action) for what must now be done, in order;
//! [`next_timeout`](Scheduler::next_timeout) for when to come back.
//!
//! # Two promises
//!
//! 1. Every submitted call is delivered or settled exactly once.
//! 2. From any state, if a shutdown is asked for and no more events come except deaths and time, `Finished` is
//!    reached.
//!
//! Together they are what "no deadlock" means here, and the simulation in `sim` holds them after every step of tens
//! of thousands of random worlds. They rest on four rules. A call is either in the backlog or held by exactly one
//! worker. Every phase of a worker but serving ends by itself, by a timer; and in a shutdown a worker serves no longer
//! than there are calls. Whatever is tried again is counted: launches that fail, tries of a call, deaths before a call
//! began. Deadlines are compared, never elapsed times, so a timer that has come is never computed to lie a rounding
//! error ahead.

mod blame;
mod calls;
mod event;
mod sizing;
mod workers;

#[cfg(test)]
mod sim;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use self::calls::{Calls, Doom, earliest};
pub(crate) use self::event::{Action, Event, Terms, Try, Why};
use self::sizing::Sizing;
use self::workers::{Phase, Workers};
use crate::ids::{Attempt, CallId, WorkerId};

/// What a pool's owner may choose, and the bounds of every wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// Workers wanted; at least one.
    pub(crate) target: usize,
    /// Workers beyond those that are busy, kept ready while the pool is in use. They count beyond the target, but no
    /// more than the target are busy at once.
    pub(crate) spares: usize,
    /// How long a worker may be without calls before it is stopped.
    pub(crate) idle_timeout: Option<Duration>,
    /// A worker is replaced after it has answered this many calls.
    pub(crate) calls_per_worker_max: Option<u64>,
    /// Calls that a worker may hold, the one that it runs included; at least one.
    pub(crate) credit: usize,
    /// How long a worker may take from its launch to its hello; this and the other waits below are longer than zero.
    pub(crate) hello_limit: Duration,
    /// Failed launches in a row after which no further one is tried for a while.
    pub(crate) launch_failures_max: u32,
    /// That while.
    pub(crate) launch_pause: Duration,
    /// Time between *stop* and *kill*.
    pub(crate) stop_grace: Duration,
    /// How long a killed worker's death is waited for.
    pub(crate) kill_grace: Duration,
}

/// The state machine; see the module.
#[derive(Debug)]
pub(crate) struct Scheduler {
    rules: Rules,
    calls: Calls,
    workers: Workers,
    sizing: Sizing,
    actions: VecDeque<Action>,
    shutdown: Option<Shutdown>,
    is_finished: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shutdown {
    Graceful,
    Forced,
}

impl Scheduler {
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            sizing: Sizing::new(rules.target, rules.spares),
            rules,
            calls: Calls::default(),
            workers: Workers::default(),
            actions: VecDeque::new(),
            shutdown: None,
            is_finished: false,
        }
    }

    /// Calls that wait for a worker.
    pub(crate) fn queued(&self) -> usize {
        self.calls.backlog_len()
    }

    /// Workers that serve or are being started.
    pub(crate) fn live(&self) -> usize {
        self.workers.live()
    }

    /// Workers that serve and have nothing to do.
    pub(crate) fn idle(&self) -> usize {
        self.workers.idle()
    }

    /// Workers wanted.
    pub(crate) fn target(&self) -> usize {
        self.sizing.target()
    }

    /// Whether a worker holds the call; `None` if it has ended.
    pub(crate) fn is_held(&self, call: CallId) -> Option<bool> {
        Some(self.calls.get(call)?.holder.is_some())
    }

    /// Whether this worker still owes an answer to this attempt; even if the call has ended.
    pub(crate) fn is_awaited(&self, worker: WorkerId, call: CallId, attempt: Attempt) -> bool {
        self.workers.get(worker).is_some_and(|worker| worker.held.contains(&(call, attempt)))
    }

    /// Whether the call will end, and not by its result: whatever its worker still answers comes too late.
    pub(crate) fn is_doomed(&self, call: CallId) -> bool {
        self.calls.get(call).is_some_and(|call| call.doom.is_some())
    }

    /// Calls whose run limit has come, which ends them at the next event; unless `Progressed` is told before.
    pub(crate) fn overrunning(&self, now: Instant) -> Vec<(CallId, Try)> {
        let due = self.calls.due(now).filter_map(|id| Some((id, self.calls.get(id)?)));
        due.filter(|(_, call)| call.doom.is_none()).filter_map(|(id, call)| Some((id, call.current_try()?))).collect()
    }

    /// Whether a shutdown was asked for.
    pub(crate) fn is_shutting_down(&self) -> bool {
        self.shutdown.is_some()
    }

    /// Whether `Finished` was given out: nothing will ever happen again.
    #[cfg(test)]
    pub(crate) fn is_finished(&self) -> bool {
        self.is_finished
    }

    /// Takes in what happened. Actions are taken out with [`next_action`](Self::next_action).
    pub(crate) fn handle(&mut self, event: Event, now: Instant) {
        match event {
            Event::Submitted { call, terms } => self.submitted(call, terms),
            Event::Cancelled { call } => self.end_early(call, Doom::Cancelled, now),
            Event::WorkerReady { worker } => self.worker_ready(worker, now),
            Event::LaunchFailed { worker } => self.worker_died(worker, None, now),
            Event::Progressed { worker, call, attempt } => self.progressed(worker, call, attempt, now),
            Event::Returned { worker, call, attempt } => self.returned(worker, call, attempt, now),
            Event::WorkerDied { worker, begun } => self.worker_died(worker, begun, now),
            Event::LaunchCutShort { worker } => self.launch_cut_short(worker, now),
            Event::LinkClosed { worker } => self.link_closed(worker, now),
            Event::Resized { target } => self.sizing.resize(target),
            Event::WarmUpAsked => self.sizing.ask_warm_up(),
            Event::ShutdownAsked { forced } => self.shutdown_asked(forced, now),
        }
        self.arrange(now);
    }

    /// Takes in that time has passed.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        while let Some((worker, phase)) = self.workers.due(now) {
            self.worker_due(worker, phase, now);
        }
        self.arrange(now);
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next, if nothing else happens before.
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        earliest(earliest(self.calls.next_timer(), self.workers.next_timer()), self.retry_at())
    }

    /// What must be done next.
    pub(crate) fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    fn submitted(&mut self, call: CallId, terms: Terms) {
        match self.shutdown {
            Some(_) => self.settle(call, Why::ShutDown(None)),
            None => {
                self.sizing.wake();
                self.calls.add(call, terms);
            }
        }
    }

    fn progressed(&mut self, worker: WorkerId, call: CallId, attempt: Attempt, now: Instant) {
        let is_first = self.workers.get(worker).is_some_and(|worker| worker.is_ready() && worker.is_first(call));
        if is_first && self.is_awaited(worker, call, attempt) {
            self.calls.start_clock(call, now);
        }
    }

    fn returned(&mut self, worker: WorkerId, call: CallId, attempt: Attempt, now: Instant) {
        if !self.is_awaited(worker, call, attempt) {
            return;
        }
        self.workers.answered(worker, call);
        if let Some(ended) = self.calls.remove(call) {
            self.actions.push_back(match ended.doom {
                None => Action::Deliver { call },
                Some(doom) => Action::Settle { call, why: doom.once_begun(Try { worker, attempt }) },
            });
        }
        self.go_on(worker, now);
    }

    /// The worker has answered a call: it begins the next one that it holds, or is free.
    fn go_on(&mut self, id: WorkerId, now: Instant) {
        let Some(worker) = self.workers.get(id).filter(|worker| worker.is_ready()) else { return };
        match worker.held.front() {
            Some(&(next, _)) if self.calls.get(next).is_some() => self.calls.start_clock(next, now),
            Some(_) => self.kill(id, now),
            None if worker.is_worn(&self.rules) => self.stop(id, now),
            None => self.workers.free(id, self.rules.leave_at(now)),
        }
    }

    fn call_due(&mut self, id: CallId, now: Instant) {
        let Some(call) = self.calls.get(id) else { return };
        let is_past_deadline = call.terms.deadline.is_some_and(|at| at <= now);
        match call.holder {
            _ if is_past_deadline => self.end_early(id, Doom::DeadlinePassed, now),
            Some(_) => self.end_early(id, Doom::RanTooLong, now),
            None => self.end(id, Why::QueuedTooLong),
        }
    }

    /// Ends a call that has no result: at once if it waits, by killing its worker if it runs.
    ///
    /// A running call is settled when its worker is dead or has answered, so that whoever reads the error can rely on
    /// it that the task does nothing any more. One that waits in its worker behind another call must not cost that
    /// other call its worker, so it ends at once; the worker still holds it, and is killed when it comes to it.
    fn end_early(&mut self, id: CallId, doom: Doom, now: Instant) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let Some(tried) = call.current_try() else {
            let why = doom.before_begun(call.last_try).expect("a run limit counts only for calls that a worker holds");
            return self.end(id, why);
        };
        if self.workers.get(tried.worker).is_some_and(|worker| worker.is_ready() && !worker.is_first(id)) {
            return self.end(id, doom.once_begun(tried));
        }
        call.condemn(doom);
        self.kill(tried.worker, now);
    }

    fn worker_due(&mut self, worker: WorkerId, phase: Phase, now: Instant) {
        match phase {
            Phase::Ready { .. } => {
                self.sizing.rest();
                self.stop(worker, now);
            }
            Phase::Stopping { .. } => self.kill(worker, now),
            Phase::Killed { .. } => self.abandon(worker),
            Phase::Launching { .. } => self.give_up_launch(worker, now),
        }
    }

    fn shutdown_asked(&mut self, forced: bool, now: Instant) {
        if !forced {
            self.shutdown.get_or_insert(Shutdown::Graceful);
            return;
        }
        self.shutdown = Some(Shutdown::Forced);
        for (call, last_try) in self.calls.remove_backlog() {
            self.settle(call, Why::ShutDown(last_try));
        }
        self.calls.condemn_all(Doom::ShutDown);
        for worker in self.workers.ids(|worker| !worker.is_killed()) {
            self.kill(worker, now);
        }
    }

    /// Brings calls and workers together, and the pool to its size: run after every event.
    ///
    /// Calls whose time is over go first, or one that a death has just given back would be dispatched only to be
    /// killed. Then surplus workers, or a pool with a backlog would never shrink.
    fn arrange(&mut self, now: Instant) {
        while let Some(call) = self.calls.pop_due(now) {
            self.call_due(call, now);
        }
        self.retire_surplus(now);
        self.dispatch(now);
        self.launch_missing(now);
        if self.shutdown.is_some() && self.calls.is_empty() && self.workers.is_empty() && !self.is_finished {
            self.is_finished = true;
            self.actions.push_back(Action::Finished);
        }
    }

    fn dispatch(&mut self, now: Instant) {
        while self.calls.backlog_len() > 0 {
            let Some(worker) = self.idle_worker().or_else(|| self.worker_to_load()) else { return };
            let Some((call, attempt)) = self.calls.hold_next(worker) else { return };
            let holder = self.workers.get_mut(worker).expect("the worker was found a moment ago");
            holder.held.push_back((call, attempt));
            if holder.held.len() == 1 {
                self.calls.start_clock(call, now);
            }
            self.actions.push_back(Action::Dispatch { call, attempt, worker });
        }
    }

    /// An idle worker, if it may become busy: while as many are busy as shall be, the others are spares.
    fn idle_worker(&self) -> Option<WorkerId> {
        self.workers.idle_last_freed().filter(|_| self.workers.busy() < self.sizing.target())
    }

    /// A busy worker that may hold one more call; only if no further worker can be had for it, and none is to go: one
    /// that always holds another call would never become free.
    fn worker_to_load(&self) -> Option<WorkerId> {
        let is_of_size = self.workers.busy() == self.sizing.target();
        self.workers.with_credit(&self.rules).filter(|_| is_of_size)
    }

    fn stop(&mut self, id: WorkerId, now: Instant) {
        let Some(worker) = self.workers.get_mut(id) else { return };
        worker.phase = Phase::Stopping { kill_at: later(now, self.rules.stop_grace) };
        self.actions.push_back(Action::Stop { worker: id });
    }

    fn kill(&mut self, id: WorkerId, now: Instant) {
        let Some(worker) = self.workers.get_mut(id) else { return };
        if !worker.is_killed() {
            worker.phase = Phase::Killed { forget_at: later(now, self.rules.kill_grace) };
            self.actions.push_back(Action::Kill { worker: id });
        }
    }

    fn end(&mut self, call: CallId, why: Why) {
        self.calls.remove(call);
        self.settle(call, why);
    }

    fn settle(&mut self, call: CallId, why: Why) {
        self.actions.push_back(Action::Settle { call, why });
    }
}

#[cfg(test)]
impl Scheduler {
    /// Both sides of every reference agree.
    fn check(&self) {
        self.calls.check();
        let mut held = 0;
        for (id, worker) in self.workers.iter() {
            worker.check(&self.rules);
            for call in worker.held.iter().filter_map(|&(call, _)| self.calls.get(call)) {
                assert_eq!(call.holder, Some(id), "a call names the worker that holds it");
                held += 1;
            }
        }
        assert_eq!(held, self.calls.held(), "a worker holds the calls that name it");
    }
}

impl Rules {
    fn leave_at(&self, now: Instant) -> Option<Instant> {
        now.checked_add(self.idle_timeout?)
    }
}

/// `now + wait`, or a century from now where that lies beyond what the clock can say.
fn later(now: Instant, wait: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    now.checked_add(wait).unwrap_or_else(|| now + CENTURY)
}
