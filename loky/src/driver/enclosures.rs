//! Passes segments on: gives a worker what a call encloses and it does not have, takes in what a result encloses, and
//! tells workers of what nobody holds any more.
//!
//! The last holder of a segment may be dropped anywhere, also under the lock. So that is only noted, in a list with a
//! lock of its own, under which nothing else is ever locked; and the background thread is called. Whoever hears the
//! workers sees to it.

#[cfg(all(test, loom))]
mod model;
#[cfg(all(test, not(loom)))]
mod tests;

use std::sync::{Arc, OnceLock, Weak};

use super::background::Chore;
use super::held::Held;
use super::inner::{Body, Inner};
use super::order::Order;
use crate::config::ENCLOSED_MAX;
use crate::shared::passing::{Arrival, Item, Name};
use crate::shared::segment::{Keeper, Kind, Segment};
use crate::sync::{AtomicBool, Mutex, Ordering};
use crate::sys::own_pid::own_pid;
use crate::sys::poll::Poller;
use crate::sys::segment;
use crate::transport::link::{Descriptor, Part};
use crate::wire::enclosure::{Enclosure, What};
use crate::wire::message::{self, Failure};

/// The segments of which the last holder is gone.
#[derive(Debug)]
pub(super) struct Departed {
    /// A forked child has a copy, and must not touch it: another thread may have held its lock.
    pid: u32,
    ids: Mutex<Vec<u64>>,
    /// Whether there may be some.
    has_some: AtomicBool,
    poller: OnceLock<Weak<Poller>>,
}

impl Departed {
    pub(super) fn new(poller: Option<&Arc<Poller>>) -> Arc<Self> {
        let ids = Mutex::default();
        let own = Self { pid: own_pid(), ids, has_some: AtomicBool::new(false), poller: OnceLock::new() };
        if let Some(poller) = poller {
            let _ = own.poller.set(Arc::downgrade(poller));
        }
        Arc::new(own)
    }

    /// Returns whether the background thread is to be called.
    fn note(&self, id: u64) -> bool {
        let mut ids = self.ids.lock();
        ids.push(id);
        // Before the lock is released: whoever takes them takes all, and takes this back.
        self.has_some.store(true, Ordering::Release);
        ids.len() == 1
    }

    fn has_some(&self) -> bool {
        self.has_some.load(Ordering::Acquire)
    }

    fn take(&self) -> Vec<u64> {
        let mut ids = self.ids.lock();
        self.has_some.store(false, Ordering::Relaxed);
        std::mem::take(&mut ids)
    }
}

impl Keeper for Departed {
    fn is_gone(&self, id: u64) {
        if own_pid() != self.pid {
            return;
        }
        if let (true, Some(poller)) = (self.note(id), self.poller.get().and_then(Weak::upgrade)) {
            poller.ring();
        }
    }
}

impl Inner {
    /// Whether there is something that workers may forget.
    #[inline]
    pub(super) fn has_departed(&self) -> bool {
        self.departed.as_ref().is_some_and(|departed| departed.has_some())
    }

    /// Tells the workers what they may forget.
    #[cold]
    pub(super) fn forget_departed(&mut self) {
        let Some(departed) = &self.departed else { return };
        let ids = departed.take();
        let workers: Vec<_> = self.workers.keys().copied().collect();
        for worker in workers {
            let Some(body) = self.body(worker) else { continue };
            for &id in &ids {
                if body.held.forget(id, &body.given) {
                    body.link.send(message::forget(id), []);
                }
            }
            let chore = body.let_go();
            self.outbox.chores.extend(chore);
            self.flush(worker);
        }
    }
}

fn give_segment(body: &mut Body, segment: &Segment) {
    let core = segment.core();
    let what = match core.kind() {
        Kind::Sealed => What::Sealed,
        Kind::File => What::File,
    };
    body.give(Arc::clone(core) as _, Enclosure { id: segment.id(), what, len: core.len() });
}

/// The segment that the worker was given under this number. An error, in words that go on after "sent nonsense", if
/// there is none.
fn known(held: &Held, id: u64) -> Result<Arc<Segment>, &'static str> {
    held.find(id).ok_or("something that it was not given")
}

