//! Workers that are kept from something: each such thing is really tried, in a worker that must not be able to do it,
//! and outside, where it must work, or the attempt would prove nothing.

mod attempt;
mod everywhere;
mod files;
mod kernel;
mod limits;
mod network;
mod privileges;

use std::process::ExitCode;

loky::main! {
    fn main() -> ExitCode {
        let areas =
            [everywhere::CASES, files::CASES, kernel::CASES, limits::CASES, network::CASES, privileges::CASES];
        let programs = [attempt::PROGRAMS, kernel::PROGRAMS, privileges::PROGRAMS].concat();
        loky_tests::run(&areas, &programs)
    }
}
