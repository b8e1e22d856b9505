//! Options that are no options: a word, a literal, a path, a mistake between two others.

#[loky::task("add")]
fn literal() {}

#[loky::task(fast)]
fn word() {}

#[loky::task(loky::fast = 1)]
fn path() {}

#[loky::task(name: "add")]
fn colon() {}

#[loky::task(name = "one" retries = 2)]
fn no_comma() {}

#[loky::task(timeout = )]
fn no_value() {}

#[loky::task = "add"]
fn equals() {}

fn main() {
    literal::spawn();
    word::spawn();
    path::spawn();
    colon::spawn();
    no_comma::spawn();
    no_value::spawn();
    equals();
}
