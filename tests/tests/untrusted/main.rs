//! The example `untrusted`, as its users would meet it: a service in a process of its own, spoken to over TCP by clients
//! of which some mean harm.
//!
//! Cargo builds the example, unless it has built the whole workspace before; so the first case may take a while.

mod client;
mod images;
mod program;
mod traffic;

use std::process::ExitCode;

loky::main! {
    fn main() -> ExitCode {
        loky_tests::run(&[traffic::CASES], &[])
    }
}
