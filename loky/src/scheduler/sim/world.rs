//! A world: a virtual clock, fake worker processes and a driver that is as plain as can be.
//!
//! Everything that will happen lies on an agenda, in the order of its time. A step takes the next thing from it, or
//! tells the scheduler the time if a timer comes first, and then does what the scheduler wants done. The driver keeps
//! the two rules of the real one: all that a worker has written is read before its death is told, and a death is told
//! once.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use super::super::{Action, Event, Scheduler, Terms};
use super::ledger::Ledger;
use super::processes::FakeWorker;
use super::tally::{Sight, Tally};
use super::weather::{Novelties, Weather};
use crate::ids::{CallKey, WorkerId};
use crate::worlds::Dice;

/// One simulated program: its users, its driver, its workers.
#[derive(Debug)]
pub(super) struct World {
    pub(super) dice: Dice,
    pub(super) weather: Weather,
    pub(super) scheduler: Scheduler,
    pub(super) ledger: Ledger,
    pub(super) now: Instant,
    pub(super) deeds_left: u64,
    pub(super) tally: Tally,
    pub(super) is_silent: bool,
    /// Whether all that a worker has answered is heard at once.
    pub(super) hears_in_rows: bool,
    /// Whether the memory of workers grows, now and then beyond what they may have.
    pub(super) has_growth: bool,
    /// Whether some are asked to end by themselves.
    pub(super) asks_first: bool,
    began: Instant,
    pub(super) workers: Vec<FakeWorker>,
    agenda: BinaryHeap<Reverse<(Instant, u64, Happening)>>,
    planned: u64,
    /// How late the driver will be when the next timer comes.
    lateness: Duration,
    timeouts_in_a_row: u32,
    is_told: bool,
}

