//! Processes by descriptor: a pid may be reused by the kernel, a process descriptor always means the one process.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

/// A process that may have ended already.
#[derive(Debug)]
pub(crate) struct ProcessFd(OwnedFd);

/// The signal that nobody can catch.
pub(crate) const SIGKILL: i32 = libc::SIGKILL;

/// The signals that ask a process to end: one may be sent to a whole group, and hit a worker before it is ready for it.
pub(crate) const SIGINT: i32 = libc::SIGINT;
pub(crate) const SIGTERM: i32 = libc::SIGTERM;
/// The signal of a process that has used up its limit of CPU time.
pub(crate) const SIGXCPU: i32 = libc::SIGXCPU;

/// The signals by which the processor refuses to go on.
pub(crate) const FAULTS: [i32; 4] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE];

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Code(i32),
    Signal(i32),
    /// Somebody else reaped it, or the program ignores SIGCHLD: nobody can tell any more.
    Unknown,
}

impl ProcessFd {
    /// The process with this pid. If it is not a child of ours, the pid may have been reused by now.
    pub(crate) fn open(pid: u32) -> io::Result<Self> {
        // SAFETY: the call takes two numbers and gives back a descriptor or an error.
        let fd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })?;
        let fd = i32::try_from(fd).expect("descriptors are small");
        // SAFETY: the kernel has just made this descriptor for us.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Stops the process where it stands.
    pub(crate) fn stop(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Sends a signal; a process that has ended takes it without complaint.
    fn signal(&self, signal: Signal) {
        let no_info: *const libc::siginfo_t = std::ptr::null();
        // SAFETY: the descriptor is open while `self` lives, and a null pointer is allowed for the signal's details.
        unsafe { libc::syscall(libc::SYS_pidfd_send_signal, self.0.as_raw_fd(), signal as i32, no_info, 0) };
    }

    pub(crate) fn kill(&self) {
        self.signal(Signal::SIGKILL);
    }

    /// How the process, a child of ours, has ended, if it has; it is to be reaped all the same. Never blocks, and is told
    /// at once: to reap, the kernel clears away what it remembers of the process, which may take longer than all else that
    /// is done for a death.
    pub(crate) fn exit(&self) -> Option<Exit> {
        self.wait(WaitPidFlag::WNOWAIT)
    }

    /// Reaps the process, a child of ours, if it has ended. Never blocks, and never touches another child.
    pub(crate) fn try_reap(&self) -> Option<Exit> {
        self.wait(WaitPidFlag::empty())
    }

    fn wait(&self, how: WaitPidFlag) -> Option<Exit> {
        match waitid(Id::PIDFd(self.0.as_fd()), WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | how) {
            Ok(WaitStatus::Exited(_, code)) => Some(Exit::Code(code)),
            Ok(WaitStatus::Signaled(_, signal, _)) => Some(Exit::Signal(signal as i32)),
            Ok(_) | Err(Errno::EINTR) => None,
            Err(_) => Some(Exit::Unknown),
        }
    }
}

impl AsFd for ProcessFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Stops a process where it stands, by pid.
pub(crate) fn stop_pid(pid: u32) {
    signal_pid(pid, Signal::SIGSTOP);
}

/// Kills a process, by pid.
pub(crate) fn kill_pid(pid: u32) {
    signal_pid(pid, Signal::SIGKILL);
}

/// Collects the exit status of a child of ours, if there is one to collect.
pub(crate) fn reap_pid(pid: u32) {
    let Ok(pid) = i32::try_from(pid) else { return };
    let _ = waitid(Id::Pid(Pid::from_raw(pid)), WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG);
}

/// The user whose rights this process has.
#[cfg(feature = "cluster")]
pub(crate) fn user_id() -> u32 {
    // SAFETY: takes nothing, and never fails.
    unsafe { libc::geteuid() }
}

/// How many processors this machine has that are switched on, whoever may use them.
#[cfg(feature = "cluster")]
pub(crate) fn online_cpus() -> Option<usize> {
    let count = nix::unistd::sysconf(nix::unistd::SysconfVar::_NPROCESSORS_ONLN).ok()??;
    usize::try_from(count).ok()
}

/// Has the kernel kill this process when its parent dies. One whose parent is dead already is not killed.
#[cfg(feature = "cluster")]
pub(crate) fn die_with_parent() {
    let _ = nix::sys::prctl::set_pdeathsig(Signal::SIGKILL);
}

/// The parent of this process.
pub(crate) fn parent_pid() -> u32 {
    nix::unistd::getppid().as_raw().unsigned_abs()
}

/// The name of a signal, such as "SIGSEGV"; "signal 40" where it has none.
pub(crate) fn signal_name(signal: i32) -> String {
    Signal::try_from(signal).map_or_else(|_| format!("signal {signal}"), |signal| signal.as_str().to_string())
}

/// Which limit is behind a refusal of the system, and where it is set.
pub(crate) fn limit_behind(why: &io::Error) -> Option<&'static str> {
    match why.raw_os_error()? {
        libc::EAGAIN => Some("the limit of processes and threads (`ulimit -u`, or that of a cgroup)"),
        libc::EMFILE => Some("the limit of open files (`ulimit -n`)"),
        libc::ENFILE => Some("the limit of open files of the whole system"),
        libc::ENOMEM => Some("the limit of memory"),
        _ => None,
    }
}

/// Ends this process at once, without running anything that was registered for its end.
pub(crate) fn exit_now(code: i32) -> ! {
    // SAFETY: takes a number and does not return.
    unsafe { libc::_exit(code) }
}

fn signal_pid(pid: u32, signal: Signal) {
    // Zero and negative numbers mean groups of processes, never one.
    if let Some(pid) = i32::try_from(pid).ok().filter(|&pid| pid > 1) {
        let _ = kill(Pid::from_raw(pid), signal);
    }
}
