//! What is told of a pool: its numbers, its trace, its page. Each number is compared with what has really happened.

mod browser;
mod causes;
mod programs;
mod report;
mod stats;
mod trace;

use std::process::ExitCode;

loky::main! {
    fn main() -> ExitCode {
        let areas = [browser::CASES, causes::CASES, report::CASES, stats::CASES, trace::CASES];
        loky_tests::run(&areas, programs::PROGRAMS)
    }
}
