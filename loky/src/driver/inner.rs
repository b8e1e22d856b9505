//! What the driver knows, under its one lock: the scheduler, the calls that have not ended, the workers.
//!
//! Events are fed to the scheduler and its actions carried out in the same breath (`hear`, `perform`). Whatever could
//! block or run foreign code is put into the [`Outbox`] instead, for whoever holds the lock to do once it is released.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use super::background::{Chore, Launch};
use super::callbacks::{Callback, Callbacks};
use super::calls::{Calls, Slot};
use super::clock;
use super::duty::{Duty, ROW};
use super::enclosures::Departed;
use super::errands::Turn;
use super::evidence::LaunchFailure;
use super::forward::Outlets;
use super::given::Given;
use super::held::Held;
use super::interrupt::{Membership, Told};
use super::landing::Landing;
use super::lines::Lines;
use super::nursery::Nursery;
use super::order::{Order, Outcome, OutcomeCell};
use super::pipe::{Pipe, Tail};
use super::record::{Past, Record};
use super::room::Room;
use super::vigil::{Memory, Vigil};
use crate::config::Settings;
use crate::error::Error;
use crate::ids::{CallKey, WorkerId};
use crate::machine::oom::OomKills;
use crate::observe::Counters;
use crate::oneshot::{Cell, Watcher};
use crate::scheduler::{Event, Scheduler};
use crate::shared::passing::Arrival;
use crate::supervisor::Process;
use crate::sys::bell::Bell;
use crate::sys::page::Page;
use crate::sys::poll::Poller;
use crate::sys::process::Exit;
use crate::sys::stdio::STREAMS;
use crate::transport::link::{Chime, Link, Patience};

/// See the module.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) settings: Settings,
    pub(super) scheduler: Scheduler,
    pub(super) calls: Calls<Pending, Landing>,
    pub(super) workers: BTreeMap<WorkerId, Worker>,
    /// From the first call to the end of the pool.
    pub(super) poller: Option<Arc<Poller>>,
    /// Heard by the waiter that drives; as long.
    pub(super) bell: Option<Arc<Bell>>,
    pub(super) counters: Counters,
    /// Where somebody looks at what happens.
    pub(super) record: Option<Box<Record>>,
    /// Workers that have closed their links, and until when they may live on.
    pub(super) silent: Vec<(WorkerId, Instant)>,
    /// Why the last launch failed.
    pub(super) launch_failure: Option<LaunchFailure>,
    /// The same, if it was an initializer that failed last.
    pub(super) initializer_failure: Option<Error>,
    /// Who waits for all workers to be ready.
    pub(super) warm_up: Vec<Arc<Cell<()>>>,
    pub(super) room: Room,
    /// While the background thread sleeps: until when.
    pub(super) sleeping_until: Option<Option<Instant>>,
    pub(super) duty: Duty,
    /// How many workers the processors are shared among, as those have been told.
    pub(super) sharing: usize,
    /// How many calls were spawned, as far as that can be counted here.
    pub(super) spawned: u32,
    /// What workers wrote to their standard streams and this program's have not taken yet.
    pub(super) outlets: Outlets,
    /// What was logged and has not been told.
    #[cfg(feature = "tracing")]
    pub(super) notes: super::notes::Notes,
    pub(super) nursery: Nursery,
    /// From the first call to the end of the pool, unless interrupts are nothing to it.
    pub(super) member: Option<Arc<Membership>>,
    /// The signal that has interrupted the program, once the pool has heard of it.
    pub(super) interrupted_by: Option<i32>,
    /// Whether what had begun by then is being finished.
    pub(super) is_draining: bool,
    pub(super) vigil: Vigil,
    /// From the first launch on.
    pub(super) oom_kills: Option<OomKills>,
    pub(super) outbox: Outbox,
    pub(super) callbacks: Arc<Callbacks>,
    /// Whether a worker that slept has just been rung for: it takes a moment to wake, best on this very processor.
    pub(super) has_rung: bool,
    /// From the first call that encloses a segment.
    pub(super) departed: Option<Arc<Departed>>,
    /// Whether a worker's socket may have had no room for a descriptor.
    pub(super) has_unsent: bool,
}

