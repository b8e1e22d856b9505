//! What happens when the program is interrupted, by Ctrl-C (SIGINT) or SIGTERM.
//!
//! # Who does what
//!
//! The handler ([`sys::interrupt`](crate::sys::interrupt)) notes the first signal and wakes the background thread of
//! every pool, by an event descriptor that all their pollers watch; so nothing is paid for it before. Each of these
//! threads tells its pool's scheduler, under the pool's lock as all else: what has not begun ends then and there, and
//! the handles of that resolve. When the last call has ended, whoever brought that says so here. What that means for
//! the program is decided by [`Course`], and done by the thread that has said the last word.
//!
//! # Why the program ends
//!
//! The second signal ends it, and the first one does if every pool kills: inside the handler, so it needs no thread
//! and no lock, whatever is stuck, whoever drives, and whatever is being launched. Workers see the end of their parent
//! and go with all that they have started, as they do when it is killed. That is also why nobody is told of calls that
//! are killed so: whoever waited for one could do nothing but complain of it. There is no third signal.
//!
//! After the first signal the end needs each pool to say that it is done:
//!
//! - It has no calls, or they have all ended. Whoever brings the last outcome says so, be it a waiter that drives or the
//!   background thread; its workers are then asked to leave, which nobody waits for.
//! - It ends, if it was being shut down: it says so when it leaves, whether it has heard of the signal or not.
//! - It starts now: then it hears of the signal before its first call.
//!
//! It cannot as long as a call runs, or if its background thread is kept in the user's own code (`env_per_worker`). Then
//! the program waits, as it would have without the signal, for the end of that or for the second signal.
//!
//! A worker that is being launched is hit as well by what is sent to the whole group. That says nothing about the
//! program, and its launch does not count as failed; one that dies of SIGTERM is buried only after its pool has looked
//! whether there is something to hear, so that its call is not tried again.
//!
//! # The moment
//!
//! If there were calls, the program is left alone for a moment once all are done, so that it can use their results: a
//! thread sleeps that long and then ends it. If `main` returns before, [`end_if_interrupted`] ends it at once, and by
//! the signal, too.
//!
//! Workers take over nothing: they leave Ctrl-C to their parents.

mod course;

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use self::course::{Course, Verdict};
use super::Driver;
use super::inner::Inner;
use super::tokens::INTERRUPT;
use crate::config::{INTERRUPT_MOMENT, Interrupt, Settings};
use crate::identity;
use crate::scheduler::Event;
use crate::sys::interrupt::{self, Watch};
use crate::sys::poll::Poller;
use crate::sys::process;
use crate::sys::stdio::{self, Stream};

/// The part of a pool in what happens to the program, until it is dropped.
#[derive(Debug)]
pub(super) struct Membership(u64);

/// What a pool has to say, once its lock is released.
#[derive(Clone, Copy, Debug)]
pub(super) enum Told {
    /// It has heard of the interrupt; whether it had calls then, and has some still.
    Heard { had_calls: bool, has_calls: bool },
    /// What had begun has ended.
    Done,
}

#[derive(Debug)]
struct Register {
    course: Course,
    /// While there are members.
    watch: Option<Watch>,
}

static REGISTER: Mutex<Register> = Mutex::new(Register { course: Course::new(), watch: None });

impl Membership {
    /// A pool starts, whose background thread will wait for `poller`. `None`: it has nothing to do with interrupts, or
    /// cannot be told of them.
    pub(super) fn begin(settings: &Settings, poller: &Poller) -> Option<Self> {
        if settings.on_interrupt == Interrupt::Ignore || identity::is_worker() {
            return None;
        }
        with_register(|register| register.join(settings.on_interrupt == Interrupt::Kill, poller))
    }

    fn say(&self, told: Told) {
        let verdict = with_register(|register| match told {
            Told::Heard { had_calls, has_calls } => register.course.hears(self.0, had_calls, has_calls),
            Told::Done => register.course.is_done(self.0),
        });
        carry_out(verdict);
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        carry_out(with_register(|register| register.leave(self.0)));
    }
}

