//! What the users of a fake pool do, and what a confused driver might say: submits, cancels, resizes, warm-ups, the
//! shutdown, and events about what is long over.

use std::time::{Duration, Instant};

use super::super::{Event, Try};
use super::weather::Ending;
use super::world::{Happening, World};
use crate::ids::{Attempt, CallId, CallKey, WorkerId};

impl World {
    pub(super) fn deed(&mut self) {
        if self.deeds_left == 0 {
            return self.ask_shutdown();
        }
        self.deeds_left -= 1;
        let wait = self.dice.wait(0, self.weather.gap_ms);
        self.plan(Happening::Deed, wait);
        if self.dice.chance(self.weather.strays) {
            self.stray();
        } else if self.dice.chance(self.weather.cancels) {
            self.cancel();
        } else if self.dice.chance(self.weather.resizes) {
            let target = self.dice.below(6) as usize;
            self.feed(Event::Resized { target });
        } else if self.dice.chance(self.weather.warm_ups) {
            self.feed(Event::WarmUpAsked);
        } else {
            self.submit();
        }
    }

    pub(super) fn patience_ends(&mut self) {
        self.feed(Event::ShutdownAsked { forced: true });
    }

    /// By when `Finished` must be there, once a shutdown was asked for; `None` while that is up to the workers.
    pub(super) fn finish_by(&self) -> Option<Instant> {
        let asked = self.ledger.shutdown?;
        let rules = &self.weather.rules;
        let late = Duration::from_millis(self.weather.late_ms + 1);
        if asked.forced {
            return Some(asked.at + rules.kill_grace + 2 * late);
        }
        let deaths = Duration::from_millis(200) + Duration::from_micros(self.weather.latency_us);
        let launches = (rules.hello_limit + late) * (rules.launch_failures_max + 1);
        let leaving = rules.stop_grace + 2 * rules.kill_grace + 3 * late;
        self.is_silent.then(|| asked.at + deaths + launches + leaving)
    }

    fn submit(&mut self) {
        for _ in 0..=self.dice.below(4) / 3 * self.weather.crowd {
            let call =
                CallKey { id: CallId::from_raw(self.ledger.calls.len() as u64 + 1), slot: self.ledger.free_slot() };
            let terms = self.weather.terms(&mut self.dice, self.now);
            if terms.are_plain() && self.scheduler.would_only_wait() {
                self.wait_in_line(call, terms);
            } else {
                self.feed(Event::Submitted { call, terms });
            }
        }
    }

    /// Of any call, ended ones and unknown ones among them; mostly of one of the oldest that have not ended, since
    /// those are with the workers.
    fn cancel(&mut self) {
        let open = &self.ledger.open;
        let call = if !open.is_empty() && self.dice.chance(800) {
            self.ledger.calls[open[self.dice.below(open.len().min(6) as u64) as usize]].id
        } else {
            self.any_call()
        };
        if self.hears_in_rows {
            let older = self.ledger.open.iter().rev().take(4).map(|&open| self.ledger.calls[open].id);
            for call in older.collect::<Vec<_>>() {
                self.note(Event::Cancelled { call });
            }
        }
        if self.asks_first && self.dice.chance(700) {
            let kill_at = self.dice.chance(800).then(|| self.now + self.dice.wait(0, 100));
            return self.feed(Event::AskedToEnd { call, kill_at });
        }
        self.feed(Event::Cancelled { call });
    }

    fn ask_shutdown(&mut self) {
        if self.ledger.shutdown.is_some() {
            return;
        }
        let forced = matches!(self.weather.ending, Ending::Forced | Ending::Silence { forced: true });
        let is_interrupted = self.weather.is_interrupted && !forced;
        self.feed(if is_interrupted { Event::Interrupted } else { Event::ShutdownAsked { forced } });
        if self.weather.ending == Ending::Patience {
            let wait = self.dice.wait(0, 400);
            self.plan(Happening::PatienceEnds, wait);
        }
        if matches!(self.weather.ending, Ending::Silence { .. }) {
            return self.fall_silent();
        }
        self.deeds_left = self.weather.deeds_after;
        self.plan(Happening::Deed, Duration::ZERO);
    }

    /// Any call that there ever was, and ones that never were, too; where it once lay, another may lie now.
    fn any_call(&mut self) -> CallKey {
        let number = self.dice.below(self.ledger.calls.len() as u64 + 2);
        let known = number.checked_sub(1).and_then(|place| self.ledger.calls.get(place as usize));
        known.map_or(CallKey { id: CallId::from_raw(number), slot: number as u32 / 2 }, |call| call.id)
    }

    /// An event that is about nothing any more, or never was: it must change nothing.
    fn stray(&mut self) {
        let place = self.dice.below(self.ledger.workers.len() as u64 + 1);
        let call = self.any_call();
        let (worker, attempt) = self.any_try(call, WorkerId(place));
        let record = self.ledger.workers.get(worker.0 as usize);
        let is_gone = record.is_none_or(|record| record.is_gone());
        let is_launching = record.is_some_and(|record| record.is_launching());
        let is_current = self.ledger.is_current(worker, call, attempt).is_some();
        match self.dice.below(8) {
            0..=2 if !is_current => self.feed(Event::Returned { worker, call, attempt }),
            3 if !is_current => self.feed(Event::Progressed { worker, call, attempt }),
            4 if !is_launching => self.feed(Event::WorkerReady { worker }),
            5 if is_gone => self.feed(Event::WorkerDied { worker, begun: Some(call) }),
            6 if is_gone => self.feed(Event::LinkClosed { worker }),
            7 => self.feed(Event::Recalled { worker, begun: Some(call) }),
            _ => self.feed(Event::LaunchFailed { worker: WorkerId(u64::MAX) }),
        }
    }

    /// A try that was once made of the call, or one that never was.
    fn any_try(&mut self, call: CallKey, other: WorkerId) -> (WorkerId, Attempt) {
        let tries = self.ledger.find(call).map_or(&[][..], |place| &self.ledger.calls[place].tries);
        if !tries.is_empty() && self.dice.chance(700) {
            let Try { worker, attempt } = tries[self.dice.below(tries.len() as u64) as usize];
            return (worker, attempt);
        }
        (other, (0..self.dice.below(3)).fold(Attempt::FIRST, |attempt, _| attempt.next()))
    }
}
