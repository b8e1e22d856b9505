//! What travels beside the bytes. Large data that all processes share: where it can stand, who holds it, and that it goes
//! with its last holder. Descriptors.

mod apart;
mod ends;
mod fd_kinds;
mod fds;
mod names;
mod places;
mod ranges;
mod tools;
mod want;
mod weight;

use std::process::ExitCode;

loky::main! {
    fn main() -> ExitCode {
        let arrays = [
            apart::CASES, ends::CASES, names::CASES, places::CASES, ranges::CASES, want::CASES, weight::CASES,
        ];
        let programs = [names::PROGRAMS, want::PROGRAMS].concat();
        loky_tests::run(&[&arrays[..], &[fds::CASES, fd_kinds::CASES]].concat(), &programs)
    }
}
