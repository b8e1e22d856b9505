//! An integration test with a task of its own.

use loky::prelude::*;

#[loky::task]
fn own(x: u8) -> u8 {
    x * 2
}

#[test]
fn own_task() {
    assert_eq!(own.run(4).unwrap(), 8);
}
