//! Values of the wrong sort, each with the right one beside it in what is said.

#[loky::task(name = 3, timeout = "2", retries = 4294967296)]
fn first() {}

#[loky::task(name = b"bytes", timeout = "1.5s", retries = 2.0)]
fn second() {}

#[loky::task(name = "  ", timeout = "99999999999999999999s", retries = "many")]
fn third() {}

#[loky::task(name = NAME, timeout = LIMIT, retries = 1 + 2)]
fn fourth() {}

#[loky::task(timeout = "-1s", crate = loky::<u8>, retries = true)]
fn fifth() {}

const NAME: &str = "name";
const LIMIT: &str = "2s";

fn main() {
    let _ = (NAME, LIMIT);
    first::spawn();
    second::spawn();
    third::spawn();
    fourth::spawn();
    fifth::spawn();
}
