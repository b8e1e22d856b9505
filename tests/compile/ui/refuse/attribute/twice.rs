//! The attribute given twice.

#[loky::task]
#[loky::task]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

fn main() {
    add(1, 2);
}
