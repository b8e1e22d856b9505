//! Calls that go well: spawning, handles, waiting, options and arguments.

mod arguments;
mod callbacks;
mod cancel;
mod handles;
mod limits;
mod patience;
mod rows;
mod submit;
mod waiting;

use std::process::ExitCode;

loky::main! {
    fn main() -> ExitCode {
        let areas = [
            arguments::CASES, callbacks::CASES, cancel::CASES, handles::CASES, limits::CASES,
            patience::CASES, rows::CASES, submit::CASES, waiting::CASES,
        ];
        loky_tests::run(&areas, &[])
    }
}
