//! A deprecated task is so in every form.

#![deny(deprecated)]

use loky::prelude::*;

#[deprecated(note = "use `new`")]
#[loky::task]
fn old(x: u8) -> u8 {
    x
}

fn main() -> Result<(), loky::Error> {
    old.run(1)?;
    old::run(1)?;
    Ok(())
}
