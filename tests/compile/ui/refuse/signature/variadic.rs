//! What only foreign functions are.

#[loky::task]
unsafe extern "C" fn sum(count: i32, numbers: ...) -> i32 {
    let _ = numbers;
    count
}

fn main() {
    let _ = sum;
}
