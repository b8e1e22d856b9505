//! A worker that is played: its end of the link and of its pipe are in this process, and no process is started. For tests
//! that say what no worker would, and that end it at any moment.

use std::any::TypeId;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::background::Launch;
use super::inner::{Body, Inner};
use super::lengths::Lengths;
use super::order::{Items, Limits, Order, Outcome, OutcomeCell};
use crate::config::Settings;
use crate::ids::{TaskId, WorkerId};
use crate::scheduler::Event;
use crate::supervisor::played::{self, Ends, Life};
use crate::sys::page::{Page, RingMemory, Way};
use crate::sys::poll::Poller;
use crate::sys::process::Exit;
use crate::task::{Entry, TaskRef};
use crate::transport::ring::Writer;
use crate::transport::worker_link::{Speaker, ends};
use crate::wire::body::Encoded;
use crate::wire::frame::Head;
use crate::wire::message::{Build, Hello};

/// It has the number of this process, so that it can be looked at. Nobody does the chores of its pool, so nothing is killed.
pub(super) struct Played {
    pub(super) inner: Inner,
    pub(super) id: WorkerId,
    pub(super) page: Page,
    pub(super) link: UnixStream,
    /// Its standard error.
    pub(super) error: UnixStream,
    /// Of the words that it says.
    writer: Writer<RingMemory>,
    /// For descriptors alone: this one says only what makes sense.
    speaker: Speaker,
    /// Its process lives as long.
    _life: Life,
}

static ENTRY: Entry = Entry::new("tests::task", TypeId::of::<u8>, |_, _| Ok(()));

impl Played {
    /// Launched for nobody.
    pub(super) fn new(settings: Settings) -> Self {
        let mut inner = Inner::new(settings);
        inner.poller = Some(Arc::new(Poller::new().expect("there is room for a poller")));
        inner.feed(Event::WarmUpAsked, Instant::now());
        let Some(Launch { worker: id, .. }) = inner.outbox.launches.pop() else { panic!("a worker is launched") };
        let (launched, theirs) = played::launch(std::process::id(), false).expect("there is room for some descriptors");
        let Ends { link, page, error, life, .. } = theirs;
        let twice = || link.try_clone().expect("there is room for a descriptor");
        let (_, speaker) = ends(&Arc::new(twice()), twice(), &page);
        inner.hear_launch(id, Ok(launched), Instant::now());
        let writer = Writer::new(page.ring(Way::FromWorker));
        Self { inner, id, page, link, error, writer, speaker, _life: life }
    }

    /// A call of so many items. Returns where its outcome lands.
    pub(super) fn submit(&mut self, items: usize) -> Arc<OutcomeCell> {
        self.submit_with(Encoded { bytes: vec![5; items], ..Encoded::NONE }, items)
    }

    /// The same with these arguments: a byte for each item, or any for one.
    pub(super) fn submit_with(&mut self, arguments: Encoded, items: usize) -> Arc<OutcomeCell> {
        let task = TaskRef::function(TaskId::registered(0), &ENTRY);
        let mut lengths = Lengths::default();
        lengths.push_alike(1, items);
        let many = if items == 1 { Items::One } else { Items::Many(Box::new(lengths)) };
        let order = Order::new(task, arguments.into(), many, Limits::default());
        let order = if items == 1 { order } else { order.into_chunk(0) };
        let (now, cell) = (Instant::now(), Arc::new(OutcomeCell::new()));
        let terms = order.terms(now);
        let call = self.inner.take_in(order, Some(&cell));
        self.inner.feed(Event::Submitted { call, terms }, now);
        cell
    }

    /// Writes words into its ring, and tells of them.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        self.begin_to_write(bytes);
        self.writer.close();
    }

    /// The same, but that nobody is told of the last ones.
    pub(super) fn begin_to_write(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.writer.append(rest) {
                Ok(0) if self.writer.is_begun() => self.writer.close(),
                // The parent reads no more; or it lies about that, which is a lie of this very worker.
                Ok(0) | Err(_) => return,
                Ok(len) => rest = &rest[len..],
            }
        }
        self.writer.commit();
    }

    /// A whole frame.
    pub(super) fn say(&mut self, head: Head, bytes: &[u8]) {
        self.begin_to_write(&head.bytes());
        self.write(bytes);
    }

    /// Sends a descriptor, which a frame is to announce. Where the parent takes in no more, it is lost.
    pub(super) fn send(&mut self, fd: impl AsFd) {
        let _ = self.speaker.enclose(fd);
    }

    pub(super) fn say_hello(&mut self, build: Build, pid: u32) {
        let (head, bytes) = Hello { build, pid }.said();
        self.say(head, &bytes);
        self.inner.hear_news(Instant::now());
    }

    /// Notes on the page that it begins this item of this call.
    pub(super) fn begin(&self, call: u64, item: u32) {
        self.word("begun").store(call << 24 | u64::from(item), Ordering::SeqCst);
    }

    /// A word of the page.
    pub(super) fn word(&self, name: &str) -> &AtomicU64 {
        let mut words = self.page.bare().into_iter();
        words.find(|(known, _)| *known == name).expect("there is such a word").1
    }

    pub(super) fn is_greeted(&self) -> bool {
        self.inner.workers[&self.id].has_said_hello
    }

    /// As long as it is not buried.
    pub(super) fn body(&mut self) -> &mut Body {
        let id = self.id;
        self.inner.body(id).expect("it is not buried")
    }

    /// Why nothing that it says is believed any more, if that is so.
    pub(super) fn refused_for(&self) -> Option<&str> {
        self.inner.workers.get(&self.id)?.refused_for.as_deref()
    }

    /// Its process has ended, and that is seen.
    pub(super) fn die(&mut self, exit: Exit) {
        self.inner.bury(self.id, exit, Instant::now());
    }

    /// What came of the call whose outcome lands in `cell`, if it has ended.
    pub(super) fn outcome(&mut self, cell: &Arc<OutcomeCell>) -> Option<Box<Outcome>> {
        let outcomes = &mut self.inner.outbox.outcomes;
        let place = outcomes.iter().position(|(landing, _)| Arc::ptr_eq(landing, cell))?;
        Some(outcomes.swap_remove(place).1)
    }
}
