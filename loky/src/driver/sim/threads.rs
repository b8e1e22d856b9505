//! The threads of a real driver, which here take turns in one: the background thread, and a waiter that drives. What they
//! do between two sleeps is the driver's own code; how they sleep is seen without sleeping.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::ledger::Handle;
use super::tally::Sight;
use super::world::{Happening, World};
use crate::driver::Driver;
use crate::driver::background::Chore;
use crate::driver::role::Drive;
use crate::driver::waiter;
use crate::sys::bell::Bell;
use crate::sys::poll::Poller;

/// What the background thread does.
pub(super) enum Background {
    Awake,
    Asleep(Arc<Poller>, Option<Instant>),
    /// It is woken, and comes to the lock in a moment.
    Waking(Arc<Poller>),
    Over,
}

/// What the one thread does that waits for a call.
pub(super) enum Waiter {
    Away,
    Awake(usize),
    Asleep(usize, Arc<Bell>, Arc<Poller>),
    Waking(usize, Arc<Bell>, Arc<Poller>),
}

impl Driver {
    /// Has what a driver has that is started, but the background thread. Returns the bell of the pool.
    pub(super) fn start_played(&self) -> Arc<Bell> {
        let bell = Arc::new(Bell::new().expect("there are descriptors"));
        let mut inner = self.inner.lock();
        let poller = Arc::new(Poller::new().expect("there are descriptors"));
        (inner.poller, inner.bell) = (Some(poller), Some(Arc::clone(&bell)));
        drop(inner);
        // What is handed over to other threads is done here and now.
        self.callbacks.end();
        self.is_started.store(true, Ordering::Release);
        bell
    }
}

impl Background {
    pub(super) fn in_a_word(&self) -> String {
        match self {
            Self::Asleep(_, until) => format!("asleep until {until:?}"),
            Self::Awake => "awake".to_string(),
            Self::Waking(_) => "waking".to_string(),
            Self::Over => "over".to_string(),
        }
    }

    pub(super) fn until(&self) -> Option<Instant> {
        if let Self::Asleep(_, until) = self { *until } else { None }
    }

    /// Whether it acts in a moment, without anybody doing anything.
    pub(super) fn is_awake(&self, now: Instant) -> bool {
        match self {
            Self::Awake | Self::Waking(_) => true,
            Self::Asleep(poller, until) => until.is_some_and(|at| at <= now) || is_ready(poller.is_ready()),
            Self::Over => false,
        }
    }
}

impl Waiter {
    /// The call that is waited for by somebody who sleeps.
    pub(super) const fn sleeps_for(&self) -> Option<usize> {
        if let Self::Asleep(serial, ..) = self { Some(*serial) } else { None }
    }

    pub(super) fn in_a_word(&self) -> String {
        match self {
            Self::Away => "away".to_string(),
            Self::Awake(call) => format!("awake for {call}"),
            Self::Asleep(call, ..) => format!("asleep for {call}"),
            Self::Waking(call, ..) => format!("waking for {call}"),
        }
    }

    pub(super) fn is_awake(&self) -> bool {
        match self {
            Self::Awake(_) | Self::Waking(..) => true,
            Self::Asleep(_, bell, poller) => is_ready(bell.is_ready(poller)),
            Self::Away => false,
        }
    }
}

fn is_ready(ready: std::io::Result<bool>) -> bool {
    ready.expect("what is open can be asked")
}

/// Ends a wait at once.
fn at_once() -> Option<Instant> {
    Some(Instant::now())
}

impl World {
    pub(super) fn wake_background(&mut self) {
        if matches!(self.background, Background::Asleep(..)) && self.background.is_awake(self.now) {
            let Background::Asleep(poller, _) = std::mem::replace(&mut self.background, Background::Awake) else {
                return;
            };
            self.background = Background::Waking(poller);
            self.plan_soon(Happening::BackgroundActs);
        }
    }

