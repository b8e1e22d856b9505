//! The only unsafe code of the tests: ways to die that safe code cannot take, and ways to be a difficult process.

#![expect(unsafe_code, reason = "a test of crashes must be able to crash")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use nix::libc;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::ForkResult;

/// Writes to address zero: SIGSEGV, as a wild pointer gives it.
pub fn null_write() -> ! {
    // SAFETY: nothing is promised of this write but that it kills the process, which is what the caller wants; page
    // zero is never mapped.
    unsafe { std::ptr::null_mut::<u8>().wrapping_add(std::hint::black_box(0)).write_volatile(1) };
    unreachable!("page zero is mapped")
}

/// Ends the process without running anything that was registered for its end.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: `_exit` takes any number and touches no memory of ours.
    unsafe { libc::_exit(code) }
}

/// Runs `child` in a fork of this process and gives its exit code, or `None` if it died of a signal.
pub fn in_a_fork(child: impl FnOnce() -> i32) -> Option<i32> {
    // SAFETY: the child may meet locks that other threads of the parent held. That is the situation under test: a
    // pool must notice it before it takes a lock. The child never returns into the parent's frames.
    match unsafe { nix::unistd::fork() }.expect("a process can be forked") {
        ForkResult::Child => {
            let code = catch_unwind(AssertUnwindSafe(child));
            exit_now(code.unwrap_or(PANICKED))
        }
        ForkResult::Parent { child } => match waitpid(child, None).expect("the fork is our child") {
            WaitStatus::Exited(_, code) => Some(code),
            _ => None,
        },
    }
}

/// Forks this process and returns in both: `true` in the parent, which reaps the child in a thread of its own.
pub fn fork_here() -> bool {
    // SAFETY: as above; the child goes on in a copy of this thread, with whatever locks were free.
    match unsafe { nix::unistd::fork() }.expect("a process can be forked") {
        ForkResult::Child => false,
        ForkResult::Parent { child } => {
            std::thread::spawn(move || waitpid(child, None));
            true
        }
    }
}

/// Closes a descriptor of whoever it is.
pub fn close(descriptor: i32) {
    // SAFETY: somebody else's file is closed under them. That is the situation under test, in a worker that will not
    // live on.
    unsafe { libc::close(descriptor) };
}

/// Has the kernel discard the exit status of every child, as a program that wants no zombies does.
pub fn ignore_sigchld() {
    let ignore = SigAction::new(SigHandler::SigIgn, SaFlags::empty(), SigSet::empty());
    // SAFETY: no handler is installed, so no code runs in signal context.
    unsafe { sigaction(Signal::SIGCHLD, &ignore) }.expect("SIGCHLD may be ignored");
}

/// From now on a signal interrupts this process's slow system calls every `period_us` microseconds, without restart.
pub fn interrupt_every(period_us: i64) {
    let handle = SigAction::new(SigHandler::Handler(on_alarm), SaFlags::empty(), SigSet::empty());
    // SAFETY: the handler does nothing, so it may run at any point of any thread.
    unsafe { sigaction(Signal::SIGALRM, &handle) }.expect("SIGALRM may be handled");
    let period = libc::timeval { tv_sec: 0, tv_usec: period_us };
    let timer = libc::itimerval { it_interval: period, it_value: period };
    // SAFETY: both pointers are valid for the length of the call; the second may be null.
    let rc = unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut()) };
    assert_eq!(rc, 0, "an interval timer can be set");
}

extern "C" fn on_alarm(_: libc::c_int) {}

/// What a fork exits with if it panicked.
const PANICKED: i32 = 101;
