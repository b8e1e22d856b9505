//! What each worker runs for its pool: the initializers before it serves, the finalizers before it leaves.
//!
//! One at a time: the next one is sent when the answer to the one before is there, so none runs after one that has
//! failed, and each has a clock of its own. To the worker they are calls like any other. To the scheduler a worker that
//! initializes is still being launched, and one that finalizes is leaving; it is told only how long that may take.
//!
//! An initializer that fails costs its worker, and counts as a launch that has failed. Whoever waits for a worker in
//! vain is told of it. A finalizer that fails costs nothing; its error is handed on as its value would be.

mod faults;
#[cfg(all(test, not(loom)))]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use self::faults::Fault;
use super::Driver;
use super::background::Chore;
use super::callbacks::Callback;
use super::clock;
use super::inner::Inner;
use crate::config::STOP_GRACE;
use crate::errand::{Answer, Errand, Initializer, is_plainly_good};
use crate::error::Error;
use crate::ids::WorkerId;
use crate::scheduler::Event;
use crate::sys::process::Exit;
use crate::transport::payload::Payload;
use crate::wire::message::{self, Failure};

/// What a worker has been given to run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    which: Which,
    limit: Option<Duration>,
    /// When the limit comes.
    until: Option<Instant>,
}

/// By its place in the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Initializer(usize),
    Finalizer(usize),
}

/// The answer of an initializer, which somebody must read who may run what users wrote.
#[derive(Debug)]
pub(super) struct Unjudged {
    worker: WorkerId,
    place: usize,
    initializer: Initializer,
    answer: Payload,
}

impl Turn {
    fn new(which: Which, limit: Option<Duration>, now: Instant) -> Self {
        Self { which, limit, until: limit.and_then(|limit| now.checked_add(limit)) }
    }