impl Register {
    fn join(&mut self, kills: bool, poller: &Poller) -> Option<Membership> {
        if self.watch.is_none() {
            self.watch = Watch::begin().ok();
        }
        let is_told = |watch: &Watch| !watch.is_foreign() && poller.add_edge(watch, INTERRUPT).is_ok();
        let member = self.watch.as_ref().is_some_and(is_told).then(|| Membership(self.course.join(kills)));
        self.adjust();
        member
    }

    fn leave(&mut self, number: u64) -> Verdict {
        if self.course.is_last(number) {
            // Before it is asked whether one has come: what comes later is the system's.
            self.watch = None;
        }
        let verdict = self.course.leave(number, interrupt::has_come().is_some());
        self.adjust();
        verdict
    }

    /// The handler heeds who is there.
    fn adjust(&mut self) {
        interrupt::set_at_once(self.course.is_at_once());
        self.watch.take_if(|_| self.course.is_empty());
    }
}

impl Driver {
    /// For a pool that starts when a signal has come already.
    pub(super) fn catch_up_with_interrupt(&self) {
        if interrupt::has_come().is_some() {
            self.act(|inner, now| inner.hear_interrupt(now));
        }
    }

    /// Tells the register what the pool has to say. Not under the lock: the program may end here.
    pub(super) fn tell_of_interrupt(&self, told: Vec<Told>) {
        let member = self.inner.lock().member.clone();
        if let Some(member) = member {
            told.into_iter().for_each(|told| member.say(told));
        }
    }
}

impl Inner {
    /// A signal may have come: if it has, what has not begun ends.
    pub(super) fn hear_interrupt(&mut self, now: Instant) {
        let Some(signal) = interrupt::has_come() else { return };
        if self.member.is_none() || self.interrupted_by.is_some() {
            return;
        }
        let had_calls = self.calls.len() > 0;
        self.interrupted_by = Some(signal);
        self.feed(
            match self.settings.on_interrupt {
                Interrupt::Kill => Event::ShutdownAsked { forced: true },
                Interrupt::Drain | Interrupt::Ignore => Event::Interrupted,
            },
            now,
        );
        let has_calls = self.calls.len() > 0;
        self.is_draining = has_calls;
        self.outbox.told.push(Told::Heard { had_calls, has_calls });
    }

    /// A call has ended.
    pub(super) fn note_drained(&mut self) {
        if self.is_draining && self.calls.len() == 0 {
            self.is_draining = false;
            self.outbox.told.push(Told::Done);
        }
    }
}

/// Ends the program as the signal would have that has interrupted it, if one has: its `main` has returned.
pub(crate) fn end_if_interrupted() {
    if let Some(signal) = interrupt::has_come() {
        // What dies of a signal does not flush.
        let _ = io::stdout().flush();
        stdio::flush_c();
        interrupt::end_by(signal);
    }
}

fn with_register<T>(act: impl FnOnce(&mut Register) -> T) -> T {
    act(&mut REGISTER.lock().unwrap_or_else(PoisonError::into_inner))
}

fn carry_out(verdict: Verdict) {
    let Some(signal) = interrupt::has_come() else { return };
    match verdict {
        Verdict::Wait => {}
        Verdict::Announce => announce(signal),
        Verdict::EndNow => interrupt::end_by(signal),
        Verdict::EndSoon => end_soon(signal),
    }
}

/// Says why nothing seems to happen, to somebody who is there to read it.
fn announce(signal: i32) {
    if io::stderr().is_terminal() {
        let name = process::signal_name(signal);
        let line = format!("loky: interrupted ({name}): waiting for the calls that run; a second signal kills them\n");
        stdio::write_all(Stream::Error, line.as_bytes());
    }
}

fn end_soon(signal: i32) {
    let end = move || {
        thread::sleep(INTERRUPT_MOMENT);
        interrupt::end_by(signal);
    };
    if thread::Builder::new().name("loky-interrupt".into()).spawn(end).is_err() {
        interrupt::end_by(signal);
    }
}
