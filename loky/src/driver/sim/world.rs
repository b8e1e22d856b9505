//! A world: a clock that is moved by hand, a real driver without threads, users, and workers that are played.
//!
//! Everything that will happen lies on an agenda, in the order of its time. A step takes the next thing from it, lets
//! it happen, sees who is woken by that, and holds the whole state against the promises.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ledger::Ledger;
use super::puppet::Puppet;
use super::story::Story;
use super::tally::{Sight, Tally};
use super::threads::{Background, Waiter};
use super::users::Users;
use super::weather::Weather;
use crate::config::Settings;
use crate::driver::{Driver, clock};
use crate::sys::bell::Bell;
use crate::sys::poll::Poller;
use crate::sys::process::Exit;
use crate::worlds::Dice;

/// See the module.
pub(super) struct World {
    pub(super) dice: Dice,
    pub(super) weather: Weather,
    pub(super) driver: Arc<Driver>,
    pub(super) settings: Settings,
    pub(super) bell: Arc<Bell>,
    pub(super) now: Instant,
    pub(super) began: Instant,
    pub(super) background: Background,
    pub(super) waiter: Waiter,
    pub(super) users: Users,
    pub(super) ledger: Ledger,
    /// By the numbers of their workers; `None` while the launch is under way, or if it has failed.
    pub(super) puppets: Vec<Option<Puppet>>,
    pub(super) launches_failed: u32,
    pub(super) finalizers_begun: u32,
    /// Reports the puppets that are rung for.
    pub(super) rung: Poller,
    pub(super) tally: Tally,
    agenda: BinaryHeap<Reverse<(Instant, u64, Happening)>>,
    planned: u64,
    pub(super) story: Story,
}

/// What may lie on the agenda. A number names a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Happening {
    /// A user does something.
    Deed,
    ShutdownAsked,
    PatienceEnds,
    /// The background thread has woken, or goes on.
    BackgroundActs,
    BackgroundSleeps,
    WaiterLooks,
    WaiterActs,
    LaunchEnds(usize),
    GoesOn(usize),
    Dies(usize),
    IsKilled(usize),
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let weather = Weather::draw(&mut dice, seed);
        let settings = weather.settings(&mut dice);
        let now = Instant::now();
        clock::hold(Some(now));
        let driver = Driver::new(settings.clone());
        let bell = driver.start_played();
        let mut world = Self {
            users: Users::new(&weather),
            dice,
            weather,
            driver,
            settings,
            bell,
            now,
            began: now,
            background: Background::Awake,
            waiter: Waiter::Away,
            ledger: Ledger::default(),
            puppets: Vec::new(),
            launches_failed: 0,
            finalizers_begun: 0,
            rung: Poller::new().expect("there are descriptors"),
            tally: Tally::default(),
            agenda: BinaryHeap::new(),
            planned: 0,
            story: Story::default(),
        };
        world.plan(Happening::BackgroundSleeps, Duration::ZERO);
        world.plan(Happening::Deed, Duration::ZERO);
        world
    }

    pub(super) fn plan(&mut self, happening: Happening, wait: Duration) {
        self.planned += 1;
        self.agenda.push(Reverse((self.now + wait, self.planned, happening)));
    }

    /// Soon, as soon as a thread of the driver has a processor and the lock.
    pub(super) fn plan_soon(&mut self, happening: Happening) {
        let wait = self.dice.moment(self.weather.latency_us);
        self.plan(happening, wait);
    }

    /// One thing happens. False when nothing will happen any more.
    pub(super) fn step(&mut self) -> bool {
        let timer = self.background.until();
        let planned = self.agenda.peek().map(|Reverse((at, ..))| *at);
        match (timer, planned) {
            (None, None) => return false,
            (Some(timer), planned) if planned.is_none_or(|at| timer < at) => self.now = self.now.max(timer),
            _ => {
                let Reverse((at, _, happening)) = self.agenda.pop().expect("it was there a moment ago");
                self.now = self.now.max(at);
                clock::hold(Some(self.now));
                self.story.goes_on(self.now - self.began, happening);
                self.happen(happening);
            }
        }
        clock::hold(Some(self.now));
        self.tally.saw(Sight::Step);
        self.wake_whom_it_concerns();
        self.tell();
        self.audit();
        true
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Deed => self.deed(),
            Happening::ShutdownAsked => self.ask_shutdown(),
            Happening::PatienceEnds => self.patience_ends(),
            Happening::BackgroundActs => self.background_acts(),
            Happening::BackgroundSleeps => self.background_sleeps(),
            Happening::WaiterLooks => self.waiter_looks(),
            Happening::WaiterActs => self.waiter_acts(),
            Happening::LaunchEnds(worker) => self.launch_ends(worker),
            Happening::GoesOn(worker) => self.goes_on(worker),
            Happening::Dies(worker) => self.dies(worker, Exit::Signal(11)),
            Happening::IsKilled(worker) => self.dies(worker, Exit::Signal(9)),
        }
    }

    fn wake_whom_it_concerns(&mut self) {
        self.wake_puppets();
        self.wake_background();
        self.wake_waiter();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        clock::hold(None);
    }
}