    fn is_over(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

impl Driver {
    pub(super) fn judge(&self, unjudged: Unjudged) {
        let Unjudged { worker, place, initializer, answer } = unjudged;
        let verdict = (initializer.judge)(&answer);
        self.act(|inner, now| inner.judged(worker, place, verdict, now));
    }
}

impl Inner {
    /// Has the worker run initializer number `place`; without one it is ready.
    pub(super) fn initialize(&mut self, worker: WorkerId, place: usize, now: Instant) {
        match self.settings.initializers.get(place) {
            Some(initializer) => {
                let errand = initializer.errand.clone();
                let limit = errand.limit().or(self.settings.timeout);
                self.begin_turn(worker, &errand, Turn::new(Which::Initializer(place), limit, now), now);
                self.perform_all();
            }
            None => {
                self.launch_failure = None;
                self.initializer_failure = None;
                self.note_ready(worker);
                self.feed(Event::WorkerReady { worker }, now);
            }
        }
    }

    /// The worker shall leave.
    pub(super) fn stop(&mut self, worker: WorkerId) {
        self.note_stopped(worker);
        self.finalize(worker, self.settings.finalizers.len(), clock::now());
    }

    /// Has the worker run the last of the first `left` finalizers; without one it leaves. Called in the middle of what
    /// the scheduler wants done.
    fn finalize(&mut self, worker: WorkerId, left: usize, now: Instant) {
        let Some(place) = left.checked_sub(1) else {
            self.look_away(worker);
            return self.say(worker, message::stop(), &[]);
        };
        let errand = self.settings.finalizers[place].errand.clone();
        let limit = errand.limit().unwrap_or(STOP_GRACE);
        self.begin_turn(worker, &errand, Turn::new(Which::Finalizer(place), Some(limit), now), now);
    }

    fn begin_turn(&mut self, worker: WorkerId, errand: &Errand, turn: Turn, now: Instant) {
        let Some(given) = self.workers.get_mut(&worker) else { return };
        given.turn = Some(turn);
        self.dispatch_errand(errand, worker);
        self.scheduler.handle(Event::GivenTime { worker, limit: turn.limit }, now);
    }

    /// The worker has answered what it was given to run for the pool.
    pub(super) fn turn_answered(&mut self, worker: WorkerId, answer: Result<Answer, Failure>, now: Instant) {
        let Some(turn) = self.turn_of(worker) else { return };
        match (turn.which, answer) {
            (Which::Initializer(place), Ok((answer, _))) if is_plainly_good(&answer) => {
                self.judged(worker, place, Ok(()), now)
            }
            (Which::Initializer(place), Ok((answer, _))) => {
                let initializer = self.settings.initializers[place].clone();
                self.outbox.chores.push(Chore::Judge(Box::new(Unjudged { worker, place, initializer, answer })));
            }
            (Which::Initializer(place), Err(why)) => self.initializer_failed(worker, place, &Fault::Told(why), now),
            (Which::Finalizer(place), answer) => {
                let result = answer.map_err(|why| faults::of_finalizer(self, worker, place, &Fault::Told(why)));
                self.finalized(worker, place, result, now);
            }
        }
    }

    fn judged(&mut self, worker: WorkerId, place: usize, verdict: Result<(), String>, now: Instant) {
        // It may have died meanwhile, or been killed.
        if self.turn_of(worker).is_none_or(|turn| turn.which != Which::Initializer(place)) {
            return;
        }
        self.end_turn(worker);
        match verdict.map_err(Fault::Returned).and_then(|()| self.leaves_room(worker)) {
            Ok(()) => self.initialize(worker, place + 1, now),
            Err(why) => self.initializer_failed(worker, place, &why, now),
        }
    }

    /// What an initializer leaves behind, the worker has for all its life; a call must not be blamed for that.
    fn leaves_room(&mut self, worker: WorkerId) -> Result<(), Fault> {
        match self.look_at_once(worker) {
            Some(bytes) => Err(Fault::Outgrew(bytes)),
            None => Ok(()),
        }
    }

    /// Calls run only in workers in which all initializers have succeeded; so this one goes.
    fn initializer_failed(&mut self, worker: WorkerId, place: usize, fault: &Fault, now: Instant) {
        self.end_turn(worker);
        self.hear_all_output(worker);
        self.initializer_failure = Some(faults::of_initializer(self, worker, place, fault));
        self.give_up(worker, now);
    }

    /// The next one; also in a worker that is dead, which then has begun none.
    fn finalized(&mut self, worker: WorkerId, place: usize, result: Result<Answer, Error>, now: Instant) {
        self.end_turn(worker);
        let told = Arc::clone(&self.settings.finalizers[place].told);
        self.call_back(Box::new(move || told(result)));
        if self.workers.get(&worker).is_none_or(|worker| worker.is_killed) {
            return;
        }
        self.finalize(worker, place, now);
        if place == 0 {
            self.scheduler.handle(Event::GivenTime { worker, limit: None }, now);
        }
        self.perform_all();
    }

    /// The worker is about to be killed. Its initializer is given up with it, and those who wait for a worker may be
    /// told at once; what becomes of a finalizer is told when the worker is dead.
    pub(super) fn turn_given_up(&mut self, worker: WorkerId, now: Instant) {
        let Some(turn) = self.turn_of(worker) else { return };
        if let Which::Initializer(place) = turn.which {
            let fault = match (self.too_much(worker), turn.limit.filter(|_| turn.is_over(now))) {
                (Some(bytes), _) => Fault::Outgrew(bytes),
                (None, Some(limit)) => Fault::RanTooLong(limit),
                (None, None) => Fault::Closed,
            };
            self.end_turn(worker);
            self.hear_all_output(worker);
            self.initializer_failure = Some(faults::of_initializer(self, worker, place, &fault));
        }
    }

    /// The worker is dead, and all that it had answered has been heard.
    pub(super) fn turn_cut_short(&mut self, worker: WorkerId, exit: Exit, now: Instant) {
        let Some(turn) = self.turn_of(worker) else { return };
        self.end_turn(worker);
        match turn.which {
            Which::Initializer(place) => {
                self.initializer_failure = Some(faults::of_initializer(self, worker, place, &Fault::Died(exit)));
            }
            Which::Finalizer(place) => {
                let fault = match (self.too_much(worker), turn.limit.filter(|_| turn.is_over(now))) {
                    _ if !self.workers.get(&worker).is_some_and(|worker| worker.is_killed) => Fault::Died(exit),
                    (Some(bytes), _) => Fault::Outgrew(bytes),
                    (None, Some(limit)) => Fault::RanTooLong(limit),
                    (None, None) => Fault::ShutDown,
                };
                let why = faults::of_finalizer(self, worker, place, &fault);
                let why = if self.has_begun(worker) { why.having_run() } else { why };
                let told = Arc::clone(&self.settings.finalizers[place].told);
                self.call_back(Box::new(move || told(Err(why))));
            }
        }
    }

    /// The end of the pool: nobody waits any more for workers whose death was not seen.
    pub(super) fn turns_are_over(&mut self, now: Instant) {
        let left: Vec<_> = self.workers.keys().copied().collect();
        left.into_iter().for_each(|worker| self.turn_cut_short(worker, Exit::Unknown, now));
    }

    /// Whether the worker has begun what it was given last.
    fn has_begun(&self, worker: WorkerId) -> bool {
        let body = self.workers.get(&worker).and_then(|worker| worker.body.as_ref());
        body.is_some_and(|body| body.given.begun(body.page.begun()).is_some())
    }

    fn turn_of(&self, worker: WorkerId) -> Option<Turn> {
        self.workers.get(&worker)?.turn
    }

    fn end_turn(&mut self, worker: WorkerId) {
        if let Some(worker) = self.workers.get_mut(&worker) {
            worker.turn = None;
        }
    }

    /// Runs it off the pool's own paths, and before the pool has ended.
    fn call_back(&mut self, callback: Callback) {
        self.outbox.callbacks.extend(self.callbacks.queue(callback).err());
    }
}
