//! An example without `loky::main!`.

use loky::prelude::*;

fn main() {
    assert_eq!(plain::add.run(1, 2).unwrap(), 3);
    println!("the example adds");
}
