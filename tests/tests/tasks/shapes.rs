//! Signatures of every shape, and the function that stays a function.

use loky::prelude::*;
use loky_tests::{Case, cases, finish};
use serde::{Deserialize, Serialize};

/// The cases of this file.
pub(crate) const CASES: &[Case] = cases![
    task_01_a_function_stays_a_function,
    task_02_none_and_twelve_arguments,
    task_03_patterns_and_mut_in_parameters,
    task_04_raw_identifiers,
    task_05_names_that_generated_code_uses_itself,
    task_06_a_result_inside_the_result,
    task_07_recursion,
];

/// Usable in constants, and a task.
#[loky::task]
const fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// Never called here: its entry and its path form need no use.
#[loky::task]
fn never_called(unused: &str) -> usize {
    unused.len()
}

/// What `main!` and the attribute leave of a function: everything.
fn task_01_a_function_stays_a_function() {
    const SUM: i64 = add(1, 2);
    let pointer: fn(i64, i64) -> i64 = add;
    assert_eq!([SUM, add(1, 2), pointer(1, 2)], [3; 3]);
    assert_eq!((1..4).zip(4..7).map(|(a, b)| add(a, b)).sum::<i64>(), 21);
    assert_eq!([(1, 2)].map(|pair| std::convert::identity::<fn(i64, i64) -> i64>(add)(pair.0, pair.1)), [3]);
    assert_eq!(add.run(1, 2).expect("the dot form"), 3);
    assert_eq!(add::run(1, 2).expect("the path form"), 3);
    assert_eq!(add::bind(1, 2).spawn().join().expect("bound"), 3);
    let add = add::spawn(1, 2);
    assert_eq!(add.join().expect("a shadow of the name"), 3);
    finish();
}

/// Nothing in, nothing out.
#[loky::task]
fn nothing() {}

/// As many arguments as a task can have.
#[loky::task]
#[expect(clippy::too_many_arguments, clippy::many_single_char_names, reason = "that is the point")]
fn twelve(a: u8, b: &str, c: u8, d: &[u8], e: u8, f: u8, g: u8, h: u8, i: u8, j: u8, k: u8, l: u8) -> usize {
    usize::from(a + c + e + f + g + h + i + j + k + l) + b.len() + d.len()
}

/// Both ends of what is allowed.
fn task_02_none_and_twelve_arguments() {
    nothing.run().expect("in dot form");
    nothing::spawn().join().expect("in path form");
    assert_eq!(twelve.run(1, "b", 3, &[4], 5, 6, 7, 8, 9, 10, 11, 12).expect("in dot form"), 74);
    assert_eq!(twelve::run(1, "b", 3, &[4], 5, 6, 7, 8, 9, 10, 11, 12).expect("in path form"), 74);
    finish();
}

/// A type of ours.
#[derive(Serialize, Deserialize, Clone, Copy)]
struct Point {
    /// To the right.
    x: i64,
    /// Upwards.
    y: i64,
}

/// Every kind of pattern, and a name like those that stand in for patterns.
#[loky::task]
fn patterns(mut sum: i64, (a, b): (i64, i64), [c, d]: [i64; 2], Point { x, y: _ }: Point, _: u8, arg3: i64) -> i64 {
    sum += a + b + c + d;
    sum + x + arg3
}

/// Patterns are the function's own affair.
fn task_03_patterns_and_mut_in_parameters() {
    let point = Point { x: 6, y: 100 };
    assert_eq!(point.y, 100);
    assert_eq!(patterns.run(1, (2, 3), [4, 5], point, 0, 7).expect("in dot form"), 28);
    assert_eq!(patterns::run(1, (2, 3), [4, 5], point, 0, 7).expect("in path form"), 28);
    finish();
}

/// A name that needs an escape, and a parameter that does.
#[loky::task]
fn r#match(r#type: &str) -> usize {
    r#type.len()
}

/// A panicking one, to see its name.
#[loky::task]
fn r#loop() {
    panic!("seen")
}

/// Escapes are spelling, not part of the name.
fn task_04_raw_identifiers() {
    assert_eq!(r#match.run("abc").expect("in dot form"), 3);
    assert_eq!(r#match::run("abc").expect("in path form"), 3);
    assert_eq!(r#loop.run().expect_err("it panics").task(), Some("tasks::shapes::loop"));
    finish();
}

/// Named like a method of its path form, with parameters named like what generated code needs.
#[loky::task]
fn run(run: u8, arguments: u8, result: u8, reader: u8, writer: u8, bind: u8) -> u8 {
    run + arguments + result + reader + writer + bind
}

/// Likewise.
#[loky::task]
fn spawn(spawn: &str) -> usize {
    spawn.len()
}

/// Likewise.
#[loky::task]
fn bind() -> u8 {
    1
}

/// No name of the user's meets one of the macro's.
fn task_05_names_that_generated_code_uses_itself() {
    assert_eq!(run.run(1, 2, 3, 4, 5, 6).expect("in dot form"), 21);
    assert_eq!(run::run(1, 2, 3, 4, 5, 6).expect("in path form"), 21);
    assert_eq!(spawn::spawn("four").join().expect("in path form"), 4);
    assert_eq!(bind::bind().run().expect("in path form"), 1);
    finish();
}

/// Fails as functions do.
#[loky::task]
fn parse(text: &str) -> Result<u64, String> {
    text.parse().map_err(|error| format!("{text}: {error}"))
}

/// The task's own `Err` is a result like any other.
fn task_06_a_result_inside_the_result() {
    assert_eq!(parse.run("42").expect("it ran"), Ok(42));
    let error = parse.run("x").expect("it ran, too").expect_err("and refused");
    assert!(error.starts_with("x: invalid digit"), "{error}");
    finish();
}

/// Calls itself, there where it runs.
#[loky::task]
fn fibonacci(n: u64) -> u64 {
    if n < 2 { n } else { fibonacci(n - 1) + fibonacci(n - 2) }
}

/// Recursion stays in the worker.
fn task_07_recursion() {
    assert_eq!(fibonacci.run(20).expect("it ends"), 6765);
    finish();
}
