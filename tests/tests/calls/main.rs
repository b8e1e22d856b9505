//! Calls that go well: spawning, handles, waiting, options and arguments.

mod arguments;
mod awaiting;
mod callback_crashes;
mod callbacks;
mod cancel;
mod cooperative;
mod handles;
mod limits;
mod outcomes;
mod patience;
mod queue;
mod queue_bytes;
mod rows;
mod submit;
mod timeouts;
mod values;
mod waiting;

use std::process::ExitCode;

loky::main! {
    fn main() -> ExitCode {
        let areas = [
            arguments::CASES, awaiting::CASES, callback_crashes::CASES, callbacks::CASES, cancel::CASES,
            cooperative::CASES, handles::CASES, limits::CASES, outcomes::CASES, patience::CASES, queue::CASES,
            queue_bytes::CASES, rows::CASES, submit::CASES, timeouts::CASES, values::CASES, waiting::CASES,
        ];
        loky_tests::run(&areas, &[])
    }
}
