//! After every step: is every call somewhere, and will somebody hear of it?
//!
//! # What holds of bells
//!
//! Whatever a worker has told, and has rung for, is heard by somebody who is awake, or is being woken, or wakes up by a
//! timer within [`SOON`]. A worker that withholds a bell, since whoever sleeps is patient, has something to do still, and
//! rings before it sleeps; and what somebody waits for is not withheld. If a bell is *lost*, which no kernel does, that
//! worker does not ring again for the same sleep, and nothing says when that is made up for: it is by whatever ends that
//! sleep, be it a timer, an end, or another worker's bell, and by whoever spawns, or asks how things are. So a lost bell
//! delays, and costs nothing.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::fates::index;
use super::ledger::Handle;
use super::puppet::{Puppet, Stage};
use super::tally::Sight;
use super::threads::Background;
use super::world::World;
use crate::driver::inner::{Inner, Worker};
use crate::ids::WorkerId;

/// A thread of the driver that has not announced that it sleeps looks again no later.
const SOON: Duration = Duration::from_millis(1);

impl World {
    pub(super) fn audit(&mut self) {
        let ended = self.audit_calls();
        for serial in ended {
            if matches!(self.ledger.calls[serial].handle, Handle::Gone) {
                self.ledger.calls[serial].is_over = true;
                self.ledger.open.retain(|&open| open != serial);
            } else if self.dice.chance(500) {
                self.collect(serial);
            }
        }
        let driver = Arc::clone(&self.driver);
        let inner = driver.inner.lock();
        assert!(inner.outbox.is_empty(), "what is to be done outside of the lock is done by who held it");
        self.audit_workers(&inner);
        self.audit_timers(&inner);
        if self.tally.of(Sight::Step) % 8 == 0 {
            inner.scheduler.check();
        }
        if let Some(serial) = self.waiter.sleeps_for() {
            let is_over = inner.calls.get(self.ledger.calls[serial].key).is_none();
            assert!(!is_over || self.waiter.is_awake(), "{serial} is over, and who waits for it was not told");
        }
        if let Some(bytes) = self.users.wait_for_room() {
            assert!(inner.is_full(bytes), "there is room, and who waits for it was not told");
        }
        drop(inner);
        let is_left = !self.driver.chores.1.is_empty() || !self.driver.launches.1.is_empty();
        assert!(!is_left || self.background.is_awake(self.now), "there are chores, and nobody does them");
    }

    /// Nothing will happen any more, and nothing is left.
    pub(super) fn check_end(&mut self) {
        assert!(matches!(self.background, Background::Over), "the pool has not ended");
        for serial in self.ledger.open.clone() {
            self.collect(serial);
        }
        assert!(self.ledger.open.is_empty(), "calls have not ended: {:?}", self.ledger.open);
        let inner = self.driver.inner.lock();
        assert!(inner.calls.is_vacant(), "a slot is still somebody's");
        assert!(inner.workers.is_empty() && inner.outbox.is_empty() && inner.outlets.is_empty());
        assert!(inner.scheduler.is_finished());
        self.check_times(&inner);
        drop(inner);
        assert!(self.driver.chores.1.is_empty() && self.driver.launches.1.is_empty());
        assert!(self.users.wait_for_room().is_none(), "who waits for room is told that there will be none");
        assert!(self.users.warm_ups.iter().all(|cell| cell.is_done()), "who waits for workers is told how that ended");
        let (told, finalizers) = (self.weather.finalized.load(Ordering::Relaxed), self.settings.finalizers.len());
        let most = self.puppets.len() * finalizers;
        assert!(told >= self.finalizers_begun && told as usize <= most, "each finalizer is told of once: {told}");
        let is_alive = |puppet: &&Puppet| puppet.is_alive() && !puppet.is_abandoned;
        assert_eq!(self.puppets.iter().flatten().filter(is_alive).count(), 0, "no worker outlives its pool");
        let held = self.users.segments.iter().filter(|segment| segment.strong_count() > 0).count();
        assert_eq!(held, 0, "segments that nobody wants any more are held");
    }

    /// Whatever workers have said of their times, each call that was delivered has run, and none for longer than there was.
    fn check_times(&self, inner: &Inner) {
        let Some(record) = &inner.record else { return };
        let (tasks, all) = (record.tasks(), self.now - self.began);
        let runs: u64 = tasks.iter().map(|task| task.run.count).sum();
        assert!(runs >= self.tally.of(Sight::Delivered), "{runs} runs were counted");
        assert!(tasks.iter().all(|task| task.run.max <= all && task.queue.max <= all), "{tasks:?} within {all:?}");
    }

