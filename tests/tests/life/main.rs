//! The life of a worker: what it runs first and last, where it runs, how long it stays, and who follows it.

mod affinity;
mod finalizers;
mod initializer_faults;
mod initializers;
mod lifespan;
mod state;

use std::process::ExitCode;

loky::main! {
    fn main() -> ExitCode {
        let areas = [
            affinity::CASES, finalizers::CASES, initializer_faults::CASES, initializers::CASES, lifespan::CASES,
            state::CASES,
        ];
        let programs = [initializer_faults::PROGRAMS, lifespan::PROGRAMS].concat();
        loky_tests::run(&areas, &programs)
    }
}
