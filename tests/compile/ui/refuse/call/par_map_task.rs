//! What a task without arguments cannot be applied to: items. Nor can a closure of Rust's own that borrows.

use loky::prelude::*;

#[loky::task]
fn nothing() -> u8 {
    1
}

fn main() {
    let k = 2;
    let _a: Vec<_> = vec![1].par_map(nothing).collect();
    let _b: Vec<_> = vec![1].par_map(|x: i32| x * k).collect();
}
