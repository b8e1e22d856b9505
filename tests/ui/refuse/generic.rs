//! Type and const parameters; lifetimes are fine.

#[loky::task]
fn largest<T: PartialOrd + Copy>(all: Vec<T>) -> Option<T> {
    all.first().copied()
}

#[loky::task]
fn chunks<'a, const N: usize>(bytes: &'a [u8]) -> usize {
    bytes.len() / N
}

fn main() {
    largest(vec![1]);
    chunks::<2>(&[]);
}
