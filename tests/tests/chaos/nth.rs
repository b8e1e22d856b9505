//! The system refuses the n-th of what a program asks it for, for every n there is: the n-th process or thread, descriptor,
//! mapping, write. Every call is served or its error says what was refused; nothing hangs, nothing ends, nothing is left.
//!
//! The case traces a whole program as a debugger does, but none of its workers, and makes one system call fail. How that is
//! done depends on the processor, and is written for one.

use std::io::{Read, Write};
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use loky::prelude::*;
use loky::{Error, ErrorKind};
use loky_tests::sys::signal;
use loky_tests::tasks::{Blob, Death, add, die, echo, square};
use loky_tests::{Case, Program, cases, patience, pool_of, procfs, program, programs, soon};
use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

pub(crate) const CASES: &[Case] = cases![
    race_07_the_nth_process_or_thread_is_refused: 180,
    race_07_the_nth_of_each_kind_of_descriptor_is_refused: 240,
    race_07_the_nth_mapping_is_refused: 240,
    race_07_the_nth_write_is_refused: 240,
];

pub(crate) const PROGRAMS: &[Program] = programs![lives_a_life];

/// A call, a death, a large call, a map, and the end; each is served or refused for want of something.
fn lives_a_life() {
    println!("ready");
    std::io::stdin().read_exact(&mut [0]).expect("the tracer is there");
    let (threads, descriptors) = (procfs::threads().len(), procfs::descriptors().len());
    let pool = pool_of(1);
    let large = echo.bind(Blob(vec![3; 100_000])).on(&pool);
    assert_told(add.bind(1, 2).on(&pool).run().map(|sum| assert_eq!(sum, 3)));
    assert_told(die.bind(Death::Abort).on(&pool).run().map(|_| unreachable!("it dies")));
    assert_told(large.run().map(|blob| assert!(blob.0 == vec![3; 100_000])));
    for _ in 0..3 {
        // Each time it has to be woken.
        soon("the workers sleep", Duration::from_secs(10), || {
            procfs::children(std::process::id()).iter().all(|worker| worker.state != 'R')
        });
        assert_told(add.bind(1, 2).on(&pool).run().map(drop));
    }
    for result in (0..20).par_map(square).on(&pool) {
        assert_told(result.map(drop));
    }
    pool.shutdown();
    drop(pool);
    assert_eq!(procfs::children(std::process::id()), []);
    // Nobody can be refused anything any more, but for what is asked here.
    soon("all is given back", Duration::from_secs(5), || {
        procfs::threads().len() == threads && procfs::descriptors().len() == descriptors
    });
}

fn assert_told(result: Result<(), Error>) {
    let Err(error) = result else { return };
    assert!(matches!(error.kind(), ErrorKind::Launch | ErrorKind::Crash), "{error}");
    assert!(error.to_string().len() > 40, "it says why: {error}");
}

/// What is refused, and how.
struct Refusal {
    calls: &'static [i64],
    errno: i32,
}

/// What has come of one life.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// Nothing was refused: there were fewer of these.
    Untouched,
    Well,
    Hung,
    Ill(String),
}

/// A program of which every thread is stopped before and after each of its system calls.
struct Traced {
    child: Child,
    refusal: Refusal,
    left: usize,
    /// The thread whose call was just refused.
    refused: Option<Pid>,
    has_refused: bool,
}

impl Traced {
    /// `None` where nobody may trace.
    fn start(refusal: Refusal, nth: usize) -> Option<Self> {
        let mut command = program("lives_a_life");
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("the program starts");
        // What comes before is the loader's.
        child.stdout.take().expect("it is piped").read_exact(&mut [0; 5]).expect("it is ready");
        let pid = Pid::from_raw(child.id() as i32);
        let options = Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_TRACECLONE | Options::PTRACE_O_EXITKILL;
        if ptrace::seize(pid, options).and_then(|()| ptrace::interrupt(pid)).is_err() {
            drop(child.stdin.take());
            let _ = child.wait();
            return None;
        }
        child.stdin.take().expect("it is piped").write_all(b"x").expect("it reads that");
        Some(Self { child, refusal, left: nth, refused: None, has_refused: false })
    }

    fn watch(mut self) -> End {
        let pid = self.child.id();
        let (is_over, over) = mpsc::channel::<()>();
        let watchdog = thread::spawn(move || {
            let has_hung =
                over.recv_timeout(Duration::from_secs(20) * patience()) == Err(mpsc::RecvTimeoutError::Timeout);
            if has_hung {
                println!("{}", procfs::dump(pid));
                signal(pid, Signal::SIGKILL);
            }
            has_hung
        });
        let code = self.follow(Pid::from_raw(pid as i32));
        drop(is_over);
        let mut said = String::new();
        let _ = self.child.stderr.take().expect("it is piped").read_to_string(&mut said);
        match (watchdog.join().expect("no panic"), code) {
            (true, _) => End::Hung,
            (false, Some(0)) if said.contains("panicked at loky/") => End::Ill(said),
            (false, Some(0)) if self.has_refused => End::Well,
            (false, Some(0)) => End::Untouched,
            (false, code) => End::Ill(format!("it ended with {code:?}: {said}")),
        }
    }