    pub(super) fn background_acts(&mut self) {
        let Background::Waking(poller) = std::mem::replace(&mut self.background, Background::Awake) else { return };
        self.driver.act_in_background(poller.wait(at_once()));
        self.plan_soon(Happening::BackgroundSleeps);
    }

    /// It does what there is to be done outside of the lock, and sleeps.
    pub(super) fn background_sleeps(&mut self) {
        self.do_chores();
        if self.driver.is_finished() {
            self.do_chores();
            self.driver.close_nursery();
            self.driver.close();
            self.background = Background::Over;
            return;
        }
        self.makes_up_for_lost_bells();
        let asleep = self.driver.prepare_sleep_in_background();
        let (poller, until) = asleep.expect("a driver has a poller until its background thread has ended");
        self.background = Background::Asleep(poller, until);
    }

    fn do_chores(&mut self) {
        let chores: Vec<_> = self.driver.chores.1.try_iter().collect();
        for chore in chores {
            match chore {
                Chore::Discard(process) => process.kill_tree(),
                chore => self.driver.run(chore),
            }
        }
        self.kill_puppets();
        let launches: Vec<_> = self.driver.launches.1.try_iter().collect();
        launches.into_iter().for_each(|launch| self.launch(launch));
    }

    pub(super) fn waiter_comes(&mut self, serial: usize) {
        if !matches!(self.waiter, Waiter::Away) {
            return;
        }
        self.tally.saw(Sight::Waiter);
        // Whoever waits has a place where it watches for the outcome.
        let cell = self.driver.cell_of(self.ledger.calls[serial].key);
        assert!(cell.is_some() || matches!(self.ledger.calls[serial].handle, Handle::Cell(_) | Handle::Gone));
        self.played_waiter(serial).take();
        self.waiter = Waiter::Awake(serial);
        self.plan_soon(Happening::WaiterLooks);
    }

    pub(super) fn waiter_looks(&mut self) {
        let Waiter::Awake(serial) = self.waiter else { return };
        self.collect(serial);
        if self.ledger.calls[serial].is_over {
            self.waiter = Waiter::Away;
            self.played_waiter(serial).leave();
            return;
        }
        self.makes_up_for_lost_bells();
        let asleep = self.driver.prepare_waiters_sleep(Some(self.ledger.calls[serial].key));
        let Some((bell, poller)) = asleep else {
            let (acted, _) = self.driver.try_act(|inner, now| inner.hear_news(now));
            acted.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            return self.plan_soon(Happening::WaiterLooks);
        };
        self.tally.saw(Sight::WaiterSleeps);
        self.waiter = Waiter::Asleep(serial, bell, poller);
    }

    pub(super) fn wake_waiter(&mut self) {
        if matches!(self.waiter, Waiter::Asleep(..)) && self.waiter.is_awake() {
            let Waiter::Asleep(serial, bell, poller) = std::mem::replace(&mut self.waiter, Waiter::Away) else {
                return;
            };
            self.waiter = Waiter::Waking(serial, bell, poller);
            self.plan_soon(Happening::WaiterActs);
        }
    }

    pub(super) fn waiter_acts(&mut self) {
        let Waiter::Waking(serial, bell, poller) = std::mem::replace(&mut self.waiter, Waiter::Away) else { return };
        let urgent = bell.wait(at_once(), &poller).expect("what is open can be waited for");
        let (acted, _) = self.driver.try_act(|inner, now| {
            inner.duty.wake();
            inner.stop_listening();
            urgent.into_iter().for_each(|token| inner.hear(token, now));
            inner.hear_news(now);
        });
        acted.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        self.waiter = Waiter::Awake(serial);
        self.plan_soon(Happening::WaiterLooks);
    }

    /// Whoever is about to sleep announces that anew.
    fn makes_up_for_lost_bells(&mut self) {
        self.puppets.iter_mut().flatten().for_each(|puppet| puppet.has_lost_bell = false);
    }

    fn played_waiter(&self, serial: usize) -> waiter::Waiter<'_> {
        waiter::Waiter { driver: &self.driver, awaited: Some(self.ledger.calls[serial].key) }
    }
}
