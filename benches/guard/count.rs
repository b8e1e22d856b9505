//! Counts the instructions that the main thread of a program executes between two marks, by stepping through them.
//!
//! A debugger's way, for want of a better: virtual machines have no counters, and the emulators that count know neither
//! the system calls of a process pool nor how to let its workers be. Only the one thread is stepped; workers and other
//! threads run at full speed, so to the counted thread every answer comes at once and there is nothing to spin for.
//!
//! It knows nothing of what is counted: the program marks where counting begins and ends by signals to itself.

use std::fmt;
use std::io::{self, Write};
use std::process::{Child, Command, Stdio};

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, raise};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

/// A signal means one of these only to whoever counts; they never arrive.
const BEGIN: Signal = Signal::SIGUSR1;
const END: Signal = Signal::SIGUSR2;

/// In the counted program: counts what `work` does. Without a counter the program ends here, killed by the mark.
pub(crate) fn window<T>(work: impl FnOnce() -> T) -> T {
    let mark = |signal| raise(signal).expect("a process may send signals to itself");
    mark(BEGIN);
    let made = work();
    mark(END);
    made
}

/// In the counted program: waits until its counter is there.
pub(crate) fn await_counter() {
    let mut line = String::new();
    io::stdin().read_line(&mut line).expect("standard input is the counter's pipe");
}

/// Keeps this thread on the one processor on which counter and counted thread take turns. A turn that had to wake
/// another processor would take ten times as long. What the thread starts from now on is kept there, too.
pub(crate) fn stay_together() -> nix::Result<()> {
    let allowed = sched_getaffinity(THIS_THREAD)?;
    let mut first = CpuSet::new();
    let is_allowed = |cpu: &usize| allowed.is_set(*cpu).unwrap_or(false);
    first.set((0..CpuSet::count()).find(is_allowed).unwrap_or(0))?;
    sched_setaffinity(THIS_THREAD, &first)
}

const THIS_THREAD: Pid = Pid::from_raw(0);

/// Why nothing was counted.
#[derive(Debug)]
pub(crate) enum Failure {
    /// This machine does not let one process step through another.
    NotPermitted(io::Error),
    /// The counted program did not get to its end.
    Ended(WaitStatus),
    Io(io::Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPermitted(why) => write!(f, "stepping is not permitted: {why}"),
            Self::Ended(how) => write!(f, "the counted program ended early: {how:?}"),
            Self::Io(why) => write!(f, "{why}"),
        }
    }
}

/// What the program printed, and how many instructions each of its windows had, in order.
pub(crate) fn count(program: &mut Command) -> Result<(String, Vec<u64>), Failure> {
    let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(Failure::Io)?;
    // Not before the program is there, which would have to share the processor with its workers.
    stay_together().map_err(|why| Failure::Io(why.into()))?;
    let counted = seize(&mut child).and_then(step_through);
    if counted.is_err() {
        // It has not run, or hangs at a mark; there is nothing to ask it for.
        let _ = child.kill();
    }
    let counts = counted?;
    let output = io::read_to_string(child.stdout.take().expect("standard output was asked for as a pipe"));
    Ok((output.map_err(Failure::Io)?, counts))
}

/// Attaches to a program that waits for its first line.
fn seize(child: &mut Child) -> Result<Pid, Failure> {
    let pid = Pid::from_raw(child.id().try_into().expect("a pid fits where the kernel has it from"));
    ptrace::seize(pid, Options::PTRACE_O_EXITKILL).map_err(|why| Failure::NotPermitted(why.into()))?;
    let mut stdin = child.stdin.take().expect("standard input was asked for as a pipe");
    stdin.write_all(b"\n").map_err(Failure::Io)?;
    Ok(pid)
}

fn step_through(pid: Pid) -> Result<Vec<u64>, Failure> {
    let io = |why: nix::Error| Failure::Io(why.into());
    let mut counts = Vec::new();
    let mut running: Option<u64> = None;
    loop {
        let mut pass_on = None;
        match waitpid(pid, None).map_err(io)? {
            WaitStatus::Exited(_, 0) => return Ok(counts),
            WaitStatus::Stopped(_, BEGIN) => running = Some(0),
            WaitStatus::Stopped(_, END) => counts.extend(running.take()),
            WaitStatus::Stopped(_, Signal::SIGTRAP) => running = running.map(|count| count + 1),
            WaitStatus::Stopped(_, signal) => pass_on = Some(signal),
            WaitStatus::PtraceEvent(..) => {}
            ended => return Err(Failure::Ended(ended)),
        }
        if running.is_some() { ptrace::step(pid, pass_on) } else { ptrace::cont(pid, pass_on) }.map_err(io)?;
    }
}