/// The same, of which the worker says that it is all that its result encloses. `enclosed` is what it has announced.
pub(super) fn known_alone(held: &Held, enclosed: &[Arrival], id: u64) -> Result<Arc<Segment>, &'static str> {
    if enclosed.is_empty() { known(held, id) } else { Err("a result that encloses one thing, after others") }
}

impl Body {
    /// Gives the worker what a call encloses, of whose end `departed` is to be told, which is made with the first.
    /// Returns whether something of it is still to be sent.
    #[inline(never)]
    pub(super) fn give_enclosed(
        &mut self,
        order: &Order,
        departed: &mut Option<Arc<Departed>>,
        poller: Option<&Arc<Poller>>,
    ) -> bool {
        let departed = departed.get_or_insert_with(|| Departed::new(poller));
        for item in order.enclosed() {
            match item {
                Item::Segment(segment) if self.held.add(segment) => {
                    let keeper: Arc<dyn Keeper> = Arc::clone(departed) as _;
                    segment.tell(&Arc::downgrade(&keeper));
                    give_segment(self, segment);
                }
                Item::Fd(fd) => {
                    self.give(Arc::clone(fd) as _, Enclosure { id: fd.id, what: What::Descriptor, len: 0 });
                }
                // What is known already, and what only results enclose.
                Item::Segment(_) | Item::Parents(_) => {}
            }
        }
        self.link.has_unsent()
    }

    /// Whether there is something to do when an answer has been heard.
    #[inline]
    pub(super) fn has_leftovers(&self) -> bool {
        !self.enclosed.is_empty() || self.held.is_leaving()
    }

    /// An answer has been heard: what nobody has taken of what it encloses is given up, and what the worker cannot name
    /// any more.
    #[cold]
    pub(super) fn clear_leftovers(&mut self) -> Option<Chore> {
        self.enclosed.clear();
        self.let_go()
    }

    /// The same of a call that has failed. If the worker lacked something, it will be given all of it again.
    #[cold]
    pub(super) fn clear_up_after(&mut self, failure: &Failure) -> Option<Chore> {
        if matches!(failure, Failure::Lacks { .. }) {
            self.held.give_again();
        }
        self.clear_leftovers()
    }

    fn give(&mut self, fd: Arc<dyn Descriptor>, enclosure: Enclosure) {
        self.link.enclose(fd);
        let (head, bytes) = message::give(enclosure);
        self.link.send(head, [Part::Bytes(bytes.as_ref())]);
    }

    /// Gives up what the worker cannot name any more. To unmap it takes a moment, and is done elsewhere.
    pub(super) fn let_go(&mut self) -> Option<Chore> {
        let left = self.held.take_left(&self.given);
        (!left.is_empty()).then_some(Chore::Unmap(left))
    }

    /// The worker says that its next result encloses this. An error, in words that go on after "sent nonsense",
    /// if that cannot be.
    pub(super) fn take_in_enclosed(&mut self, Enclosure { id, what, len }: Enclosure) -> Result<(), &'static str> {
        if self.given.is_empty() || self.enclosed.len() >= ENCLOSED_MAX {
            return Err("something enclosed that nobody awaits");
        }
        let arrival = match what {
            What::Readers => Arrival::known(Name::Parents(id), known(&self.held, id)?),
            What::Sealed => match self.link.next_descriptor().ok_or("no descriptor where it had announced one")? {
                // What it is said to be is found out at once: no later than now is the worker known that has said it.
                Some(fd) if !segment::is_sealed(&fd, len) => return Err("memory that is not what it says it is"),
                Some(fd) => Arrival::waiting(Name::New(id), fd, len, Kind::Sealed),
                None => Arrival::lost(Name::New(id)),
            },
            What::Descriptor => match self.link.next_descriptor().ok_or("no descriptor where it had announced one")? {
                Some(fd) => Arrival::fd(Name::New(id), fd),
                None => Arrival::lost(Name::New(id)),
            },
            What::File => return Err("a file, which it could change"),
        };
        self.enclosed.push(arrival);
        Ok(())
    }
}
