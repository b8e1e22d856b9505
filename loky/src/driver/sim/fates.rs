//! What befalls the workers that are played: when each takes its next step, and how it fails.

use std::time::Duration;

use super::ledger::{ItemRecord, place_of};
use super::puppet::{Looked, Puppet, Stage, Work};
use super::tally::Sight;
use super::weather::LAST;
use super::world::{Happening, World};
use crate::config::KILL_GRACE;
use crate::driver::background::Launch;
use crate::ids::WorkerId;
use crate::sys::poll::Interest;
use crate::sys::process::Exit;
use crate::sys::socket;
use crate::wire::message::Failure;

/// How often a worker looks that must not begin anything.
const HALT_POLL: Duration = Duration::from_micros(100);

impl World {
    pub(super) fn launch(&mut self, launch: Launch) {
        let worker = index(launch.worker);
        let len = self.puppets.len().max(worker + 1);
        self.puppets.resize_with(len, || None);
        let wait = self.dice.wait(0, self.weather.launch_ms);
        self.plan(Happening::LaunchEnds(worker), wait);
    }

    pub(super) fn launch_ends(&mut self, worker: usize) {
        let id = WorkerId(worker as u64);
        if self.dice.chance(self.weather.launch_fails) {
            self.launches_failed += 1;
            let failed = Err("there are too many processes".to_string());
            return self.driver.act(|inner, now| inner.hear_launch(id, failed, now));
        }
        let (puppet, launched) = Puppet::launch(id, &self.bell, self.settings.output.is_by_call());
        if self.weather.is_narrow {
            socket::narrow(&launched.link).expect("a socket can be made narrow");
        }
        let socket = puppet.socket.as_deref().expect("its link is open");
        self.rung.add(socket, worker as u64, Interest::Read).expect("there is memory");
        self.puppets[worker] = Some(puppet);
        self.driver.act(|inner, now| inner.hear_launch(id, Ok(launched), now));
        self.plan_step(worker);
    }

    pub(super) fn plan_step(&mut self, worker: usize) {
        let wait = self.dice.moment(self.weather.step_us);
        self.plan(Happening::GoesOn(worker), wait);
    }

    /// Those that sleep and are rung for.
    pub(super) fn wake_puppets(&mut self) {
        let rung = self.rung.wait(Some(self.began)).expect("what is open can be asked");
        for worker in rung {
            let worker = worker as usize;
            let Some(puppet) = self.puppets[worker].as_mut().filter(|puppet| puppet.is_asleep) else { continue };
            let Some((listener, speaker)) = &mut puppet.link else { continue };
            match listener.hears_bell(speaker) {
                Some(true) => {
                    puppet.is_asleep = false;
                    self.plan_step(worker);
                }
                // The parent is gone.
                Some(false) => puppet.dies(Exit::Code(0)),
                None => {}
            }
        }
    }

    pub(super) fn kill_puppets(&mut self) {
        for worker in 0..self.puppets.len() {
            let Some(puppet) = &mut self.puppets[worker] else { continue };
            if !puppet.is_killed() || std::mem::replace(&mut puppet.is_dying, true) {
                continue;
            }
            let mut wait = self.dice.wait(0, self.weather.kill_ms);
            if self.dice.chance(self.weather.survives_kill) {
                wait += KILL_GRACE;
                self.abandons(worker);
            }
            self.plan(Happening::IsKilled(worker), wait);
        }
    }

    /// Whatever this worker was given may be charged to it: nobody will have seen what it did.
    fn abandons(&mut self, worker: usize) {
        self.tally.saw(Sight::Abandoned);
        self.puppet(worker).is_abandoned = true;
        for (_, serial) in self.given_to(worker) {
            self.ledger.calls[serial].abandoned += 1;
        }
    }

    /// The calls that the driver expects an answer to from this worker, each with its number there.
    pub(super) fn given_to(&self, worker: usize) -> Vec<(u64, usize)> {
        let mut inner = self.driver.inner.lock();
        let Some(body) = inner.body(WorkerId(worker as u64)) else { return Vec::new() };
        body.given.all().filter_map(|(number, given)| Some((number, self.ledger.find(given.call)?))).collect()
    }

