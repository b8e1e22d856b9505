//! Tells what happened in a world: the last of it, when a promise was broken; all of it, and how things stood after each
//! step, to whoever asks for that one world.

use std::collections::VecDeque;
use std::time::Duration;

use super::puppet::Puppet;
use super::world::{Happening, World};

/// See the module.
#[derive(Default)]
pub(super) struct Story {
    pub(super) is_told: bool,
    last: VecDeque<(Duration, Happening)>,
}

/// How much of it is remembered.
const LAST_MAX: usize = 120;

impl Story {
    pub(super) fn goes_on(&mut self, at: Duration, happening: Happening) {
        if self.is_told {
            return println!("{:>10} us  {happening:?}", at.as_micros());
        }
        if self.last.len() == LAST_MAX {
            self.last.pop_front();
        }
        self.last.push_back((at, happening));
    }

    pub(super) fn end(&self) -> String {
        let line = |(at, happening): &(Duration, Happening)| format!("{:>10} us  {happening:?}\n", at.as_micros());
        self.last.iter().map(line).collect()
    }
}

impl World {
    /// How things stand, to whoever wants to know that.
    pub(super) fn tell(&self) {
        if !self.story.is_told {
            return;
        }
        println!("{:>16} background: {}, waiter: {}", "", self.background.in_a_word(), self.waiter.in_a_word());
        let inner = self.driver.inner.lock();
        for (id, worker) in &inner.workers {
            let given = worker.body.iter().flat_map(|body| body.given.all());
            let given: Vec<_> = given.map(|(number, given)| (number, self.ledger.find(given.call))).collect();
            let has_news = worker.body.as_ref().is_some_and(|body| body.link.has_news());
            let puppet =
                self.puppets.get(id.0 as usize).and_then(Option::as_ref).map_or_else(String::new, Puppet::in_words);
            println!("{:>16} {id:?} killed: {}, given: {given:?}, news: {has_news}; {puppet}", "", worker.is_killed);
        }
    }
}

impl Puppet {
    fn in_words(&self) -> String {
        let work = self.work.as_ref().map(|work| (work.number, work.item, work.is_running));
        let (stage, received) = (self.stage, self.received);
        let is_alive = self.is_alive();
        format!("{stage:?}, alive: {is_alive}, asleep: {}, received: {received}, at: {work:?}", self.is_asleep)
    }
}
