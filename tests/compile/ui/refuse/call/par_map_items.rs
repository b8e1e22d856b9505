//! Items that are not the arguments of the task.

use loky::prelude::*;

#[loky::task]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

#[loky::task]
fn length(text: &str) -> usize {
    text.len()
}

fn main() {
    let _a: Vec<_> = vec!["a", "b"].par_map(add).collect();
    let _b: Vec<_> = vec![(1, 2, 3)].par_map(add).collect();
    let _c: Vec<_> = vec![1, 2].par_map(length).collect();
    let _d: Vec<_> = vec![1.5].par_map(loky::closure!(|x: i64| x)).collect();
    let _e: Vec<_> = vec![(1, "2")].par_map(add).collect();
}
