//! `par_map`: the right results in the right order, pulled lazily, with one error per failed item.

mod faults;
mod items;
mod lazy;
mod output;

use std::process::ExitCode;

loky::main! {
    fn main() -> ExitCode {
        loky_tests::run(&[faults::CASES, items::CASES, lazy::CASES, output::CASES], output::PROGRAMS)
    }
}