/// What may lie on the agenda. A number names a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Happening {
    /// A user, or a bug of the driver, does something.
    Deed,
    /// Patience with a graceful shutdown is at its end.
    PatienceEnds,
    LaunchFails(usize),
    SaysHello(usize),
    IsThroughErrand(usize),
    Begins(usize),
    MakesProgress(usize),
    Answers(usize),
    AnswerArrives(usize),
    Outgrows(usize),
    WornArrives(usize),
    ClosesLink(usize),
    Dies(usize),
    DeathIsSeen(usize),
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let weather = Weather::draw(&mut dice, Novelties::of(seed));
        let now = Instant::now();
        let mut world = Self {
            scheduler: Scheduler::new(weather.rules),
            ledger: Ledger::new(weather.rules),
            now,
            began: now,
            deeds_left: weather.deeds,
            tally: Tally::default(),
            is_silent: false,
            // Not in the worlds that are kept, which would be others.
            hears_in_rows: seed % 7 == 1,
            has_growth: matches!(seed % 13, 4 | 8 | 11),
            asks_first: matches!(seed % 13, 4 | 8 | 11),
            workers: Vec::new(),
            agenda: BinaryHeap::new(),
            planned: 0,
            lateness: Duration::ZERO,
            timeouts_in_a_row: 0,
            is_told: false,
            dice,
            weather,
        };
        world.plan(Happening::Deed, Duration::ZERO);
        world
    }

    /// Prints all that happens.
    pub(super) fn tell(&mut self) {
        self.is_told = true;
        println!("{:#?}", self.weather);
    }

    /// One thing happens. False when nothing will happen any more.
    pub(super) fn step(&mut self) -> bool {
        self.tally.saw(Sight::Step);
        let timer = self.scheduler.next_timeout().map(|at| self.now.max(at + self.lateness));
        let planned = self.agenda.peek().map(|Reverse((at, ..))| *at);
        match (timer, planned) {
            (None, None) => return false,
            (Some(timer), planned) if planned.is_none_or(|at| timer <= at) => self.time_passes(timer),
            _ => {
                let Reverse((at, _, happening)) = self.agenda.pop().expect("it was there a moment ago");
                self.now = self.now.max(at);
                self.happen(happening);
            }
        }
        true
    }

    pub(super) fn plan(&mut self, happening: Happening, wait: Duration) {
        self.planned += 1;
        self.agenda.push(Reverse((self.now + wait, self.planned, happening)));
    }

    /// From now on nothing happens but deaths and time.
    pub(super) fn fall_silent(&mut self) {
        self.is_silent = true;
        for worker in 0..self.workers.len() {
            self.workers[worker].sent.clear();
            let wait = self.dice.wait(0, 200);
            self.plan(Happening::Dies(worker), wait);
        }
    }

    /// Tells the scheduler what happened, and does what it then wants done.
    pub(super) fn feed(&mut self, event: Event) {
        if self.is_told {
            println!("{:>9} us  {event:?}", (self.now - self.began).as_micros());
        }
        self.timeouts_in_a_row = 0;
        self.ledger.told(&event, self.now);
        self.ledger.note_surplus();
        self.scheduler.handle(event, self.now);
        self.perform_all();
        self.audit(self.slack());
    }

    /// A call comes from which nothing follows: had all been arranged anew, nothing would have happened either.
    pub(super) fn wait_in_line(&mut self, call: CallKey, terms: Terms) {
        if self.is_told {
            println!("{:>9} us  {call} waits", (self.now - self.began).as_micros());
        }
        self.ledger.told(&Event::Submitted { call, terms }, self.now);
        self.ledger.note_surplus();
        let is_due = self.scheduler.next_timeout().is_some_and(|at| at <= self.now);
        self.scheduler.wait_in_line(call);
        assert_eq!(self.scheduler.next_action(), None, "a call that only waits asks for nothing");
        if !is_due {
            self.scheduler.handle_timeout(self.now);
            assert_eq!(self.scheduler.next_action(), None, "nothing follows from a call that only waits");
            self.audit(self.slack());
        }
    }

    /// The same for one of several things that happen at once.
    pub(super) fn note(&mut self, event: Event) {
        if self.is_told {
            println!("{:>9} us  {event:?}, and at once", (self.now - self.began).as_micros());
        }
        self.ledger.told(&event, self.now);
        self.scheduler.note(event, self.now);
        self.perform_all();
    }

    fn time_passes(&mut self, at: Instant) {
        self.now = at;
        if self.is_told {
            println!("{:>9} us", (self.now - self.began).as_micros());
        }
        self.lateness = self.dice.wait(0, self.weather.late_ms);
        self.timeouts_in_a_row += 1;
        assert!(self.timeouts_in_a_row < 1000, "a timer fires for ever");
        self.ledger.told_time(self.now);
        self.ledger.note_surplus();
        self.scheduler.handle_timeout(self.now);
        let recalls = self.tally.of(Sight::Recall);
        self.perform_all();
        // A recall may leave a worker with nothing to do, and with a timer that comes at once.
        let slack = if self.tally.of(Sight::Recall) == recalls { Duration::ZERO } else { self.slack() };
        self.audit(slack);
        let moves_on = self.scheduler.next_timeout().is_none_or(|next| next > self.now);
        let is_over_at_once =
            self.ledger.has_call_over_at_once() || self.weather.rules.idle_timeout.is_some_and(|wait| wait.is_zero());
        assert!(moves_on || is_over_at_once, "a timer stands still");
    }

    /// The scheduler's own books are many; a look now and again must do.
    fn audit(&mut self, slack: Duration) {
        self.ledger.audit(&self.scheduler, self.now, slack);
        if self.tally.of(Sight::Step) % 4 == 0 {
            self.scheduler.check();
        }
    }

    /// How late the scheduler may learn that a timer has come: something else may happen at the same moment.
    fn slack(&self) -> Duration {
        Duration::from_millis(self.weather.late_ms + 1)
    }

    fn perform_all(&mut self) {
        while let Some(action) = self.scheduler.next_action() {
            if self.is_told {
                println!("{:>9}      → {action:?}", "");
            }
            self.tally.saw_action(&action, &self.ledger);
            self.ledger.wanted(&action, self.now);
            self.perform(&action);
        }
    }

    fn perform(&mut self, action: &Action) {
        match *action {
            Action::Launch { worker } => self.launch(worker.0 as usize),
            Action::Dispatch { call, attempt, worker } => {
                let worker = worker.0 as usize;
                self.workers[worker].inbox.push_back((call, attempt));
                self.plan_next(worker);
            }
            Action::Stop { worker } => self.stop(worker.0 as usize),
            Action::AskToEnd { worker, .. } => self.is_asked_to_end(worker.0 as usize),
            Action::Kill { worker } => self.kill(worker.0 as usize),
            Action::Deliver { call } | Action::Settle { call, .. } => {
                assert_eq!(self.scheduler.has_started(call), None)
            }
            Action::Recall { worker } => self.recall(worker),
            Action::Warmed | Action::Finished => {}
        }
    }

    /// Told in the middle of what the scheduler wants done.
    pub(super) fn tell_aside(&mut self, event: Event) {
        if self.is_told {
            println!("{:>9}        {event:?}", "");
        }
        self.ledger.told(&event, self.now);
        self.scheduler.handle(event, self.now);
    }

    /// Answered at once, before anything else that the scheduler wants is done.
    fn recall(&mut self, worker: WorkerId) {
        let begun = self.gives_back(worker.0 as usize);
        let event = Event::Recalled { worker, begun };
        self.tally.saw_recalled(worker, begun, &self.ledger);
        self.tell_aside(event);
    }

    fn happen(&mut self, happening: Happening) {
        if self.is_silent && !matches!(happening, Happening::Dies(_) | Happening::DeathIsSeen(_)) {
            return;
        }
        match happening {
            Happening::Deed => self.deed(),
            Happening::PatienceEnds => self.patience_ends(),
            Happening::LaunchFails(worker) => self.launch_fails(worker),
            Happening::SaysHello(worker) => self.says_hello(worker),
            Happening::IsThroughErrand(worker) => self.is_through_errand(worker),
            Happening::Begins(worker) => self.begins(worker),
            Happening::MakesProgress(worker) => self.makes_progress(worker),
            Happening::Answers(worker) => self.answers(worker),
            Happening::Outgrows(worker) => self.outgrows(worker),
            Happening::WornArrives(worker) => self.worn_arrives(worker),
            Happening::AnswerArrives(worker) => self.answer_arrives(worker),
            Happening::ClosesLink(worker) => self.closes_link(worker),
            Happening::Dies(worker) => self.dies(worker),
            Happening::DeathIsSeen(worker) => self.death_is_seen(worker),
        }
    }
}
