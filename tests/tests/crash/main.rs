//! Workers that die: what the caller reads, and that everybody else goes on.

mod claims;
mod deaths;
mod neighbors;
mod outside;
mod retries;
mod table;

use std::process::ExitCode;

loky::main! {
    fn main() -> ExitCode {
        let areas = [claims::CASES, deaths::CASES, neighbors::CASES, outside::CASES, retries::CASES, table::CASES];
        loky_tests::run(&areas, &[])
    }
}
