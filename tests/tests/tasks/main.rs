//! What can be a task, seen from a crate as strict as users make them: the attribute leaves nothing for a lint to find.

#![forbid(unsafe_code)]
#![deny(warnings, nonstandard_style, future_incompatible, missing_debug_implementations, unused_qualifications)]
#![deny(clippy::pedantic, clippy::missing_docs_in_private_items)]

mod borrowed;
mod closures;
mod futures;
mod generic;
mod options;
mod places;
mod shapes;

use std::process::ExitCode;

loky::main! {
    fn main() -> ExitCode {
        loky_tests::run(&[borrowed::CASES, closures::CASES, futures::CASES, generic::CASES, options::CASES, places::CASES, shapes::CASES], &[])
    }
}
