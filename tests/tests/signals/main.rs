//! Signals: to the program, to its group, to its workers and to its zygote.

mod course;
mod drain;
mod group;
mod others;
mod workers;

use std::process::ExitCode;

use nix::sys::signal::Signal;

loky::main! {
    fn main() -> ExitCode {
        // A shell starts what it runs in the background with interrupts ignored, and that would be heeded.
        [Signal::SIGINT, Signal::SIGTERM].into_iter().for_each(loky_tests::sys::restore_default);
        let areas = [course::CASES, drain::CASES, others::CASES, workers::CASES];
        let programs = [course::PROGRAMS, drain::PROGRAMS, others::PROGRAMS, workers::PROGRAMS];
        loky_tests::run(&areas, &programs.concat())
    }
}
