//! Programs under difficult conditions: how they are started, what they lack, and what they forgot.

mod descriptors;
mod entry;
mod hostile;
mod missing;
mod surroundings;
mod zygote;
mod zygote_lost;

use std::process::ExitCode;

loky::main! {
    fn main() -> ExitCode {
        let areas = [
            descriptors::CASES, entry::CASES, hostile::CASES, missing::CASES, surroundings::CASES, zygote::CASES,
            zygote_lost::CASES,
        ];
        loky_tests::run(&areas, &[entry::PROGRAMS, missing::PROGRAMS, surroundings::PROGRAMS, zygote::PROGRAMS].concat())
    }
}
