//! The way from any thread to an agent: what is put there, the hub sends.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use super::AgentId;
use super::message::{PoolId, Wish, of_pool};
use super::pieces::{Lane, Message, Outgoing, Part};
use crate::shared::segment::{Keeper, Segment};
use crate::sync::Mutex;
use crate::sys::own_pid::own_pid;
use crate::sys::poll::Poller;

/// What all threads share with the hub.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) poller: Poller,
    /// Agents for which there is something new. Each is in it once.
    dirty: Mutex<Vec<AgentId>>,
    is_rung: AtomicBool,
    gone: Arc<Gone>,
}

/// Memory that was given to agents, and that nobody holds here any more.
#[derive(Debug)]
pub(super) struct Gone {
    /// A forked child has a copy, and must not touch it: another thread may have held its lock.
    pid: u32,
    numbers: Mutex<Vec<u64>>,
    has_some: AtomicBool,
}

/// What is to be sent, and which memory the agent has, or will have by then.
#[derive(Debug, Default)]
struct Way {
    outgoing: Outgoing,
    given: HashSet<u64>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) agent: AgentId,
    pub(super) host: String,
    way: Mutex<Way>,
    is_dirty: AtomicBool,
    desk: Arc<Desk>,
}

/// What is said of memory is said of no pool.
const NO_POOL: PoolId = PoolId::MAX;

impl Keeper for Gone {
    /// Told to the agents in the next turn of the hub; there is no hurry.
    fn is_gone(&self, number: u64) {
        if own_pid() == self.pid {
            self.numbers.lock().push(number);
            self.has_some.store(true, Ordering::Release);
        }
    }
}

impl Desk {
    /// The memory that nobody holds any more since the last time.
    pub(super) fn take_gone(&self) -> Vec<u64> {
        if !self.gone.has_some.swap(false, Ordering::AcqRel) {
            return Vec::new();
        }
        std::mem::take(&mut *self.gone.numbers.lock())
    }

    pub(super) fn new(poller: Poller) -> Self {
        let gone = Gone { pid: own_pid(), numbers: Mutex::default(), has_some: AtomicBool::new(false) };
        Self { poller, dirty: Mutex::default(), is_rung: AtomicBool::new(false), gone: Arc::new(gone) }
    }

    /// Has the hub look at what there is.
    pub(super) fn ring(&self) {
        if !self.is_rung.swap(true, Ordering::AcqRel) {
            self.poller.ring();
        }
    }

    /// For the hub, which is awake: whatever comes until it takes what is new need not ring.
    pub(super) fn awake(&self) {
        self.is_rung.store(true, Ordering::Release);
    }

    /// What is new. Whoever brings more rings once more.
    pub(super) fn take_dirty(&self) -> Vec<AgentId> {
        self.is_rung.store(false, Ordering::Release);
        std::mem::take(&mut *self.dirty.lock())
    }
}

impl Wire {
    pub(super) fn new(agent: AgentId, host: String, desk: Arc<Desk>) -> Self {
        Self { agent, host, way: Mutex::default(), is_dirty: AtomicBool::new(false), desk }
    }

    pub(super) fn send(&self, lane: Lane, message: Message) {
        self.way.lock().outgoing.push(lane, message);
        self.announce();
    }

    /// Sends a message behind what it encloses and the agent does not have.
    pub(super) fn send_enclosing(&self, segments: impl IntoIterator<Item = Arc<Segment>>, message: Message) {
        let mut way = self.way.lock();
        for segment in segments {
            if way.given.insert(segment.id()) {
                let gone: Weak<dyn Keeper> = Arc::downgrade(&self.desk.gone) as Weak<dyn Keeper>;
                segment.tell(&gone);
                let give = of_pool(NO_POOL, &Wish::Give(segment.id()), [Part::Segment(segment)]);
                way.outgoing.push(Lane::Usual, give);
            }
        }
        way.outgoing.push(Lane::Usual, message);
        drop(way);
        self.announce();
    }

    /// Nobody holds these any more.
    pub(super) fn forget(&self, numbers: &[u64]) {
        let mut way = self.way.lock();
        let given: Vec<_> = numbers.iter().filter(|number| way.given.remove(number)).collect();
        given.iter().for_each(|&&number| way.outgoing.push(Lane::Usual, of_pool(NO_POOL, &Wish::Forget(number), [])));
        drop(way);
        if !given.is_empty() {
            self.announce();
        }
    }

    fn announce(&self) {
        if !self.is_dirty.swap(true, Ordering::AcqRel) {
            self.desk.dirty.lock().push(self.agent);
            self.desk.ring();
        }
    }

    /// For the hub, before it takes what is to be sent: whatever is put there after that is announced once more.
    pub(super) fn clean(&self) {
        self.is_dirty.store(false, Ordering::Release);
    }

    /// For the hub: appends what is to be sent next.
    pub(super) fn fill(&self, to: &mut Vec<u8>) {
        self.way.lock().outgoing.fill(to);
    }
}
