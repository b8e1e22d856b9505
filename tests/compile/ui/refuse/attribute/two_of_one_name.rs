//! Beside a task stands a type of its name, so nothing else in the module can have it.

#[loky::task]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

mod add {}

fn main() {
    add(1, 2);
}
