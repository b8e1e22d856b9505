//! A program in a process group of its own, as a shell starts one: what is typed at a terminal reaches all of it.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use loky::Pool;
use loky::prelude::*;
use loky_tests::tasks::square;
use loky_tests::{Gate, ms, procfs, program, within};
use nix::sys::prctl;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// The program, and all that it has started and that has not left the group.
pub(crate) struct Group(Child);

/// How the program has ended.
pub(crate) struct Ended {
    /// By which signal.
    pub(crate) signal: Option<i32>,
    /// With which code.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// How long after the last thing that was done to it.
    pub(crate) after: Duration,
}

impl Group {
    /// Starts a program, with fresh gates.
    pub(crate) fn start(name: &str) -> Self {
        Self::of(program(name))
    }

    /// The same with a program of another binary.
    pub(crate) fn of(mut command: Command) -> Self {
        prctl::set_child_subreaper(true).expect("so that every orphan becomes ours");
        make_gates();
        command.stdin(Stdio::null()).process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(command.spawn().expect("the program starts"))
    }

    /// The same, and waits until it has arrived at "ready".
    pub(crate) fn ready(name: &str) -> Self {
        let group = Self::start(name);
        gate("ready").await_arrivals(1);
        group
    }

    /// The same, and nobody reads what it prints.
    pub(crate) fn without_readers(name: &str) -> Self {
        let mut group = Self::start(name);
        drop((group.0.stdout.take(), group.0.stderr.take()));
        group
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Sends a signal to all of it, as Ctrl-C does.
    pub(crate) fn signal(&self, signal: Signal) {
        killpg(Pid::from_raw(self.0.id() as i32), signal).expect("the program is ours and not reaped");
    }

    /// The same, and waits until so many pools have heard of it that tell.
    pub(crate) fn hears(&self, signal: Signal, pools: usize) {
        self.signal(signal);
        gate("heard").await_arrivals(pools);
    }

    /// Sends a signal to all of it; the program must end by itself, and leave nobody.
    pub(crate) fn ends_by(self, signal: Signal) -> Ended {
        let pid = self.0.id();
        self.ends_once(|| killpg(Pid::from_raw(pid as i32), signal).expect("the program is ours and not reaped"))
    }

    /// The program ends once this is done; nobody of it may be left a second later.
    pub(crate) fn ends_once(self, act: impl FnOnce()) -> Ended {
        let begun = Instant::now();
        act();
        // Whoever is left would hold the streams.
        let Output { status, stdout, stderr } = self.0.wait_with_output().expect("the program is ours");
        let after = begun.elapsed();
        let is_gone = || {
            procfs::reap_orphans();
            procfs::below(std::process::id()).is_empty().then_some(())
        };
        if within(ms(1000), is_gone).is_none() {
            panic!("a second after the program's end there is still:\n{}", procfs::dump_below(std::process::id()));
        }
        let text = |bytes| String::from_utf8(bytes).expect("the programs print text");
        Ended { signal: status.signal(), code: status.code(), stdout: text(stdout), stderr: text(stderr), after }
    }
}

impl Ended {
    /// As by this signal, and without a word on standard error.
    #[track_caller]
    pub(crate) fn quietly_by(self, signal: Signal) -> Self {
        assert_eq!((self.signal, self.stderr.as_str()), (Some(signal as i32), ""), "stdout: {}", self.stdout);
        self
    }
}

/// The program ends within `limit`, if the machine lets it: what comes of it the first time that it does.
#[track_caller]
pub(crate) fn soon(limit: Duration, play: impl Fn() -> Ended) -> Ended {
    let tries = (0..5).map(|_| play()).find(|ended| ended.after < limit);
    tries.unwrap_or_else(|| panic!("it never ended within {limit:?}"))
}

/// Makes fresh gates: "ready", "gate", "word" and "heard".
pub(crate) fn make_gates() {
    for gate in ["ready", "gate", "word", "heard"] {
        std::fs::remove_dir_all(loky_tests::scratch().join(gate)).unwrap_or_default();
        Gate::new(gate);
    }
}

/// One of the gates of the case.
pub(crate) fn gate(name: &str) -> Gate {
    Gate::of_the_case(name)
}

/// Has the pool tell at "heard" when it has heard of an interrupt. It must be busy until then.
pub(crate) fn tell_when_heard(pool: &Pool) {
    square.bind(0).on(pool).priority(-1).spawn().on_done(|result| {
        if result.is_err() {
            gate("heard").arrive("heard");
        }
    });
}

/// Says that everything is in place, and waits for the end.
pub(crate) fn stay() -> ! {
    gate("ready").arrive("ready");
    loop {
        std::thread::sleep(ms(1_000_000));
    }
}