/// A call that has not ended.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) order: Order,
    /// Where its outcome will be watched for, if anybody does.
    pub(super) cell: Option<Arc<OutcomeCell>>,
    /// Whether there is a handle that will ask for its outcome, or be gone.
    pub(super) has_handle: bool,
    /// Whether somebody waits for the outcome, and should not wait longer than it takes.
    pub(super) is_awaited: bool,
    /// What has come of it so far; made when there is something, for millions may wait.
    pub(super) outcome: Option<Box<Outcome>>,
}

// A million calls may wait.
const _: () = assert!(size_of::<Slot<Pending, Landing>>() <= 96, "a call that waits is small");

/// A worker that may have a process.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) index: usize,
    pub(super) is_killed: bool,
    pub(super) has_said_hello: bool,
    /// What it runs for its pool, if it does.
    pub(super) turn: Option<Turn>,
    /// Why nothing that it says is believed any more, as what it did.
    pub(super) refused_for: Option<String>,
    /// It has closed its link, and was killed because it had not died of whatever closed it.
    pub(super) has_fallen_silent: bool,
    pub(super) past: Past,
    /// `None` until the launch is through.
    pub(super) body: Option<Body>,
}

/// What a launch gave.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) process: Arc<Process>,
    pub(super) link: Link,
    pub(super) page: Page,
    pub(super) given: Given,
    pub(super) held: Held,
    #[cfg(feature = "tracing")]
    pub(super) ear: super::notes::Ear,
    /// What its next result encloses.
    pub(super) enclosed: Vec<Arrival>,
    /// Its standard streams, each in the place of its number.
    pub(super) pipes: [Pipe; STREAMS.len()],
    /// What they have brought of lines that have not ended, where lines are looked for.
    pub(super) lines: [Lines; STREAMS.len()],
    /// The end of what it wrote to its standard error.
    pub(super) tail: Tail,
    /// Where it has a limit.
    pub(super) memory: Option<Memory>,
    /// How it ended, once that is known.
    pub(super) exit: Option<Exit>,
    /// The file that says that the kernel's out-of-memory killer has struck, if it died of a kill that was not ours.
    pub(super) oom_witness: Option<PathBuf>,
}

/// What is done outside the lock.
#[derive(Default)]
pub(super) struct Outbox {
    pub(super) chores: Vec<Chore>,
    pub(super) launches: Vec<Launch>,
    pub(super) outcomes: Vec<(Arc<OutcomeCell>, Box<Outcome>)>,
    pub(super) cells: Vec<Arc<Cell<()>>>,
    pub(super) watchers: Vec<Watcher>,
    /// Orders with much in them, or that enclose something: to drop the last one that holds it may take long.
    pub(super) leftovers: Vec<Order>,
    /// Outcomes that nobody will read.
    pub(super) unread: Vec<Outcome>,
    /// What is to be said of an interrupt.
    pub(super) told: Vec<Told>,
    /// Those for which there is no thread.
    pub(super) callbacks: Vec<Callback>,
    /// A call has ended that is awaited, and whoever drives looks for its outcome by itself.
    pub(super) has_landed: bool,
    pub(super) is_finished: bool,
}

