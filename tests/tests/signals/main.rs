//! Signals: to the program, to its group, to its workers and to its zygote.

mod course;
mod drain;
mod group;
mod others;
mod workers;

use std::process::ExitCode;

loky::main! {
    fn main() -> ExitCode {
        let areas = [course::CASES, drain::CASES, others::CASES, workers::CASES];
        let programs = [course::PROGRAMS, drain::PROGRAMS, others::PROGRAMS, workers::PROGRAMS];
        loky_tests::run(&areas, &programs.concat())
    }
}
