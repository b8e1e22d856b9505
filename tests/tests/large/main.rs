//! What is large and travels by value: how it arrives, what it costs where there is no memory for it, and who dies
//! meanwhile.

mod deaths;
mod giants;
mod no_memory;
mod shapes;
mod slices;

use std::process::ExitCode;

loky::main! {
    fn main() -> ExitCode {
        loky_tests::run(&[deaths::CASES, giants::CASES, no_memory::CASES, shapes::CASES, slices::CASES], &[])
    }
}
