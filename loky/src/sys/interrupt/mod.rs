//! The signals that ask a program to end, SIGINT and SIGTERM: taken over from the system, and given back.
//!
//! They are taken over only where the system's default stands: a handler of the program, or that it ignores one, is
//! left as it is, also if it comes later. What a signal leads to is decided by `sequence`; who is told, and what that
//! means for a pool, is not known here.
//!
//! The handler changes a word, writes to an event descriptor, or ends the process; it takes no lock and no memory. A
//! child that this program forks has the handler as well until it executes another program. There it does what the
//! system would have done, and touches nothing that the child has in common with its parent.

mod sequence;

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, Ordering};
use std::thread;

use nix::errno::Errno;
use nix::libc::{self, c_int};
use nix::sys::eventfd::{EfdFlags, EventFd};

use self::sequence::{Reaction, Sequence};

/// The two signals, while they are ours. Dropping it gives them back.
#[derive(Debug)]
pub(crate) struct Watch(EventFd);

const SIGNALS: [c_int; 2] = [libc::SIGINT, libc::SIGTERM];

/// What has come.
static SEQUENCE: AtomicU64 = AtomicU64::new(Sequence::NOTHING.word());

/// Whether a signal ends the program without anybody being told.
static IS_AT_ONCE: AtomicBool = AtomicBool::new(false);

/// Who has taken the signals over: not a forked child.
static OWNER: AtomicU32 = AtomicU32::new(0);

/// The event descriptor; none, if it is negative.
static BELL: AtomicI32 = AtomicI32::new(-1);

/// How many threads are in the handler: so long the descriptor stays open, or its number could mean another one.
static INSIDE: AtomicU32 = AtomicU32::new(0);

impl Watch {
    /// Takes over what nobody else handles.
    pub(crate) fn begin() -> io::Result<Self> {
        let bell = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        OWNER.store(std::process::id(), Ordering::SeqCst);
        BELL.store(bell.as_fd().as_raw_fd(), Ordering::SeqCst);
        SIGNALS.into_iter().for_each(take_over);
        Ok(Self(bell))
    }

    /// Whether it is a copy, in a forked child.
    pub(crate) fn is_foreign(&self) -> bool {
        OWNER.load(Ordering::SeqCst) != std::process::id()
    }
}

impl AsFd for Watch {
    /// Becomes readable anew with the first signal, and is never read: whoever waits for it must wait for an edge.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        SIGNALS.into_iter().for_each(give_back);
        BELL.store(-1, Ordering::SeqCst);
        // The handler never waits, so this takes as long as a thread is kept from its processor.
        while INSIDE.load(Ordering::SeqCst) > 0 {
            thread::yield_now();
        }
    }
}

/// The first signal that has come while they were ours.
pub(crate) fn has_come() -> Option<i32> {
    Sequence::from_word(SEQUENCE.load(Ordering::SeqCst)).first()
}

/// From now on a signal ends the program here and now, or no more.
pub(crate) fn set_at_once(at_once: bool) {
    IS_AT_ONCE.store(at_once, Ordering::SeqCst);
}

/// Ends this process as by that signal. Returns only if the program has a handler of its own for it by now.
pub(crate) fn end_by(signal: i32) {
    let handler = handler_of(signal);
    if handler == Some(ours()) || handler == Some(libc::SIG_DFL) {
        end(signal);
    }
}

extern "C" fn on_signal(signal: c_int) {
    if OWNER.load(Ordering::SeqCst) != std::process::id() {
        // Before anything is changed: a child may share its memory with us until it executes another program.
        end(signal);
    }
    let errno = Errno::last_raw();
    INSIDE.fetch_add(1, Ordering::SeqCst);
    react(signal);
    INSIDE.fetch_sub(1, Ordering::SeqCst);
    Errno::set_raw(errno);
}

/// In the handler, as is all that is called from here.
fn react(signal: c_int) {
    // Somebody has put a handler before ours, and calls ours as well: then it is that one's business.
    if handler_of(signal) != Some(ours()) {
        return;
    }
    match note(signal) {
        Reaction::Tell => ring(),
        Reaction::Nothing => {}
        Reaction::End => end(signal),
    }
}

fn note(signal: c_int) -> Reaction {
    let (now, at_once) = (now_ms(), IS_AT_ONCE.load(Ordering::SeqCst));
    let mut word = SEQUENCE.load(Ordering::SeqCst);
    loop {
        let (next, reaction) = Sequence::from_word(word).step(signal, now, at_once);
        match SEQUENCE.compare_exchange(word, next.word(), Ordering::SeqCst, Ordering::SeqCst) {
            Ok(_) => return reaction,
            Err(other) => word = other,
        }
    }
}

fn ring() {
    let bell = BELL.load(Ordering::SeqCst);
    if bell >= 0 {
        // SAFETY: the descriptor is open as long as somebody is in the handler, and the eight bytes are there.
        unsafe { libc::write(bell, (&raw const ONE).cast(), size_of::<u64>()) };
    }
}

/// What is written to an event descriptor adds to what it counts.
static ONE: u64 = 1;

fn now_ms() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes to a variable of this function.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    now.tv_sec.unsigned_abs() * 1000 + now.tv_nsec.unsigned_abs() / 1_000_000
}

fn take_over(signal: c_int) {
    if handler_of(signal) != Some(libc::SIG_DFL) {
        return;
    }
    let before = swap(signal, Some(&action(ours())));
    if let Some(before) = before.filter(|before| before.sa_sigaction != libc::SIG_DFL) {
        // Another thread has put a handler there in this very moment.
        swap(signal, Some(&before));
    }
}

fn give_back(signal: c_int) {
    if handler_of(signal) == Some(ours()) {
        swap(signal, Some(&action(libc::SIG_DFL)));
    }
}

fn ours() -> usize {
    on_signal as extern "C" fn(c_int) as usize
}

/// What the process does with a signal now.
fn handler_of(signal: c_int) -> Option<usize> {
    Some(swap(signal, None)?.sa_sigaction)
}

fn action(handler: usize) -> libc::sigaction {
    // SAFETY: all zeroes is an action: the default one, with an empty mask.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler;
    action.sa_flags = libc::SA_RESTART | libc::SA_ONSTACK;
    action
}

/// What the process does with a signal now, and will do from now on, if that is to change.
fn swap(signal: c_int, next: Option<&libc::sigaction>) -> Option<libc::sigaction> {
    let (next, mut before) = (next.map_or(std::ptr::null(), std::ptr::from_ref), action(libc::SIG_DFL));
    // SAFETY: the first pointer is null or that of an action, the second that of a variable of this function. What is
    // put there is the default, or was there before, or does nothing that is not allowed at any moment: see `react`.
    let swapped = unsafe { libc::sigaction(signal, next, &raw mut before) };
    (swapped == 0).then_some(before)
}

/// Ends this process as by that signal, from the handler or from anywhere else.
fn end(signal: c_int) -> ! {
    swap(signal, Some(&action(libc::SIG_DFL)));
    // SAFETY: the set is a variable of this function, initialized before it is used, and the calls may be made at any
    // moment; the first process of a container, to which the system does nothing by default, ends by the last one.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, signal);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const set, std::ptr::null_mut());
        libc::raise(signal);
        libc::_exit(128 + signal)
    }
}
