//! A benchmark without a harness and without `loky::main!`.

use loky::prelude::*;

fn main() {
    let sum = (0..100).map(|x| (x, 1)).par_map(plain::add).unwrap_all().into_iter().sum::<i64>();
    assert_eq!(sum, 5050);
    println!("the benchmark adds");
}
