//! What travels beside the bytes. Large data that all processes share: where it can stand, who holds it, and that it goes
//! with its last holder. Descriptors.

mod ends;
mod fds;
mod names;
mod places;
mod tools;
mod weight;

use std::process::ExitCode;

loky::main! {
    fn main() -> ExitCode {
        let areas = [ends::CASES, fds::CASES, names::CASES, places::CASES, weight::CASES];
        loky_tests::run(&areas, names::PROGRAMS)
    }
}
