//! The memory of workers: limits, growth, and what the kernel's out-of-memory killer leaves behind; and that nothing
//! of ours holds on to memory.

mod errands;
mod figures;
mod growth;
mod limit;
mod objects;
mod oom;

use std::process::ExitCode;

loky::main! {
    fn main() -> ExitCode {
        let areas = [errands::CASES, growth::CASES, limit::CASES, objects::CASES, oom::CASES];
        let programs = [growth::PROGRAMS, objects::PROGRAMS, oom::PROGRAMS].concat();
        loky_tests::run(&areas, &programs)
    }
}
