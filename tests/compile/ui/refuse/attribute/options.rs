//! All mistakes in the options of one task are told at once.

#[loky::task(name = "", timeout = "2 hours", retries = -1, color = "red", crate = "loky")]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

#[loky::task(timeout = 2, retries = "3", name = concat!("a", "b"))]
fn subtract(a: i64, b: i64) -> i64 {
    a - b
}

#[loky::task(retries = 1, retries = 2, timeout = "0s")]
fn multiply(a: i64, b: i64) -> i64 {
    a * b
}

#[loky::task(retries)]
fn divide(a: i64, b: i64) -> i64 {
    a / b
}

fn main() {
    add::spawn(add(1, 2), 3);
    subtract::spawn(subtract(1, 2), 3);
    multiply::spawn(multiply(1, 2), 3);
    divide::spawn(divide(1, 2), 3);
}
