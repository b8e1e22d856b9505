//! A worker killed at each boundary between its own code and the kernel: before and after every system call that it
//! makes for a call, for a large one, and for its leave.
//!
//! The case traces its worker as a debugger does. It takes no exit status, which is the library's to take.

use std::thread;
use std::time::Duration;

use loky::prelude::*;
use loky::{ErrorKind, Pool};
use loky_tests::sys::signal;
use loky_tests::tasks::{Blob, pid, square};
use loky_tests::{Case, Gate, cases, pool_of, procfs};
use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

pub(crate) const CASES: &[Case] = cases![
    race_06_killed_at_each_boundary_of_a_call: 180,
    race_06_killed_at_each_boundary_of_a_large_call: 180,
    race_06_killed_at_each_boundary_of_its_leave: 120,
];

/// A worker whose first thread is stopped before and after each of its system calls.
struct Traced(Pid);

impl Traced {
    /// `None` where nobody may trace.
    fn seize(worker: u32) -> Option<Self> {
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
    fn kill_at(&self, count: usize, is_over: &dyn Fn() -> bool) -> bool {
        for _ in 0..count {
            if ptrace::syscall(self.0, None).is_err() || !self.is_stopped_before(is_over) {
                return false;
            }
        }
        signal(self.0.as_raw() as u32, Signal::SIGKILL);
        true
    }

    /// Lets it go on by itself, if it is there.
    fn let_go(self) {
        if ptrace::interrupt(self.0).is_ok() && self.is_stopped_before(&|| !procfs::is_alive(self.0.as_raw() as u32)) {
            // It may have been killed meanwhile.
            let _ = ptrace::detach(self.0, None);
        }
    }
}

/// Arrives, so that it is known how often it has run, and gives back what it was given.
#[loky::task]
fn arrive_and_echo(gate: Gate, burden: Blob) -> Blob {
    gate.arrive("ran");
    burden
}

/// Kills the worker at the first boundary of a call, at the second, and so on, until the call is over before.
fn at_each_boundary_of_a_call(len: usize) {
    let pool = pool_of(1);
    let (mut lost, mut count) = (0, 0);
    loop {
        let worker = pid.bind().on(&pool).run().expect("a worker");
        let Some(traced) = Traced::seize(worker) else { return println!("not tried: nobody may trace") };
        let gate = Gate::new(&format!("boundary {count}"));
        let handle = arrive_and_echo.bind(gate.clone(), Blob(vec![5; len])).on(&pool).spawn();
        let is_killed = traced.kill_at(count, &|| handle.is_finished());
        if !is_killed {
            traced.let_go();
        }
        match handle.join() {
            Ok(blob) => assert!(blob.0 == vec![5; len] && gate.arrivals().len() == 1, "boundary {count}"),
            Err(error) => {
                assert_eq!((error.kind(), error.signal()), (ErrorKind::Crash, Some(9)), "boundary {count}: {error}");
                assert_eq!(error.pid(), Some(worker));
                assert!(gate.arrivals().len() <= 1, "what has begun is not run again");
                lost += 1;
            }
        }
        assert_eq!(square.bind(3).on(&pool).run().expect("the pool goes on"), 9);
        if !is_killed {
            break;
        }
        count += 1;
    }
    println!("{count} boundaries, at {lost} of which the call was lost");
    assert!(count >= 6 && lost > 0, "a call that opens a file and writes to it has some");
}

fn race_06_killed_at_each_boundary_of_a_call() {
    at_each_boundary_of_a_call(10);
}

fn race_06_killed_at_each_boundary_of_a_large_call() {
    at_each_boundary_of_a_call(3 << 20);
}

fn race_06_killed_at_each_boundary_of_its_leave() {
    let mut count = 0;
    loop {
        let pool = pool_of(1);
        let worker = pid.bind().on(&pool).run().expect("a worker");
        let Some(traced) = Traced::seize(worker) else { return println!("not tried: nobody may trace") };
        let is_killed = ends_though_killed(&pool, &traced, count);
        assert!(procfs::process(worker).is_none(), "boundary {count}: it is reaped");
        if !is_killed {
            break;
        }
        count += 1;
    }
    println!("{count} boundaries");
    assert!(count > 0);
}

fn ends_though_killed(pool: &Pool, traced: &Traced, count: usize) -> bool {
    thread::scope(|scope| {
        let ending = scope.spawn(|| pool.shutdown());
        let is_killed = traced.kill_at(count, &|| ending.is_finished());
        // At its last stop, that of its end, it waits to be let go.
        let _ = ptrace::cont(traced.0, None);
        ending.join().expect("no panic");
        is_killed
    })
}
