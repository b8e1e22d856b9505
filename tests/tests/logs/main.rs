//! What tasks log in workers, through `tracing` and through `log`, as the program's subscriber sees it.

mod calls;
mod filter;
mod flood;
mod records;
mod seen;
mod setup;
mod spans;

use std::process::ExitCode;

loky::main! {
    fn main() -> ExitCode {
        let areas =
            [calls::CASES, filter::CASES, flood::CASES, records::CASES, setup::CASES, spans::CASES];
        loky_tests::run(&areas, &[])
    }
}
