//! An error type of one's own, and one of the standard library: the usual first mistake.

use std::num::ParseIntError;

#[derive(Debug)]
enum Failure {
    Parse(ParseIntError),
}

#[loky::task]
fn parse(text: &str) -> Result<i64, Failure> {
    text.parse().map_err(Failure::Parse)
}

#[loky::task]
fn read(path: &str) -> std::io::Result<String> {
    std::fs::read_to_string(path)
}

fn main() {
    let _ = (parse("1"), read(""));
}
