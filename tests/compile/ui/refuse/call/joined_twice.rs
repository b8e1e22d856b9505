//! A result is there once.

use loky::prelude::*;

#[loky::task]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

fn main() -> Result<(), loky::Error> {
    let handle = add.spawn(1, 2);
    handle.join()?;
    handle.join()?;
    Ok(())
}
