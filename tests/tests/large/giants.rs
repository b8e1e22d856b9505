//! More bytes than 31 or 32 bits can count. How many is said by `LOKY_TESTS_LARGE_MIB`: without it, a few.

use loky::prelude::*;
use loky_tests::tasks::{Blob, echo};
use loky_tests::{Case, cases, pool_of};

pub(crate) const CASES: &[Case] = cases![
    ser_08_a_row_of_many_bytes_there: 300,
    ser_08_a_row_of_many_bytes_back: 300,
    ser_08_many_bytes_there_and_back: 300,
];

/// 16 MiB, or as many as `LOKY_TESTS_LARGE_MIB` says.
fn len() -> usize {
    let given = std::env::var("LOKY_TESTS_LARGE_MIB").ok();
    given.map_or(16, |mib| mib.parse::<usize>().expect("a number of MiB")) << 20
}

/// Numbers by which a part that is missing, or comes twice, is seen.
fn numbers() -> Vec<u64> {
    (0..len() as u64 / 8).collect()
}

fn is_whole(numbers: &[u64]) -> bool {
    numbers.len() == len() / 8 && numbers.iter().zip(0..).all(|(number, place)| *number == place)
}

/// How many numbers there are, whether they are all right, and where they begin within a cache line.
#[loky::task]
fn ends_of(numbers: &[u64]) -> (usize, bool, usize) {
    let is_whole = numbers.iter().zip(0..).all(|(number, place)| *number == place);
    (numbers.len(), is_whole, numbers.as_ptr().addr() % 64)
}

#[loky::task]
fn count_to(len: usize) -> Vec<u64> {
    (0..len as u64).collect()
}

fn ser_08_a_row_of_many_bytes_there() {
    let numbers = numbers();
    let call = ends_of.bind(&numbers);
    drop(numbers);
    assert_eq!(call.on(&pool_of(1)).run().expect("it arrives"), (len() / 8, true, 0));
}

fn ser_08_a_row_of_many_bytes_back() {
    assert!(is_whole(&count_to.bind(len() / 8).on(&pool_of(1)).run().expect("it arrives")));
}

fn ser_08_many_bytes_there_and_back() {
    // Each way takes a copy in bytes beside the value, so there are four at a time.
    let len = len() / 2;
    let mut blob = Blob(vec![7; len]);
    blob.0[len - 1] = 8;
    let back = echo.bind(blob).on(&pool_of(1)).run().expect("they arrive");
    assert!(back.0.len() == len && back.0[len - 1] == 8 && back.0[..len - 1].iter().all(|&byte| byte == 7));
}