    /// To the end of the program. Returns its exit code, if it has one.
    fn follow(&mut self, program: Pid) -> Option<i32> {
        loop {
            let stopped = match waitpid(None, Some(WaitPidFlag::__WALL)) {
                Ok(WaitStatus::PtraceSyscall(thread)) => {
                    self.at_call(thread);
                    (thread, None)
                }
                Ok(WaitStatus::Stopped(thread, signal)) => (thread, Some(signal)),
                Ok(WaitStatus::PtraceEvent(thread, ..)) => (thread, None),
                Ok(WaitStatus::Exited(process, code)) if process == program => return Some(code),
                Ok(WaitStatus::Signaled(process, ..)) if process == program => return None,
                Err(Errno::EINTR) | Ok(_) => continue,
                Err(why) => panic!("waitpid: {why}"),
            };
            // It may have been killed meanwhile.
            let _ = ptrace::syscall(stopped.0, stopped.1);
        }
    }

    /// A thread is about to make a call, or has made it.
    fn at_call(&mut self, thread: Pid) {
        let Ok(mut registers) = ptrace::getregs(thread) else { return };
        if self.refused == Some(thread) {
            registers.rax = -i64::from(self.refusal.errno) as u64;
            self.refused = None;
        } else if !self.has_refused && self.is_meant(&registers) {
            self.left -= 1;
            if self.left > 0 {
                return;
            }
            // There is no such call.
            registers.orig_rax = u64::MAX;
            (self.refused, self.has_refused) = (Some(thread), true);
        } else {
            return;
        }
        ptrace::setregs(thread, registers).expect("the thread is stopped");
    }

    fn is_meant(&self, registers: &libc::user_regs_struct) -> bool {
        // What the kernel shows before a call is made.
        let is_entry = registers.rax as i64 == -i64::from(libc::ENOSYS);
        // Without what is small and the process's own, the standard library and the C library end it.
        let is_own = registers.orig_rax as i64 == libc::SYS_mmap
            && registers.r10 as i32 & libc::MAP_ANONYMOUS != 0
            && registers.rsi < LARGE;
        is_entry && !is_own && self.refusal.calls.contains(&(registers.orig_rax as i64))
    }
}

/// In bytes: smaller pieces of memory are no thread's stack and nobody's data.
const LARGE: u64 = 64 << 10;

/// Refuses the first of these calls, the second, and so on, as many as there are.
fn refuse_each(calls: &'static [i64], errno: i32) {
    for nth in 1.. {
        let Some(traced) = Traced::start(Refusal { calls, errno }, nth) else {
            return println!("not tried: nobody may trace");
        };
        match traced.watch() {
            End::Untouched => return println!("{} of {calls:?}", nth - 1),
            End::Well => {}
            end => panic!("number {nth} of {calls:?}, error {errno}: {end:?}"),
        }
    }
}

fn race_07_the_nth_process_or_thread_is_refused() {
    refuse_each(&[libc::SYS_clone, libc::SYS_clone3, libc::SYS_vfork, libc::SYS_fork], libc::EAGAIN);
}

fn race_07_the_nth_of_each_kind_of_descriptor_is_refused() {
    for (call, errno) in [
        (libc::SYS_memfd_create, libc::ENFILE),
        (libc::SYS_pidfd_open, libc::EMFILE),
        (libc::SYS_pipe2, libc::EMFILE),
        (libc::SYS_socketpair, libc::ENFILE),
        (libc::SYS_eventfd2, libc::EMFILE),
        (libc::SYS_epoll_create1, libc::EMFILE),
        (libc::SYS_epoll_ctl, libc::ENOMEM),
        (libc::SYS_fcntl, libc::EMFILE),
        (libc::SYS_ftruncate, libc::ENOSPC),
    ] {
        refuse_each(Box::leak(Box::new([call])), errno);
    }
}

fn race_07_the_nth_mapping_is_refused() {
    refuse_each(&[libc::SYS_mmap], libc::ENOMEM);
}

/// Bells, descriptors, and what a worker is told at first.
fn race_07_the_nth_write_is_refused() {
    refuse_each(&[libc::SYS_sendto, libc::SYS_sendmsg], libc::ENOBUFS);
}