    pub(super) fn dies(&mut self, worker: usize, exit: Exit) {
        if !self.puppet(worker).is_alive() {
            return;
        }
        let (given, puppet) = (self.given_to(worker), self.puppet(worker));
        let running = puppet.work.as_ref().filter(|work| work.is_running).map(|work| work.number);
        let (answered, is_abandoned) = (puppet.answered, puppet.is_abandoned);
        // Otherwise it would appear on this program's own stream.
        let may_complain = !self.settings.output.is_by_call() || running.is_some() && self.at(worker).is_some();
        let may_complain = may_complain && !is_abandoned;
        let puppet = self.puppet(worker);
        if may_complain {
            puppet.complains(b"last words\n");
        }
        puppet.dies(exit);
        for (number, serial) in given.into_iter().filter(|&(number, _)| number > answered && !is_abandoned) {
            let call = &mut self.ledger.calls[serial];
            *if running == Some(number) { &mut call.ended_running } else { &mut call.ended_before } += 1;
        }
        self.tally.saw(match running {
            Some(_) => Sight::DiedRunning,
            None if exit == Exit::Code(0) => Sight::Left,
            None => Sight::DiedIdle,
        });
    }

    /// Its next step, unless something befalls it.
    pub(super) fn goes_on(&mut self, worker: usize) {
        let puppet = self.puppet(worker);
        if !puppet.is_at_work() || puppet.is_asleep || self.befalls(worker) {
            return;
        }
        let stage = self.puppet(worker).stage;
        match stage {
            Stage::SaysHello => self.says_hello(worker),
            Stage::Looks => self.looks(worker),
            Stage::AwaitsDescriptor(enclosure) => {
                if !self.puppet(worker).takes(enclosure) {
                    self.tally.saw(Sight::AwaitsDescriptor);
                    self.puppet(worker).is_asleep = true;
                    return;
                }
                self.plan_step(worker);
            }
            Stage::Begins => self.begins(worker),
            Stage::Runs => self.ends_item(worker),
            Stage::Answers => self.writes(worker),
            Stage::Flushes => self.flushes(worker),
            Stage::Leaves if self.dice.chance(self.weather.ignores_stop) => self.puppet(worker).stage = Stage::Stuck,
            Stage::Leaves => self.dies(worker, Exit::Code(0)),
            Stage::Stuck => {}
        }
    }

    /// Something that may happen to any process at any moment.
    fn befalls(&mut self, worker: usize) -> bool {
        if self.dice.chance(self.weather.dies) {
            self.dies(worker, Exit::Signal(11));
        } else if self.dice.chance(self.weather.stops) {
            let wait = self.dice.wait(1, 100);
            self.plan(Happening::GoesOn(worker), wait);
        } else if self.dice.chance(self.weather.closes_link) {
            self.tally.saw(Sight::FellSilent);
            self.puppet(worker).closes_link();
        } else {
            return false;
        }
        true
    }

    fn says_hello(&mut self, worker: usize) {
        let is_other = self.dice.chance(self.weather.says_no_hello);
        if is_other {
            self.launches_failed += 1;
            if self.dice.chance(600) {
                self.puppet(worker).stage = Stage::Stuck;
                return;
            }
        }
        self.puppet(worker).says_hello(is_other);
        self.plan_step(worker);
    }

    fn looks(&mut self, worker: usize) {
        let puppet = self.puppet(worker);
        match puppet.looks() {
            Looked::Work => self.check_given(worker),
            Looked::Other => {}
            Looked::Skipped => self.tally.saw(Sight::SkippedWorn),
            Looked::Nothing => {
                if puppet.link.as_mut().is_some_and(|(listener, _)| listener.falls_asleep()) {
                    puppet.is_asleep = true;
                    return;
                }
            }
        }
        self.plan_step(worker);
    }

    /// All that a call encloses has come before it.
    fn check_given(&mut self, worker: usize) {
        let puppet = self.puppets[worker].as_ref().expect("it is there");
        let Some(work) = puppet.work.as_ref().filter(|work| !work.run.is_errand) else { return };
        let call = &self.ledger.calls[serial_of(work)];
        let is_known = call.encloses.iter().all(|id| puppet.known.contains(id));
        assert!(is_known, "worker {worker} has been given what a call encloses");
    }

