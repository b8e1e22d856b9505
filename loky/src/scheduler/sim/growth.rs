//! What memory does to the fake workers: some are seen to use too much, and some say that they are to be replaced.

use std::time::Duration;

use super::super::Event;
use super::world::{Happening, World};
use crate::ids::WorkerId;

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
