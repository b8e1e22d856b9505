//! Many machines, each of them an agent that is a process here: what runs where, what is lost with one, and who comes in.
//!
//! A case starts agents and a program by hand, as somebody would with `ssh`. The program does what the case is about, and
//! fails if it is not so; then no agent and no worker may be left.

mod calls;
mod losses;
mod site;
mod strangers;

use std::process::ExitCode;

loky::main! {
    fn main() -> ExitCode {
        let programs = [calls::PROGRAMS, losses::PROGRAMS, strangers::PROGRAMS].concat();
        loky_tests::run(&[calls::CASES, losses::CASES, strangers::CASES], &programs)
    }
}