    /// Every call that has not ended is in the backlog, or with one worker that knows of it. Returns those that have.
    fn audit_calls(&mut self) -> Vec<usize> {
        let inner = self.driver.inner.lock();
        let mut ended = Vec::new();
        for &serial in &self.ledger.open {
            let call = &self.ledger.calls[serial];
            if inner.calls.get(call.key).is_none() {
                ended.push(serial);
                continue;
            }
            assert!(inner.scheduler.has_started(call.key).is_some(), "{serial} is nowhere");
            let is_whole = inner.calls.get(call.key).is_some_and(|pending| pending.order.bytes() == call.bytes);
            let Some(holder) = inner.scheduler.holder(call.key) else {
                assert!(is_whole, "{serial} is to be sent again, and its arguments are gone");
                continue;
            };
            let worker = inner.workers.get(&holder).expect("who holds a call is there");
            let body = worker.body.as_ref().expect("and has a body");
            let number = body.given.number_of(call.key);
            assert!(number.is_some(), "{serial} was given to {holder:?}, which knows nothing of it");
            if !is_whole {
                assert_eq!(body.given.vacated(), Some(call.key), "whose arguments are gone has begun");
                self.tally.saw(Sight::Vacated);
            }
        }
        let open = self.ledger.open.len() - ended.len();
        assert_eq!(inner.calls.len(), open, "no more calls are open than were spawned");
        ended
    }

    fn audit_workers(&mut self, inner: &Inner) {
        let is_heard = self.background.is_awake(self.now) || self.waiter.is_awake();
        let is_heard = is_heard || self.background.until().is_some_and(|at| at <= self.now + SOON);
        for (&id, worker) in &inner.workers {
            let Some(puppet) = self.puppets.get_mut(index(id)).and_then(Option::as_mut) else { continue };
            audit_given(inner, id, worker, puppet);
            let is_told = worker.body.as_ref().is_some_and(|body| body.link.has_news());
            if is_told && !is_heard && !puppet.has_lost_bell && puppet.is_alive() {
                audit_silence(id, worker, puppet);
            }
            assert!(!is_dead_unseen(worker, puppet) || is_heard, "{id:?} is dead, and nobody is told");
        }
    }

    /// Whoever sleeps wakes up for the next timer.
    fn audit_timers(&self, inner: &Inner) {
        if self.background.is_awake(self.now) || inner.poller.is_none() {
            return;
        }
        let until = self.background.until();
        let is_awaited = |at: Option<Instant>| at.is_none_or(|at| until.is_some_and(|until| until <= at));
        assert!(is_awaited(inner.scheduler.next_timeout()), "nobody wakes up for the next timer");
        assert!(is_awaited(inner.next_silent()), "nobody wakes up for a worker without a link");
        let is_unsent =
            inner.workers.values().filter_map(|worker| worker.body.as_ref()).any(|body| body.link.has_unsent());
        assert!(!is_unsent || is_awaited(Some(self.now + SOON)), "nobody sends on what a socket had no room for");
    }
}

/// What a worker was given it has still to read, or is at it, or has answered it and that was not heard; and there are
/// not more of it than it may have.
fn audit_given(inner: &Inner, id: WorkerId, worker: &Worker, puppet: &Puppet) {
    let Some(body) = &worker.body else { return };
    let most = inner.settings.rules().credit;
    assert!(body.given.all().count() <= most, "{id:?} holds more than {most}");
    if worker.is_killed || !puppet.is_at_work() {
        return;
    }
    for (number, given) in body.given.all() {
        let is_unread = number > puppet.received;
        let is_at_it = puppet.work.as_ref().is_some_and(|work| work.number == number);
        let is_answered = number <= puppet.answered && (body.link.has_news() || puppet.stage == Stage::Flushes);
        let is_skipped = puppet.is_worn && body.link.has_news();
        assert!(is_unread || is_at_it || is_answered || is_skipped, "{id:?} knows nothing of its call number {number}");
        if !given.call.is_nowhere() {
            let holder = inner.scheduler.holder(given.call);
            assert_eq!(holder, Some(id), "what a worker was given is held by it");
        }
    }
}

/// A worker has told something that nobody is going to hear now: it is in the middle of telling more, and nobody waits
/// for what there is.
fn audit_silence(id: WorkerId, worker: &Worker, puppet: &Puppet) {
    let Some((_, speaker)) = &puppet.link else { return };
    // The answers of a call are told at its end.
    let is_telling = puppet.stage == Stage::Flushes || puppet.work.as_ref().is_some_and(|work| !work.run.is_prompt);
    assert!(is_telling || speaker.withholds(), "{id:?} has told something, and nobody hears of it");
    assert!(!puppet.is_asleep, "{id:?} sleeps with something that nobody has heard");
    let body = worker.body.as_ref().expect("it has told something");
    let last = puppet.answered - u64::from(puppet.stage == Stage::Flushes);
    let told = body.given.all().filter(|&(number, _)| number <= last);
    assert!(told.into_iter().all(|(_, given)| !given.is_awaited()), "somebody waits for what {id:?} has told");
}

fn is_dead_unseen(worker: &Worker, puppet: &Puppet) -> bool {
    !puppet.is_alive() && worker.body.as_ref().is_some_and(|body| body.exit.is_none())
}
