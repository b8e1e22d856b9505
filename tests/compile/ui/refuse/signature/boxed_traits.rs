//! A `Box<dyn Trait>` has no type that the other side could know.

use std::error::Error;

#[loky::task]
fn apply(function: Box<dyn Fn(i64) -> i64>) -> i64 {
    function(1)
}

#[loky::task]
fn parse(text: &str) -> Result<i64, Box<dyn Error>> {
    Ok(text.parse()?)
}

fn main() {
    apply(Box::new(|x| x));
    let _ = parse("1");
}
