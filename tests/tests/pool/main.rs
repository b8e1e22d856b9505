//! Pools: how they start, change size, are shared, nest, and end.

mod cpu;
mod keyed;
mod life;
mod nested;
mod reuse;
mod settings;
mod shares;
mod shutdown;
mod sizes;
mod spares;
mod tree;

use std::process::ExitCode;

loky::main! {
    fn main() -> ExitCode {
        let areas = [
            cpu::CASES, keyed::CASES, life::CASES, nested::CASES, reuse::CASES, settings::CASES, shares::CASES, shutdown::CASES,
            sizes::CASES, spares::CASES, tree::CASES,
        ];
        let programs = [cpu::PROGRAMS, nested::PROGRAMS, reuse::PROGRAMS, shares::PROGRAMS, shutdown::PROGRAMS, tree::PROGRAMS].concat();
        loky_tests::run(&areas, &programs)
    }
}