    fn begins(&mut self, worker: usize) {
        match self.puppet(worker).begins() {
            None => {
                self.tally.saw(Sight::Halted);
                // One that is to die is mostly halted for good, and may take long to die.
                let looks = if self.puppet(worker).is_killed() { 100 } else { 1 };
                return self.plan(Happening::GoesOn(worker), looks * HALT_POLL);
            }
            Some(false) => {
                self.tally.saw(Sight::Recalled);
                return self.plan_step(worker);
            }
            Some(true) => {}
        }
        self.item_begins(worker);
        if self.dice.chance(self.weather.hangs) {
            self.tally.saw(Sight::Hung);
            self.puppet(worker).stage = Stage::Stuck;
            return;
        }
        let wait = self.dice.moment(self.weather.run_us);
        if self.dice.chance(self.weather.dies_running) {
            return self.plan(Happening::Dies(worker), wait);
        }
        self.plan(Happening::GoesOn(worker), wait);
    }

    fn item_begins(&mut self, worker: usize) {
        let Some((serial, item)) = self.at(worker) else {
            let work = self.puppet(worker).work.as_ref().expect("it has begun something");
            self.finalizers_begun += u32::from(work.arguments[0] == LAST);
            return;
        };
        if let Some(other) = self.ledger.calls[serial].runner.filter(|&other| other != worker) {
            assert!(!self.runs(other, serial), "{serial} is run by one worker at a time");
        }
        let call = &mut self.ledger.calls[serial];
        let inner = self.driver.inner.lock();
        let is_open = inner.calls.get(call.key).is_some();
        let holder = inner.workers.get(&WorkerId(worker as u64)).filter(|holder| holder.body.is_some());
        assert!(holder.is_none_or(|holder| !holder.is_killed), "who is to be killed begins nothing");
        drop(inner);
        let is_lost = self.puppets[worker].as_ref().is_some_and(|puppet| puppet.is_abandoned);
        assert!(is_open || is_lost, "what has ended does not begin: {serial}");
        call.runner = Some(worker);
        call.runners.push(worker);
        call.left_alone_from = None;
        call.items[item].begun += 1;
        assert!(call.items[item].begun <= call.tries_max(), "no item is tried more often than it may");
        assert!(call.items[..item].iter().all(|item| item.answered.is_some()), "items begin in their order");
    }

    /// Whether the worker runs this call, as far as anybody reckons with it.
    pub(super) fn runs(&self, worker: usize, serial: usize) -> bool {
        let puppet = self.puppets[worker].as_ref().filter(|puppet| puppet.is_alive() && !puppet.is_abandoned);
        let is_running = puppet.and_then(|puppet| puppet.work.as_ref()).is_some_and(|work| work.is_running);
        is_running && self.at(worker).is_some_and(|(at, _)| at == serial)
    }

    /// The call and the item that it runs, if that is not the pool's own.
    pub(super) fn at(&self, worker: usize) -> Option<(usize, usize)> {
        let work = self.puppets[worker].as_ref()?.work.as_ref().filter(|work| !work.run.is_errand)?;
        Some(place_of(&work.arguments[(work.item - work.run.first) as usize]))
    }

    pub(super) fn puppet(&mut self, worker: usize) -> &mut Puppet {
        self.puppets[worker].as_mut().expect("only who was launched does something")
    }

    /// What comes of an item: mostly what a task would make of its arguments.
    pub(super) fn result_of(&mut self, worker: usize) -> Result<Vec<u8>, Failure> {
        let has_failed = self.dice.chance(self.weather.fails);
        let Some((serial, item)) = self.at(worker) else {
            return if has_failed { Err(ItemRecord::failure(0, 0)) } else { Ok(b"good".to_vec()) };
        };
        let work = self.puppets[worker].as_ref().and_then(|puppet| puppet.work.as_ref()).expect("it is at an item");
        let arguments = &work.arguments[(work.item - work.run.first) as usize];
        let record = &self.ledger.calls[serial].items[item];
        assert_eq!(*arguments, record.arguments(serial, item), "arguments arrive as they were");
        if has_failed { Err(ItemRecord::failure(serial, item)) } else { Ok(record.result(arguments)) }
    }
}

fn serial_of(work: &Work) -> usize {
    place_of(&work.arguments[0]).0
}

pub(super) fn index(worker: WorkerId) -> usize {
    usize::try_from(worker.0).expect("few workers")
}
