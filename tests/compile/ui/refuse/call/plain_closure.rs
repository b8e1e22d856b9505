//! A closure of Rust's own that borrows from here.

use loky::prelude::*;

fn main() {
    let k = 2;
    let local = &k;
    let scale = |x: i32| x * local;
    let _a = scale.spawn(1);
}
