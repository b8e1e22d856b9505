//! A task is still a function: a pointer, a constant, an argument of `map`; and its name is free for a variable.

#![deny(warnings)]

use loky::prelude::*;

#[loky::task]
const fn add(a: i64, b: i64) -> i64 {
    a + b
}

#[loky::task]
fn double(x: i64) -> i64 {
    2 * x
}

struct Settings {
    double: fn(i64) -> i64,
}

static TABLE: [fn(i64) -> i64; 2] = [double, i64::abs];

const SUM: i64 = add(20, 22);

fn apply<F: Fn(i64) -> i64>(function: F, double: i64) -> i64 {
    function(double)
}

fn shadowed(add: i64) -> i64 {
    let double = add + 1;
    [1, 2].iter().map(|add| add * double).sum()
}

loky::main! {
    fn main() -> Result<(), loky::Error> {
        let pointer: fn(i64, i64) -> i64 = add;
        assert_eq!([SUM, add(20, 22), pointer(20, 22), add.run(20, 22)?], [42; 4]);
        assert_eq!(vec![1, 2].into_iter().map(double).collect::<Vec<_>>(), [2, 4]);
        assert_eq!(vec![1, 2].into_iter().par_map(double).collect::<Result<Vec<_>, _>>()?, [2, 4]);
        assert_eq!((Settings { double }.double)(2) + TABLE[0](3) + apply(double, 4), 18);
        assert_eq!(shadowed(1), 6);
        assert_eq!([1, 2].map(|add| double(add)), [2, 4]);
        let boxed: Box<dyn Fn(i64) -> i64> = Box::new(double);
        assert_eq!(boxed(21), 42);
        let double = double.spawn(5);
        let add = add::spawn(1, 2);
        assert_eq!((double.join()?, add.join()?), (10, 3));
        Ok(())
    }
}
