//! Calls are checked as those of a function are.

use loky::prelude::*;

#[loky::task]
fn repeat(text: &str, times: usize) -> String {
    text.repeat(times)
}

fn main() {
    repeat.spawn("a").join();
    repeat::spawn("a", "b").join();
    repeat.bind(1, 2);
}