impl Inner {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            has_rung: false,
            departed: None,
            has_unsent: false,
            duty: Duty::new(clock::now(), ROW),
            sharing: 0,
            spawned: 0,
            scheduler: Scheduler::new(settings.rules()),
            nursery: Nursery::new(&settings),
            member: None,
            interrupted_by: None,
            is_draining: false,
            vigil: Vigil::new(&settings),
            oom_kills: None,
            record: Record::of(&settings),
            settings,
            calls: Calls::new(),
            workers: BTreeMap::new(),
            poller: None,
            bell: None,
            counters: Counters::default(),
            silent: Vec::new(),
            launch_failure: None,
            initializer_failure: None,
            warm_up: Vec::new(),
            room: Room::default(),
            sleeping_until: None,
            outlets: Outlets::default(),
            #[cfg(feature = "tracing")]
            notes: super::notes::Notes::default(),
            outbox: Outbox::default(),
            callbacks: Arc::default(),
        }
    }

    /// Tells the scheduler, and does what it says.
    pub(super) fn feed(&mut self, event: Event, now: Instant) {
        self.scheduler.handle(event, now);
        self.perform_all();
    }

    pub(super) fn body(&mut self, worker: WorkerId) -> Option<&mut Body> {
        self.workers.get_mut(&worker)?.body.as_mut()
    }

    /// Whether a worker has said something that was not heard yet.
    pub(super) fn has_news(&self) -> bool {
        self.workers.values().filter_map(|worker| worker.body.as_ref()).any(|body| body.link.has_news())
    }

    /// Announces to all workers that they have to ring this bell from now on. `false`: there is something to hear
    /// already.
    pub(super) fn listen(&mut self, chime: Chime) -> bool {
        let mut may_sleep = true;
        // Where the backlog is limited, somebody may wait for a call to start.
        let is_patient = !self.has_limit();
        for body in self.workers.values_mut().filter_map(|worker| worker.body.as_mut()) {
            let patience = if is_patient { body.given.patience() } else { Patience::None };
            may_sleep &= body.link.may_sleep(chime, patience);
        }
        may_sleep
    }

    /// Somebody waits for the end of this call from now on: whoever sleeps is to be woken for it. `false`: there is
    /// something to hear already, maybe that.
    pub(super) fn await_call(&mut self, call: CallKey) -> bool {
        let Some(pending) = self.calls.get_mut(call) else { return true };
        pending.is_awaited = true;
        let holder = self.scheduler.holder(call);
        let Some(body) = holder.and_then(|worker| self.body(worker)) else { return true };
        body.given.await_call(call).is_none_or(|number| body.link.hurry(number as u16))
    }

    /// Lets no worker ring from now on.
    pub(super) fn stop_listening(&mut self) {
        self.workers.values_mut().filter_map(|worker| worker.body.as_mut()).for_each(|body| body.link.wake());
    }

    /// How many processors each worker has for itself.
    pub(super) fn share(&self) -> usize {
        self.settings.share_among(self.scheduler.live())
    }

    /// Tells every worker that.
    pub(super) fn share_processors(&mut self) {
        self.sharing = self.scheduler.live();
        let share = self.share();
        let bodies = self.workers.values().filter_map(|worker| worker.body.as_ref());
        bodies.for_each(|body| body.page.set_share(share));
    }

    /// The smallest index that no worker has which lives.
    pub(super) fn free_index(&self) -> usize {
        let is_dead = |worker: &Worker| worker.body.as_ref().is_some_and(|body| body.exit.is_some());
        let is_taken = |index| self.workers.values().any(|worker| worker.index == index && !is_dead(worker));
        (0..).find(|&index| !is_taken(index)).expect("there are fewer workers than numbers")
    }
}

impl Pending {
    /// If its outcome is not awaited in a cell, it will be asked for by a handle.
    pub(super) fn new(order: Order, cell: Option<Arc<OutcomeCell>>) -> Self {
        Self {
            has_handle: cell.is_none(),
            is_awaited: order.is_chunk() || order.number().is_some(),
            order,
            cell,
            outcome: None,
        }
    }

    /// How many items are done.
    pub(super) fn done(&self) -> usize {
        self.outcome.as_ref().map_or(0, |outcome| outcome.results.len())
    }

    /// What has come of it so far.
    pub(super) fn outcome(&mut self) -> &mut Outcome {
        self.outcome.get_or_insert_default()
    }

    /// Whether all items are done, and well.
    pub(super) fn has_succeeded(&self) -> bool {
        self.outcome.as_ref().is_some_and(|outcome| !outcome.results.has_failure())
    }

    /// Whether nobody can receive the outcome any more.
    pub(super) fn is_detached(&self) -> bool {
        !self.has_handle && self.cell.as_ref().is_none_or(|cell| Arc::strong_count(cell) == 1)
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("chores", &self.chores).field("launches", &self.launches).finish_non_exhaustive()
    }
}

impl Outbox {
    /// Whether there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        let is_clean = self.leftovers.is_empty() && self.unread.is_empty();
        is_clean && self.chores.is_empty() && self.launches.is_empty() && self.told.is_empty() && !self.is_awaited()
    }

    /// Whether there is something in here that somebody may be waiting for.
    pub(super) fn is_awaited(&self) -> bool {
        let has_told = !self.outcomes.is_empty() || !self.cells.is_empty() || !self.watchers.is_empty();
        has_told || !self.callbacks.is_empty() || self.has_landed || self.is_finished
    }
}
