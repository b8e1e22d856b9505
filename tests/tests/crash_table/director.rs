//! What a case does for its row: starts the program, has it struck at the point, and looks at how it ends.
//!
//! It stands outside, so that the program itself may be struck. What the program reads is the program's (`scene`).

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};

use loky_tests::sys::signal;
use loky_tests::{Gate, Traced, eventually, ms, procfs, program, within};
use nix::sys::prctl;
use nix::sys::signal::Signal;

use crate::burden::{point, word};
use crate::dimensions::{How, Place, State};
use crate::row::Row;
use crate::table::Reads;

/// Opened when the call may go on to its point: the pool is in its state.
pub(crate) fn hold() -> Gate {
    Gate::of_the_case("hold")
}

/// Where whoever has the pool arrives when the pool is in its state.
pub(crate) fn set() -> Gate {
    Gate::of_the_case("set")
}

/// The body of every case that is a row.
pub(crate) fn direct() {
    let row = Row::named(&loky_tests::own_name());
    if row.place == Place::ArgumentTransit && row.how != How::StopAndKill && !may_trace() {
        return println!("not tried: nobody may trace");
    }
    prctl::set_child_subreaper(true).expect("so that every orphan becomes ours");
    for gate in ["point", "word", "hold", "set", "neighbors"] {
        Gate::new(gate);
    }
    let mut program = program("plays").env("LOKY_TESTS_ROW", row.name()).spawn().expect("the program starts");
    let scene = pid_at(&set());
    let stricken = pid_at(&point());
    if row.place == Place::ResultTransit {
        stop(scene);
        hold().open();
        comes_to_rest(stricken);
        strike(row.how, stricken);
        eventually("it is dead", || !procfs::is_alive(stricken));
        signal(scene, Signal::SIGCONT);
    } else {
        strike(row.how, stricken);
    }
    assert_ended(row, program.wait().expect("the program is ours"));
    let is_gone = || {
        procfs::reap_orphans();
        procfs::below(std::process::id()).is_empty().then_some(())
    };
    let left = || procfs::dump_below(std::process::id());
    assert!(within(ms(1000), is_gone).is_some(), "a second after its end there is still:\n{}", left());
}

/// Whether a process may be traced that this one has started.
fn may_trace() -> bool {
    let mut child = Command::new("sleep").arg("6010").spawn().expect("sleep can be started");
    let is_traced = Traced::seize(child.id()).is_some();
    child.kill().expect("it is ours");
    child.wait().expect("it is ours");
    is_traced
}

fn pid_at(gate: &Gate) -> u32 {
    gate.await_arrivals(1)[0].parse().expect("a pid")
}

fn stop(process: u32) {
    signal(process, Signal::SIGSTOP);
    eventually("it is stopped", || is_in(process, &['T', 't']));
}

fn is_in(process: u32, states: &[char]) -> bool {
    procfs::process(process).is_some_and(|process| states.contains(&process.state))
}

/// Waits until the worker sleeps for good: it has written all that the link takes in.
fn comes_to_rest(worker: u32) {
    let is_at_rest = || {
        let before = procfs::switches_of(worker);
        std::thread::sleep(ms(20));
        is_in(worker, &['S']) && procfs::switches_of(worker) == before
    };
    eventually("the worker waits for room", is_at_rest);
}

fn strike(how: How, stricken: u32) {
    if how == How::StopAndKill {
        stop(stricken);
    }
    if how.comes_from_outside() {
        signal(stricken, Signal::SIGKILL);
    } else {
        word().open();
    }
}

/// In a nested pool, it is a worker of the program that has ended, and the program reads that.
fn assert_ended(row: Row, status: ExitStatus) {
    let is_end = row.reads() == Reads::End && row.state != State::Nested;
    let expected = if is_end { row.how.death() } else { (Some(0), None) };
    assert_eq!((status.code(), status.signal()), expected, "{row:?}");
}
