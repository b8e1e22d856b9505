//! How far a `par_map` and its tasks have come: on a terminal, elsewhere, and in the error of a call that was cut short.

mod bars;
mod lines;
mod own;

use std::process::ExitCode;

loky::main! {
    fn main() -> ExitCode {
        let areas = [bars::CASES, lines::CASES, own::CASES];
        loky_tests::run(&areas, &[bars::PROGRAMS, lines::PROGRAMS].concat())
    }
}
