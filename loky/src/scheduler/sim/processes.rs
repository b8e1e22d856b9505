//! The fake worker processes: what each does with what it is given, and how it fails.

use std::collections::VecDeque;
use std::time::Duration;

use super::super::Event;
use super::world::{Happening, World};
use crate::ids::{Attempt, CallKey, WorkerId};

/// What a worker process is and has.
#[derive(Debug, Default)]
pub(super) struct FakeWorker {
    pub(super) is_alive: bool,
    pub(super) is_link_closed: bool,
    /// What it has still to do before it serves or leaves, the thing that it does now among it.
    errands: u32,
    is_leaving: bool,
    pub(super) inbox: VecDeque<(CallKey, Attempt)>,
    pub(super) running: Option<(CallKey, Attempt)>,
    begun: Option<CallKey>,
    /// It is to be replaced: it begins nothing more.
    pub(super) is_worn: bool,
    /// The call that it gave back between two items.
    pub(super) given_up: Option<CallKey>,
    /// Answers that the driver has not read yet.
    pub(super) sent: VecDeque<(CallKey, Attempt)>,
}

impl World {
    pub(super) fn launch(&mut self, worker: usize) {
        self.workers.push(FakeWorker { is_alive: true, ..FakeWorker::default() });
        let wait = self.dice.wait(0, self.weather.launch_ms);
        if self.dice.chance(self.weather.launch_fails) {
            self.plan(Happening::LaunchFails(worker), wait);
        } else if self.dice.chance(self.weather.closes_before_hello) {
            self.plan(Happening::ClosesLink(worker), wait);
            self.plan(Happening::Dies(worker), wait);
        } else if !self.dice.chance(self.weather.says_no_hello) {
            self.plan(Happening::SaysHello(worker), wait);
        }
        if self.dice.chance(self.weather.dies_idle) {
            let wait = self.dice.wait(0, 200);
            self.plan(Happening::Dies(worker), wait);
        }
    }

    pub(super) fn kill(&mut self, worker: usize) {
        let mut wait = self.dice.wait(0, self.weather.kill_ms);
        if self.dice.chance(self.weather.survives_kill) {
            if self.dice.chance(500) {
                return;
            }
            wait += self.weather.rules.kill_grace;
        }
        self.plan(Happening::Dies(worker), wait);
    }

    pub(super) fn launch_fails(&mut self, worker: usize) {
        if std::mem::take(&mut self.workers[worker].is_alive) {
            self.feed(Event::LaunchFailed { worker: id(worker) });
        }
    }

    pub(super) fn says_hello(&mut self, worker: usize) {
        if !self.workers[worker].is_alive {
            return;
        }
        self.workers[worker].errands = self.weather.errands;
        if self.weather.errands > 0 {
            let limit = self.begin_errand(worker);
            return self.feed(Event::GivenTime { worker: id(worker), limit });
        }
        self.is_ready(worker);
    }

    /// It begins something that it does before it serves or leaves. Returns how long that may take.
    fn begin_errand(&mut self, worker: usize) -> Option<Duration> {
        let wait = self.dice.wait(0, self.weather.errand_ms);
        if self.dice.chance(self.weather.errand_fails) {
            // A driver that hears of a failure takes the worker for lost.
            if !self.workers[worker].is_leaving {
                self.plan(Happening::ClosesLink(worker), wait);
            }
            self.plan(Happening::Dies(worker), wait);
        } else if !self.dice.chance(self.weather.errand_hangs) {
            self.plan(Happening::IsThroughErrand(worker), wait);
        }
        if self.grows() {
            self.plan(Happening::Outgrows(worker), wait / 2);
        }
        self.dice.chance(500).then(|| self.dice.wait(1, self.weather.errand_ms))
    }

    pub(super) fn is_through_errand(&mut self, worker: usize) {
        let fake = &mut self.workers[worker];
        if !fake.is_alive {
            return;
        }
        fake.errands -= 1;
        match (fake.errands, fake.is_leaving) {
            (0, false) => self.is_ready(worker),
            (0, true) => {
                self.feed(Event::GivenTime { worker: id(worker), limit: None });
                self.leaves(worker);
            }
            _ => {
                let limit = self.begin_errand(worker);
                self.feed(Event::GivenTime { worker: id(worker), limit });
            }
        }
    }

    pub(super) fn stop(&mut self, worker: usize) {
        if self.weather.errands == 0 || self.is_silent {
            return self.leaves(worker);
        }
        (self.workers[worker].errands, self.workers[worker].is_leaving) = (self.weather.errands, true);
        let limit = self.begin_errand(worker);
        self.tell_aside(Event::GivenTime { worker: id(worker), limit });
    }

    fn leaves(&mut self, worker: usize) {
        if !self.dice.chance(self.weather.ignores_stop) {
            let wait = self.dice.wait(0, self.weather.leave_ms);
            self.plan(Happening::Dies(worker), wait);
        }
    }

