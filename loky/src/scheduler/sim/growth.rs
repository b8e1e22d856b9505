//! What memory does to the fake workers: some are seen to use too much, and some say that they are to be replaced. And
//! what the ledger knows of that.

use std::time::{Duration, Instant};

use super::super::Event;
use super::ledger::{CallRecord, Ledger, Stage};
use super::world::{Happening, World};
use crate::ids::{CallKey, WorkerId};

/// How often in a thousand, where memory grows at all.
const ODDS: u64 = 120;

impl World {
    /// Whether the memory of a worker now grows beyond what it may have. Throws no dice where none does.
    pub(super) fn grows(&mut self) -> bool {
        self.has_growth && self.dice.chance(ODDS)
    }

    /// It may be dead already, or be killed for something else.
    pub(super) fn outgrows(&mut self, worker: usize) {
        self.feed(Event::Outgrew { worker: WorkerId(worker as u64) });
    }

    /// It says so after its last answer, which is `wait` away.
    pub(super) fn wears(&mut self, worker: usize, wait: Duration) {
        self.workers[worker].is_worn = true;
        self.workers[worker].inbox.clear();
        self.plan(Happening::WornArrives(worker), wait);
    }

    /// The same between two items of the call that it runs.
    pub(super) fn gives_up(&mut self, worker: usize) {
        let Some((call, _)) = self.workers[worker].running.take() else { return };
        self.workers[worker].given_up = Some(call);
        self.ledger.given_up(call, worker);
        let wait = self.dice.moment(self.weather.latency_us);
        self.wears(worker, wait);
    }

    pub(super) fn worn_arrives(&mut self, worker: usize) {
        self.read_all(worker);
        // What it was sent meanwhile it will not begin either.
        self.workers[worker].inbox.clear();
        if !self.workers[worker].is_link_closed {
            self.feed(Event::Worn { worker: WorkerId(worker as u64) });
        }
    }
}

impl Ledger {
    /// The scheduler is about to be told that the worker uses too much memory.
    pub(super) fn outgrew(&mut self, worker: usize) {
        let Some(record) = self.workers.get_mut(worker) else { return };
        record.has_outgrown = true;
        if record.stage != Stage::Ready {
            return;
        }
        for &call in &record.held {
            self.calls[call].outgrew = true;
        }
    }

    /// The scheduler is about to be told that the worker begins nothing more.
    pub(super) fn worn(&mut self, worker: usize, now: Instant) {
        let Some(record) = self.workers.get_mut(worker).filter(|record| record.stage == Stage::Ready) else { return };
        (record.is_worn, record.started, record.answers, record.since) = (true, 0, 0, now);
        for call in std::mem::take(&mut record.held) {
            let is_overrun = self.has_only_overrun(call, now);
            assert!(self.calls[call].runner != Some(worker), "what runs is not taken back");
            self.calls[call].taken_back(is_overrun);
        }
    }

    /// The worker gives back the call that it runs, between two items: what is left of it has not begun.
    pub(super) fn given_up(&mut self, id: CallKey, worker: usize) {
        self.runs_no_more(id, worker);
        if let Some(place) = self.find(id) {
            self.calls[place].begun -= 1;
        }
    }
}

impl CallRecord {
    /// The same, where its worker is killed for its memory already: it may still answer, but no other reason is new.
    pub(super) fn must_end_all_the_same(&self, now: Instant) -> bool {
        let is_late = self.terms.deadline.is_some_and(|at| at <= now);
        let is_given_up = self.is_cancelled || self.is_asked_in_vain(now);
        is_given_up || is_late || (self.is_overrun(now) && !self.outgrew)
    }
}
