//! Pools: how they start, change size, are shared, nest, and end.

mod cpu;
mod life;
mod nested;
mod reuse;
mod settings;
mod shutdown;
mod sizes;
mod spares;

use std::process::ExitCode;

loky::main! {
    fn main() -> ExitCode {
        let areas = [
            cpu::CASES, life::CASES, nested::CASES, reuse::CASES, settings::CASES, shutdown::CASES, sizes::CASES,
            spares::CASES,
        ];
        let programs = [cpu::PROGRAMS, nested::PROGRAMS, shutdown::PROGRAMS].concat();
        loky_tests::run(&areas, &programs)
    }
}
