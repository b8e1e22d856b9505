//! A `main` written by hand, with the statement or the function at its beginning, twice for good measure.

#![deny(warnings)]

use loky::prelude::*;

#[loky::task]
fn add(a: u8, b: u8) -> u8 {
    a + b
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    loky::main!();
    loky::init();
    assert_eq!(add.run(1, 2)?, 3);
    Ok(())
}
