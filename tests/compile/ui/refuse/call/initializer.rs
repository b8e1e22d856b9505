//! An initializer whose value nobody would get.

use loky::prelude::*;

#[loky::task]
fn load(path: &str) -> Result<usize, String> {
    Ok(path.len())
}

fn main() {
    let _ = loky::Pool::builder().initializer(load.bind("model.bin"));
}
