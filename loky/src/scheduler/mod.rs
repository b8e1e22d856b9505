//! Decides which call goes to which worker, and who is started, stopped and killed.
//!
//! A pure state machine: it has no clock, no threads and no I/O, and it never names a byte, a pid or a descriptor.
//! Its methods are of three kinds. *Look*: [`is_finished`](Scheduler::is_finished), `queued`, `live`…. *Feed*:
//! [`handle`](Scheduler::handle) for what happened, [`note`](Scheduler::note) for what happened with something else,
//! [`wait_in_line`](Scheduler::wait_in_line) for a call from which nothing follows,
//! [`handle_timeout`](Scheduler::handle_timeout) for time that has passed. *Take out*: [`next_action`](Scheduler::next_action) for what must now be done, in order;
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
//! worker, and what is taken back from one changes sides in one step. Every phase of a worker but serving ends by
//! itself, by a timer, unless the pool's user gives it all the time that it may take to make itself ready; and in a
//! shutdown a worker serves no longer than there are calls. Whatever is tried again is
//! counted: launches that fail, tries of a call, deaths before a call began. Deadlines are compared, never elapsed
//! times, so a timer that has come is never computed to lie a rounding error ahead.
//!
//! # What an event costs
//!
//! A call and its answer cost the same whatever waits and however many workers there are: calls lie in slots, workers
//! in seats and in lists by what they hold (`loads`), and the backlog is a list through the slots. Only calls with
//! timers pay for timers. All workers are walked over when one of their timers comes, when one idles while calls lie
//! ready elsewhere (`recall`), and in what is rare: a resize, a shutdown, a call more urgent than all that lie ready.

mod asked;
mod backlog;
mod blame;
mod call;
mod calls;
mod dispatch;
mod ending;
mod event;
mod in_line;
mod loads;
mod look;
mod pace;
mod recall;
mod rules;
mod sizing;
mod worker;
mod workers;

#[cfg(test)]
pub(crate) mod sim;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use self::calls::{Call, Calls, earliest};
use self::ending::Doom;
pub(crate) use self::event::{Action, Event, Terms, Try, Why};
pub(crate) use self::rules::Rules;
use self::sizing::Sizing;
use self::workers::{Phase, Seat, Workers};
use crate::ids::{Attempt, CallKey, WorkerId};

