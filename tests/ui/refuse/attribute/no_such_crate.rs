//! A path at which the library is not.

#[loky::task(crate = crate::processes)]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

fn main() {
    add(1, 2);
}
