//! Programs under difficult conditions: how they are started, what they lack, and what they forgot.

mod descriptors;
mod entry;
mod forbidden;
mod hostile;
mod missing;
mod surroundings;
mod zygote;
mod zygote_lost;

use std::process::ExitCode;

loky::main! {
    fn main() -> ExitCode {
        let areas = [
            descriptors::CASES, entry::CASES, forbidden::CASES, hostile::CASES, missing::CASES, surroundings::CASES,
            zygote::CASES, zygote_lost::CASES,
        ];
        let programs = [
            entry::PROGRAMS, forbidden::PROGRAMS, missing::PROGRAMS, surroundings::PROGRAMS, zygote::PROGRAMS,
        ];
        loky_tests::run(&areas, &programs.concat())
    }
}
