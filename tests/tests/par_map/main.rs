//! `par_map`: the right results in the right order, pulled lazily, with one error per failed item.

mod ends;
mod faults;
mod flow;
mod items;
mod lazy;
mod output;

use std::process::ExitCode;

loky::main! {
    fn main() -> ExitCode {
        let areas = [ends::CASES, faults::CASES, flow::CASES, items::CASES, lazy::CASES, output::CASES];
        loky_tests::run(&areas, output::PROGRAMS)
    }
}
