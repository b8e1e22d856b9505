//! The attribute on something else.

#[loky::task]
struct Model {
    factor: f64,
}

#[loky::task]
mod tasks {
    pub fn add(a: i64, b: i64) -> i64 {
        a + b
    }
}

fn main() {
    let _ = Model { factor: 1.0 }.factor;
    tasks::add(1, 2);
}
