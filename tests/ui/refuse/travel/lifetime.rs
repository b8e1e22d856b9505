//! A generic task, with an instance that borrows from here.

use loky::prelude::*;

#[loky::task]
fn count<T: Clone>(all: Vec<T>) -> usize {
    all.len()
}

fn main() {
    let text = String::from("local");
    let _handle = count.spawn(vec![text.as_str()]);
}
