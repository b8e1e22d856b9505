//! Workers that die: what the caller reads, and that everybody else goes on.

mod claims;
mod deaths;
mod known;
mod neighbors;
mod outside;
mod retries;
mod starts;
mod table;

use std::process::ExitCode;

loky::main! {
    fn main() -> ExitCode {
        let areas = [
            claims::CASES, deaths::CASES, known::CASES, neighbors::CASES, outside::CASES, retries::CASES, starts::CASES,
            table::CASES,
        ];
        loky_tests::run(&areas, known::PROGRAMS)
    }
}
