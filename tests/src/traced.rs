//! A worker that is traced as a debugger does it: stopped at its calls to the kernel, while its other threads go on.
//!
//! It takes no exit status, which is the library's to take; so who traces is the process that has launched the worker.

use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

use crate::procfs;
use crate::sys::signal;

/// A worker whose first thread is stopped before and after each of its system calls.
#[derive(Debug)]
pub struct Traced(Pid);

impl Traced {
    /// Stops it. `None` where nobody may trace.
    pub fn seize(worker: u32) -> Option<Self> {
        let pid = Pid::from_raw(worker as i32);
        ptrace::seize(pid, Options::PTRACE_O_TRACESYSGOOD).ok()?;
        ptrace::interrupt(pid).ok()?;
        let traced = Self(pid);
        traced.is_stopped_before(&|| false).then_some(traced)
    }

    /// Waits for the next stop; false if it is over before, or the process is gone.
    fn is_stopped_before(&self, is_over: &dyn Fn() -> bool) -> bool {
        loop {
            match waitid(Id::Pid(self.0), WaitPidFlag::WSTOPPED | WaitPidFlag::WNOHANG) {
                Ok(WaitStatus::StillAlive) if is_over() => return false,
                Ok(WaitStatus::StillAlive) | Err(Errno::EINTR) => thread::sleep(Duration::from_micros(50)),
                Ok(_) => return true,
                Err(_) => return false,
            }
        }
    }

    /// Lets it go on to its `count`-th stop and kills it there. False if it is over before.
    pub fn kill_at(&self, count: usize, is_over: &dyn Fn() -> bool) -> bool {
        for _ in 0..count {
            if ptrace::syscall(self.0, None).is_err() || !self.is_stopped_before(is_over) {
                return false;
            }
        }
        signal(self.0.as_raw() as u32, Signal::SIGKILL);
        true
    }

    /// Lets it go on past its last stop, that of its end.
    pub fn let_end(&self) {
        // It may have ended without one.
        let _ = ptrace::cont(self.0, None);
    }

    /// Lets it go on by itself, if it is there.
    pub fn let_go(self) {
        if ptrace::interrupt(self.0).is_ok() && self.is_stopped_before(&|| !procfs::is_alive(self.0.as_raw() as u32)) {
            // It may have been killed meanwhile.
            let _ = ptrace::detach(self.0, None);
        }
    }
}