    fn is_ready(&mut self, worker: usize) {
        self.feed(Event::WorkerReady { worker: id(worker) });
        if self.dice.chance(self.weather.closes_link) {
            let wait = self.dice.wait(0, 200);
            self.plan(Happening::ClosesLink(worker), wait);
        }
        if self.grows() {
            let wait = self.dice.wait(0, 200);
            self.plan(Happening::Outgrows(worker), wait);
        }
    }

    pub(super) fn plan_next(&mut self, worker: usize) {
        let fake = &self.workers[worker];
        if fake.is_alive && fake.running.is_none() && !fake.inbox.is_empty() {
            let wait = self.dice.moment(self.weather.latency_us);
            self.plan(Happening::Begins(worker), wait);
        }
    }

    pub(super) fn begins(&mut self, worker: usize) {
        let fake = &mut self.workers[worker];
        if !fake.is_alive || fake.is_worn || fake.running.is_some() || fake.inbox.is_empty() {
            return;
        }
        if self.dice.chance(self.weather.dies_before_it_begins) {
            return self.dies(worker);
        }
        if self.dice.chance(self.weather.freezes) {
            return;
        }
        fake.running = fake.inbox.pop_front();
        let (call, _) = fake.running.expect("the inbox was not empty");
        fake.begun = Some(call);
        self.ledger.begun(call, worker);
        self.plan_fate(worker);
    }

    /// How the call that the worker has just begun will go.
    fn plan_fate(&mut self, worker: usize) {
        let wait = self.dice.moment(self.weather.run_us);
        if self.dice.chance(self.weather.dies_while_it_runs) {
            self.plan(Happening::Dies(worker), wait);
        } else if !self.dice.chance(self.weather.hangs) {
            self.plan(Happening::Answers(worker), wait);
        }
        if self.dice.chance(self.weather.makes_progress) {
            self.plan(Happening::MakesProgress(worker), wait / 2);
        }
        if self.grows() {
            self.plan(Happening::Outgrows(worker), wait / 2);
        }
    }

    /// What it has not begun is taken back: it will skip that. Tells what it has begun last.
    pub(super) fn gives_back(&mut self, worker: usize) -> Option<CallKey> {
        self.workers[worker].inbox.clear();
        self.workers[worker].begun
    }

    /// Some heed it, and some do not.
    pub(super) fn is_asked_to_end(&mut self, worker: usize) {
        if self.dice.chance(500) {
            let wait = self.dice.moment(self.weather.run_us);
            self.plan(Happening::Answers(worker), wait);
        }
    }

    pub(super) fn makes_progress(&mut self, worker: usize) {
        let Some((call, attempt)) = self.workers[worker].running else { return };
        if self.grows() {
            return self.gives_up(worker);
        }
        if !self.workers[worker].is_link_closed {
            self.feed(Event::Progressed { worker: id(worker), call, attempt });
        }
    }

    pub(super) fn answers(&mut self, worker: usize) {
        let fake = &mut self.workers[worker];
        let Some(answer) = fake.running.take() else { return };
        self.ledger.runs_no_more(answer.0, worker);
        let fake = &mut self.workers[worker];
        if !fake.is_link_closed {
            fake.sent.push_back(answer);
        }
        let wait = self.dice.moment(self.weather.latency_us);
        self.plan(Happening::AnswerArrives(worker), wait);
        if self.dice.chance(self.weather.dies_after_its_answer) {
            return self.dies(worker);
        }
        if self.grows() {
            return self.wears(worker, wait);
        }
        self.plan_next(worker);
    }

    pub(super) fn answer_arrives(&mut self, worker: usize) {
        while let Some((call, attempt)) = self.workers[worker].sent.pop_front() {
            let event = Event::Returned { worker: id(worker), call, attempt };
            if !self.hears_in_rows || self.workers[worker].sent.is_empty() {
                return self.feed(event);
            }
            self.note(event);
        }
    }

    /// What was written before the end of the file is read before it.
    pub(super) fn closes_link(&mut self, worker: usize) {
        let fake = &mut self.workers[worker];
        if !fake.is_alive || std::mem::replace(&mut fake.is_link_closed, true) {
            return;
        }
        self.read_all(worker);
        self.feed(Event::LinkClosed { worker: id(worker) });
    }

    pub(super) fn dies(&mut self, worker: usize) {
        if std::mem::take(&mut self.workers[worker].is_alive) {
            if let Some((call, _)) = self.workers[worker].running.take() {
                self.ledger.runs_no_more(call, worker);
            }
            let wait = self.dice.moment(self.weather.latency_us);
            self.plan(Happening::DeathIsSeen(worker), wait);
        }
    }

    pub(super) fn death_is_seen(&mut self, worker: usize) {
        self.read_all(worker);
        let FakeWorker { begun, given_up, .. } = self.workers[worker];
        // It was between two items then.
        let begun = begun.filter(|_| begun != given_up);
        self.feed(Event::WorkerDied { worker: id(worker), begun });
    }

    pub(super) fn read_all(&mut self, worker: usize) {
        while !self.workers[worker].sent.is_empty() {
            self.answer_arrives(worker);
        }
    }
}

const fn id(worker: usize) -> WorkerId {
    WorkerId(worker as u64)
}
