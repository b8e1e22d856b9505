//! Does what the scheduler decides: carries events to it, and its actions out.
//!
//! The driver is one object behind one lock. Whoever has something to tell it (a spawn, a cancel, a resize) takes the
//! lock, tells, and carries out what follows at once; nobody does that for them. Waiting for the outside world, though,
//! is a role that one thread at a time has (see [`role`]): one turn is to gather all that is ready, tell the
//! scheduler, and carry out all that follows.
//!
//! Under the lock nothing blocks, no foreign code runs, and nothing is allocated without a bound. What would, is put
//! into an outbox and done once the lock is released: results are handed to their cells, wakers are woken, launches and
//! kills are left to the background thread (at the start of a pool, whoever waits helps it to launch).

mod answers;
#[cfg(feature = "progress")]
mod at_work;
mod background;
mod burial;
mod callbacks;
mod calls;
mod captured;
mod clock;
mod collapse;
mod courtesy;
mod dispatch;
mod duty;
mod enclosures;
mod errands;
mod evidence;
mod forward;
#[cfg(any(all(test, not(loom)), fuzzing))]
mod fuzzed;
mod given;
mod hear;
mod held;
#[cfg(all(test, not(loom)))]
mod hostile;
mod inner;
mod interrupt;
mod landing;
mod lengths;
mod lines;
#[cfg(not(feature = "tracing"))]
mod no_notes;
#[cfg(feature = "tracing")]
mod notes;
mod nursery;
mod order;
mod output;
mod pen;
mod perform;
mod pipe;
#[cfg(any(all(test, not(loom)), fuzzing))]
#[cfg_attr(not(test), expect(dead_code, reason = "a fuzzer does not look at all of it"))]
mod played;
mod printed;
mod record;
mod requests;
mod results;
mod reuse;
mod role;
mod room;
#[cfg(all(test, not(loom)))]
mod sim;
mod stats;
mod threads;
mod tokens;
mod turn;
mod vigil;
mod waiter;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, unbounded};

use self::background::{Chore, Launch};
pub(crate) use self::callbacks::{Callback, Callbacks};
pub use self::captured::Captured;
#[cfg(any(all(test, not(loom)), fuzzing))]
pub(crate) use self::fuzzed::{Input, live};
use self::inner::Inner;
use self::interrupt::Membership;
pub(crate) use self::interrupt::end_if_interrupted;
pub(crate) use self::landing::Landing;
pub(crate) use self::lengths::Lengths;
pub(crate) use self::order::{Items, Limits, Order, Outcome, OutcomeCell};
#[cfg(feature = "cluster")]
pub(crate) use self::order::{OrderSaid, OutcomeSaid, Unheard};
use self::pen::Pen;
pub(crate) use self::results::{Results, Value};
use self::role::Role;
use self::waiter::Waiter;
use crate::config::Settings;
use crate::error::{Error, ErrorKind};
use crate::ids::CallKey;
use crate::oneshot::{Cell, Watcher};
use crate::supervisor::refusal;
use crate::sync::Mutex;
use crate::sys::bell::Bell;
use crate::sys::own_pid::own_pid;
pub(crate) use crate::sys::page::ITEMS_MAX;
use crate::sys::poll::Poller;
use crate::sys::stdio::STREAMS;
use crate::transport::spin::Spin;

/// The driver of one pool; see the module.
#[derive(Debug)]
pub(crate) struct Driver {
    /// The process that it belongs to: a forked child has a copy of it that it must not touch.
    pid: u32,
    inner: Mutex<Inner>,
    role: Role,
    /// How long the waiter that drives looks for news before it sleeps; nobody else touches it.
    spin: Mutex<Spin>,
    chores: (Sender<Chore>, Receiver<Chore>),
    launches: (Sender<Launch>, Receiver<Launch>),
    /// Who made the background thread, which has its priority, its processors and all else from that thread.
    starter: OnceLock<ThreadId>,
    callbacks: Arc<Callbacks>,
    /// Of this program's streams, each in the place of its number.
    pens: [Pen; STREAMS.len()],
    /// Of what listens to what is logged.
    #[cfg(feature = "tracing")]
    notes_pen: Pen,
    #[cfg(feature = "tracing")]
    mirror: Mutex<crate::logs::Mirror>,
    /// How much it was told.
    #[cfg(feature = "tracing")]
    told: std::sync::atomic::AtomicU64,
    life: Mutex<Life>,
    is_started: AtomicBool,
    /// Whether a shutdown was asked for, for those who are to know it without the lock: a moment after it is so.
    is_ending: AtomicBool,
    finished: Cell<()>,
}

/// The background thread, from the first call to the end of the pool.
#[derive(Debug)]
enum Life {
    Before,
    Thread(JoinHandle<()>),
    After,
}

impl Driver {
    /// Starts nothing: a pool that is never used has no thread, no descriptor and no process.
    pub(crate) fn new(settings: Settings) -> Arc<Self> {
        let spin = Spin::new(settings.cpus > 1);
        let inner = Inner::new(settings);
        Arc::new(Self {
            pid: own_pid(),
            spin: Mutex::new(spin),
            callbacks: Arc::clone(&inner.callbacks),
            inner: Mutex::new(inner),
            pens: Default::default(),
            #[cfg(feature = "tracing")]
            notes_pen: Pen::default(),
            #[cfg(feature = "tracing")]
            mirror: Mutex::default(),
            #[cfg(feature = "tracing")]
            told: std::sync::atomic::AtomicU64::new(0),
            role: Role::new(),
            chores: unbounded(),
            launches: unbounded(),
            starter: OnceLock::new(),
            life: Mutex::new(Life::Before),
            is_started: AtomicBool::new(false),
            is_ending: AtomicBool::new(false),
            finished: Cell::new(),
        })
    }