/// The state machine; see the module.
#[derive(Debug)]
pub(crate) struct Scheduler {
    rules: Rules,
    calls: Calls,
    workers: Workers,
    sizing: Sizing,
    /// The priority of the calls that lie ready in workers, if any do: it is the same for all of them.
    level: i32,
    actions: VecDeque<Action>,
    shutdown: Option<Shutdown>,
    is_finished: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shutdown {
    Graceful,
    /// What has begun is finished, and nothing else.
    Interrupted,
    Forced,
}

impl Scheduler {
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            sizing: Sizing::new(rules.target, rules.spares),
            rules,
            calls: Calls::default(),
            workers: Workers::new(rules),
            level: 0,
            actions: VecDeque::new(),
            shutdown: None,
            is_finished: false,
        }
    }

    /// Takes in what happened. Actions are taken out with [`next_action`](Self::next_action).
    pub(crate) fn handle(&mut self, event: Event, now: Instant) {
        self.note(event, now);
        self.arrange(now);
    }

    /// Takes in one of several things that happened at once. What follows from all of them is found out by the next
    /// [`handle`](Self::handle) or [`handle_timeout`](Self::handle_timeout), one of which must come at the same moment.
    pub(crate) fn note(&mut self, event: Event, now: Instant) {
        match event {
            Event::Submitted { call, terms } => self.submitted(call, terms),
            Event::Cancelled { call } => self.end_early(call, Doom::Cancelled),
            Event::AskedToEnd { call, kill_at } => self.asked_to_end(call, kill_at),
            #[cfg(feature = "cluster")]
            Event::WantedBack { call } => self.wanted_back(call),
            Event::WorkerReady { worker } => self.worker_ready(worker, now),
            Event::GivenTime { worker, limit } => self.given_time(worker, limit, now),
            Event::LaunchFailed { worker } => self.worker_died(worker, None, now),
            Event::Progressed { worker, call, attempt } => self.progressed(worker, call, attempt, now),
            Event::Returned { worker, call, attempt } => self.returned(worker, call, attempt, now),
            Event::Recalled { worker, begun } => self.recalled(worker, begun, now),
            Event::WorkerDied { worker, begun } => self.worker_died(worker, begun, now),
            Event::LaunchCutShort { worker } => self.launch_cut_short(worker, now),
            Event::Outgrew { worker } => self.outgrew(worker, now),
            Event::Worn { worker } => self.worn(worker, now),
            Event::LinkClosed { worker } => self.link_closed(worker, now),
            Event::Resized { target } => self.sizing.resize(target),
            Event::WarmUpAsked => self.sizing.ask_warm_up(),
            Event::ShutdownAsked { forced } => self.shutdown_asked(forced, now),
            Event::Interrupted => self.interrupted(),
        }
    }

    /// Takes in that time has passed.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if self.workers.look_at().is_some_and(|at| at <= now) {
            while let Some((worker, phase)) = self.workers.due(now) {
                self.worker_due(worker, phase, now);
            }
        }
        self.arrange(now);
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next, if nothing else happens before. Sometimes that finds
    /// nothing to do.
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        earliest(earliest(self.calls.next_timer(), self.workers.look_at()), self.retry_at())
    }

    /// What must be done next.
    pub(crate) fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    fn submitted(&mut self, call: CallKey, terms: Terms) {
        match self.shutdown {
            Some(_) => self.settle(call, Why::ShutDown(None)),
            None => {
                self.sizing.wake();
                let items = if self.rules.calls_per_worker_max.is_some() { terms.items } else { 1 };
                self.calls.add(call, Terms { items, ..terms });
            }
        }
    }

    fn progressed(&mut self, worker: WorkerId, call: CallKey, attempt: Attempt, now: Instant) {
        let Some(seat) = self.awaited_from(worker, call, attempt) else { return };
        let worker = self.workers.at(seat);
        if worker.is_ready() && worker.is_at(call) {
            self.calls.start_clock(call, now);
        }
    }

    fn returned(&mut self, worker: WorkerId, call: CallKey, attempt: Attempt, now: Instant) {
        let Some(seat) = self.awaited_from(worker, call, attempt) else { return };
        let items = self.items_of(call);
        let was_first = self.workers.answered(seat, call, items, now);
        if let Some(ended) = self.calls.remove(call) {
            self.actions.push_back(match ended.doom().filter(|doom| doom.outdoes_answers()) {
                None => Action::Deliver { call },
                Some(doom) => Action::Settle { call, why: doom.once_begun(Try { worker, attempt }) },
            });
        }
        if was_first {
            self.go_on(seat, now);
        }
    }

    /// For how many calls it counts. Asked for with each answer, so where nobody counts it is not looked up.
    fn items_of(&self, call: CallKey) -> u32 {
        match self.rules.calls_per_worker_max {
            None => 1,
            Some(_) => self.calls.get(call).map_or(1, Call::items),
        }
    }

    /// Where the worker sits from which the answer to this attempt is awaited, if it is this one.
    fn awaited_from(&self, worker: WorkerId, call: CallKey, attempt: Attempt) -> Option<Seat> {
        let call = self.calls.get(call).filter(|call| call.attempt() == attempt)?;
        call.holder().filter(|&seat| self.workers.at(seat).id == worker)
    }

    /// The worker begins the first call that it holds now, or is free.
    fn go_on(&mut self, seat: Seat, now: Instant) {
        let worker = self.workers.at(seat);
        if !worker.is_ready() {
            return;
        }
        match worker.held.front() {
            Some(&next) if worker.is_at(next) => self.calls.start_clock(next, now),
            // It is known to be done, too.
            Some(_) => {}
            None if worker.is_worn(&self.rules) => self.stop(seat, now),
            None => self.workers.free(seat, self.rules.leave_at(now)),
        }
    }

    fn worker_due(&mut self, seat: Seat, phase: Phase, now: Instant) {
        match phase {
            Phase::Ready { .. } if self.may_stay() => self.workers.free(seat, None),
            Phase::Ready { .. } => {
                self.sizing.rest();
                self.stop(seat, now);
            }
            Phase::Stopping { .. } => self.kill(seat, now),
            Phase::Killed { .. } => self.abandon(self.workers.at(seat).id),
            Phase::Launching { .. } => self.give_up_launch(seat, now),
        }
    }

    fn shutdown_asked(&mut self, forced: bool, now: Instant) {
        if forced {
            self.shutdown = Some(Shutdown::Forced);
            self.end_all(now);
        } else {
            self.shutdown.get_or_insert(Shutdown::Graceful);
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
        if self.shutdown == Some(Shutdown::Interrupted) {
            self.end_waiting();
        }
        self.retire_surplus(now);
        self.dispatch(now);
        // Until it is known what comes back, nobody can say who is missing: the answer leads here again.
        if self.workers.recalling() == 0 {
            self.launch_missing(now);
            self.watch(now);
        }
        if self.shutdown.is_some() && self.calls.is_empty() && self.workers.is_empty() && !self.is_finished {
            self.is_finished = true;
            self.actions.push_back(Action::Finished);
        }
    }
}

#[cfg(any(test, fuzzing))]
impl Scheduler {
    /// Both sides of every reference agree.
    pub(crate) fn check(&self) {
        self.calls.check();
        self.workers.check();
        let mut held = 0;
        for (seat, worker) in self.workers.iter() {
            let owed: u64 = worker.held.iter().map(|&call| u64::from(self.items_of(call))).sum();
            assert_eq!(worker.owed(), owed, "what a worker owes are the items of what it holds");
            for (place, &key) in worker.held.iter().enumerate() {
                let call = self.calls.get(key).expect("what is held has not ended");
                assert_eq!(call.holder(), Some(seat), "a call names the worker that holds it");
                assert!(place < worker.started || call.priority() == self.level, "what lies ready is of one priority");
                held += 1;
            }
        }
        assert_eq!(held, self.calls.held(), "a worker holds the calls that name it");
    }
}

/// `now + wait`, or a century from now where that lies beyond what the clock can say.
fn later(now: Instant, wait: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    now.checked_add(wait).unwrap_or_else(|| now + CENTURY)
}
