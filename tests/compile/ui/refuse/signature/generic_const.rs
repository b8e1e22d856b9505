//! A generic `const fn`, whose instances nothing could find.

#[loky::task]
const fn same<T: Copy>(x: T) -> T {
    x
}

#[loky::task]
const fn length<const N: usize>(_: [u8; N]) -> usize {
    N
}

fn main() {
    same(1);
    length([1]);
}