    /// Waits until a shutdown that was asked for is through and nothing of the pool is left. `false`: not by `until`.
    pub(crate) fn wait_finished(&self, until: Option<Instant>) -> bool {
        if self.is_foreign() {
            return true;
        }
        if !self.wait(until, || self.is_finished(), || self.finished.watch(Watcher::this_thread())) {
            return false;
        }
        self.callbacks.end();
        // Held while joining, so that whoever comes second waits as long.
        let mut life = self.life.lock();
        if let Life::Thread(thread) = std::mem::replace(&mut *life, Life::After) {
            let _ = thread.join();
        }
        true
    }

    pub(crate) fn is_shutting_down(&self) -> bool {
        !self.is_foreign() && self.is_ending.load(Ordering::Acquire)
    }

    /// Blocks until `is_done` or `until`, driving if nobody else does. Once `watch` was called, whoever makes
    /// `is_done` true must unpark this thread, as a cell does that it watches.
    pub(crate) fn wait(&self, until: Option<Instant>, is_done: impl Fn() -> bool, watch: impl Fn()) -> bool {
        self.wait_for(None, until, is_done, watch)
    }

    /// The same, where it is this call whose end may make `is_done` true.
    pub(crate) fn wait_for(
        &self,
        awaited: Option<CallKey>,
        until: Option<Instant>,
        is_done: impl Fn() -> bool,
        watch: impl Fn(),
    ) -> bool {
        let watch = || {
            watch();
            awaited.into_iter().for_each(|call| self.await_calls([call]));
        };
        self.role.wait(&Waiter { driver: self, awaited }, until, is_done, watch)
    }

    /// Takes in what workers have said, if nobody has yet.
    pub(crate) fn catch_up(&self) {
        if !self.is_foreign() {
            self.act(Inner::hear_what_is_there);
        }
    }

    /// Runs `callback` off the pool's own paths.
    pub(crate) fn run_callback(&self, callback: Callback) {
        self.callbacks.run(callback);
    }

    /// Workers wanted; zero in a forked child.
    pub(crate) fn target(&self) -> usize {
        if self.is_foreign() { 0 } else { self.inner.lock().scheduler.target() }
    }

    /// An error in a forked child: the workers and the threads are the parent's.
    pub(crate) fn check_process(&self) -> Result<(), Error> {
        if self.is_foreign() { Err(belongs_to(self.pid)) } else { Ok(()) }
    }

    /// Whether this process is a forked child of the one that it belongs to. Asked before every lock: another thread
    /// may have held it when the child was forked, and would never release it there.
    fn is_foreign(&self) -> bool {
        own_pid() != self.pid
    }

    fn is_finished(&self) -> bool {
        self.finished.is_done()
    }

    /// Makes the poller and the background thread, once.
    fn start(self: &Arc<Self>) -> Result<(), Error> {
        if self.is_started.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut life = self.life.lock();
        if matches!(*life, Life::Before) && !self.inner.lock().scheduler.is_shutting_down() {
            self.try_start(&mut life).map_err(|why| {
                Error::new(ErrorKind::Launch, format!("did not run: the pool could not be started: {}", refusal(&why)))
                    .with_advice("later calls try again")
            })?;
            self.is_started.store(true, Ordering::Release);
        }
        Ok(())
    }

    fn try_start(self: &Arc<Self>, life: &mut Life) -> std::io::Result<()> {
        let (poller, bell) = (Poller::new()?, Bell::new()?);
        let mut inner = self.inner.lock();
        let member = Membership::begin(&inner.settings, &poller).map(Arc::new);
        (inner.poller, inner.bell, inner.member) = (Some(Arc::new(poller)), Some(Arc::new(bell)), member);
        let has_finalizers = !inner.settings.finalizers.is_empty();
        drop(inner);
        if has_finalizers {
            // Where their values are handed over, under the lock, no thread can be made.
            self.callbacks.start_early();
        }
        let _ = self.starter.set(thread::current().id());
        // Without that thread, nobody would hear of an interrupt.
        *life = Life::Thread(background::start(self).inspect_err(|_| self.resign())?);
        self.begin_record();
        self.catch_up_with_interrupt();
        Ok(())
    }

    /// The end: nobody waits for the outside world any more. A waiter that sleeps may not have been told of its result
    /// yet: whoever brings that would look for the bell in vain.
    fn close(&self) {
        let mut inner = self.inner.lock();
        inner.interrupt();
        (inner.poller, inner.bell) = (None, None);
        inner.workers.clear();
        drop(inner);
        self.resign();
    }

    /// What happens to the program is nothing to this pool from now on.
    fn resign(&self) {
        let member = self.inner.lock().member.take();
        drop(member);
    }
}

/// Why a pool of that process is of no use in this one, which is its forked child.
pub(crate) fn belongs_to(pid: u32) -> Error {
    let what = format!("did not run: its pool belongs to process {pid}, and this is its forked child");
    Error::new(ErrorKind::Shutdown, what)
        .with_advice("use the pool in that process, or build one in the child after an `exec`")
}
