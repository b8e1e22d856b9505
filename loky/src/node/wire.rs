//! The way from any thread to an agent: what is put there, the hub sends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::AgentId;
use super::pieces::{Lane, Message, Outgoing};
use crate::sync::Mutex;
use crate::sys::poll::Poller;

/// What all threads share with the hub.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) poller: Poller,
    /// Agents for which there is something new. Each is in it once.
    dirty: Mutex<Vec<AgentId>>,
    is_rung: AtomicBool,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) agent: AgentId,
    pub(super) host: String,
    outgoing: Mutex<Outgoing>,
    is_dirty: AtomicBool,
    desk: Arc<Desk>,
}

impl Desk {
    pub(super) fn new(poller: Poller) -> Self {
        Self { poller, dirty: Mutex::default(), is_rung: AtomicBool::new(false) }
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
        Self { agent, host, outgoing: Mutex::default(), is_dirty: AtomicBool::new(false), desk }
    }

    pub(super) fn send(&self, lane: Lane, message: Message) {
        self.outgoing.lock().push(lane, message);
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
        self.outgoing.lock().fill(to);
    }
}
