//! Programs under difficult conditions: how they are started, what they lack, and what they forgot.

mod entry;
mod hostile;
mod missing;

use std::process::ExitCode;

loky::main! {
    fn main() -> ExitCode {
        loky_tests::run(&[entry::CASES, hostile::CASES, missing::CASES], &[entry::PROGRAMS, missing::PROGRAMS].concat())
    }
}
