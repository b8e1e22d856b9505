//! What is no task, or one without arguments, applied to items.

use loky::prelude::*;

#[loky::task]
fn nothing() -> u8 {
    1
}

fn main() {
    let k = 2;
    let _a: Vec<_> = vec![1].par_map(nothing).collect();
    let _b: Vec<_> = vec![1].par_map(5).collect();
    let _c: Vec<_> = vec![1].par_map(|x: i32| x * k).collect();
    let _d: Vec<_> = 5.par_map(i32::abs).collect();
}
