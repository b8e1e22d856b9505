//! Pools: how they start, change size, are shared, nest, and end.

mod burdens;
mod cpu;
mod defaults;
mod endings;
mod keyed;
mod life;
mod nested;
mod processes;
mod program_end;
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
            burdens::CASES, cpu::CASES, defaults::CASES, endings::CASES, keyed::CASES, life::CASES, nested::CASES,
            processes::CASES, program_end::CASES, reuse::CASES, settings::CASES, shares::CASES, shutdown::CASES,
            sizes::CASES, spares::CASES, tree::CASES,
        ];
        let programs = [
            cpu::PROGRAMS, nested::PROGRAMS, processes::PROGRAMS, program_end::PROGRAMS, reuse::PROGRAMS,
            shares::PROGRAMS, shutdown::PROGRAMS, tree::PROGRAMS,
        ]
        .concat();
        loky_tests::run(&areas, &programs)
    }
}
