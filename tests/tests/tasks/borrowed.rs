//! Arguments that are borrowed: what coerces in a plain call coerces here, and a type need not be `Clone` to be lent.

use std::path::{Path, PathBuf};

use loky::prelude::*;
use loky_tests::{Case, cases, finish};
use serde::{Deserialize, Serialize};

/// The cases of this file.
pub(crate) const CASES: &[Case] = cases![
    task_10_borrows_coerce_as_in_a_plain_call,
    task_11_what_is_lent_need_not_be_clone,
    task_12_named_lifetimes,
    task_13_par_map_supplies_borrowed_arguments,
    task_14_par_map_supplies_several_arguments,
];

/// Every borrowed type there is a shorthand for.
#[loky::task]
fn measure(text: &str, numbers: &[f64], path: &Path, pair: &(u8, String), array: &[u64; 3]) -> usize {
    text.len() + numbers.len() + path.components().count() + pair.1.len() + array.len()
}

/// Owners, arrays and literals become what the function takes.
fn task_10_borrows_coerce_as_in_a_plain_call() {
    let (text, numbers, path) = (String::from("four"), vec![1.0; 3], PathBuf::from("a/b"));
    let pair = (1, String::from("x"));
    assert_eq!(measure.run(&text, &numbers, &path, &pair, &[1; 3]).expect("owners"), 13);
    assert_eq!(measure.run("four", &[1.0; 3], Path::new("a/b"), &pair, &[1; 3]).expect("literals"), 13);
    assert_eq!(measure::run(&text, &numbers[1..], &path, &pair, &[1; 3]).expect("in path form"), 12);
    finish();
}

/// Neither `Clone` nor `Debug`.
#[derive(Serialize, Deserialize)]
struct Model {
    /// What it multiplies by.
    factor: f64,
}

/// Borrows one, and a slice of them.
#[loky::task]
fn predict(model: &Model, others: &[Model], x: f64) -> f64 {
    (model.factor + others.iter().map(|other| other.factor).sum::<f64>()) * x
}

/// The caller encodes the borrow; the worker owns what it lends.
fn task_11_what_is_lent_need_not_be_clone() {
    let (model, others) = (Model { factor: 2.0 }, [Model { factor: 3.0 }, Model { factor: 5.0 }]);
    assert!((predict.run(&model, &others, 0.5).expect("it is lent") - 5.0).abs() < f64::EPSILON);
    assert!((predict::run(&model, &[], 0.5).expect("it is lent") - 1.0).abs() < f64::EPSILON);
    finish();
}

/// Two lifetimes, one bound to the other.
#[loky::task]
fn longest<'a, 'b: 'a>(a: &'a str, b: &'b str) -> String {
    let longest: &'a str = if a.len() < b.len() { b } else { a };
    longest.to_owned()
}

/// Lifetimes are the function's own affair.
fn task_12_named_lifetimes() {
    let local = String::from("longer");
    assert_eq!(longest.run("short", "longer").expect("in dot form"), "longer");
    assert_eq!(longest::run("short", &local).expect("in path form"), "longer");
    finish();
}

/// One borrowed argument.
#[loky::task]
fn length(text: &str) -> usize {
    text.len()
}

/// Another.
#[loky::task]
fn sum(numbers: &[f64]) -> f64 {
    numbers.iter().sum()
}

/// Items own what the task borrows, or borrow it themselves.
fn task_13_par_map_supplies_borrowed_arguments() {
    let words = vec![String::from("a"), String::from("bcd")];
    assert_eq!(words.iter().par_map(length).unwrap_all(), [1, 3]);
    assert_eq!(words.par_map(length).unwrap_all(), [1, 3]);
    assert_eq!("a bcd".split(' ').par_map(length).unwrap_all(), [1, 3]);
    let rows = vec![vec![1.0, 2.0], vec![3.0]];
    let expected = [3.0, 3.0].map(f64::to_bits);
    let bits = |sums: Vec<f64>| sums.into_iter().map(f64::to_bits).collect::<Vec<_>>();
    assert_eq!(bits(rows.iter().par_map(sum).unwrap_all()), expected);
    assert_eq!(bits([1.0, 2.0, 3.0].chunks(2).par_map(sum).unwrap_all()), expected);
    assert_eq!(bits(rows.par_map(sum).unwrap_all()), expected);
    finish();
}

/// Two arguments, one of them borrowed.
#[loky::task]
fn repeat(text: &str, times: usize) -> String {
    text.repeat(times)
}

/// Tuples of owners, of borrows, and borrowed tuples.
fn task_14_par_map_supplies_several_arguments() {
    let items = vec![(String::from("a"), 1), (String::from("b"), 2)];
    assert_eq!(items.iter().par_map(repeat).unwrap_all(), ["a", "bb"]);
    assert_eq!(["a", "b"].iter().copied().zip(1..).par_map(repeat).unwrap_all(), ["a", "bb"]);
    assert_eq!(items.par_map(repeat).unwrap_all(), ["a", "bb"]);
    finish();
}
