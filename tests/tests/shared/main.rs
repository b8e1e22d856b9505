//! Large data that all processes share: where it can stand, who holds it, and that it goes with its last holder.

mod ends;
mod places;
mod tools;
mod weight;

use std::process::ExitCode;

loky::main! {
    fn main() -> ExitCode {
        loky_tests::run(&[ends::CASES, places::CASES, weight::CASES], &[])
    }
}
