//! Results that come from another process and cannot.

use std::fmt::Display;

#[loky::task]
fn first(words: &str) -> &str {
    words
}

#[loky::task]
fn halves(bytes: &[u8]) -> (&[u8], &[u8]) {
    bytes.split_at(bytes.len() / 2)
}

#[loky::task]
fn shown(number: u64) -> impl Display {
    number
}

#[loky::task]
fn quit(code: i32) -> ! {
    std::process::exit(code)
}

fn main() {
    first("");
    halves(&[]);
    shown(1);
    quit(0);
}
