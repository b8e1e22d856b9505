//! A closure of Rust's own that captures: it has no name on the other side.

use loky::prelude::*;

struct Socket(i32);

fn open(number: i32) -> Socket {
    Socket(number)
}

fn main() {
    let k = 2;
    let local = &k;
    let _a = (|x: i32| x * local).spawn(1);
    let _b = open.spawn(1);
}
