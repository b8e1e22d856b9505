//! A handle or a call that nobody looks at.

#![deny(unused_must_use)]

use loky::prelude::*;

#[loky::task]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

fn main() {
    add.spawn(1, 2);
    add::spawn(1, 2);
    add.bind(1, 2);
    add.run(1, 2);
    loky::closure!(|| 1);
    [(1, 2)].par_map(add);
}
