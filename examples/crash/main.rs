//! Six ways to go down, and a program that goes on: each costs one call, and says what happened in one line.

use std::hint::black_box;
use std::process;
use std::thread;
use std::time::Duration;

use loky::prelude::*;

#[loky::task]
fn divide(a: i64, b: i64) -> i64 {
    a / b
}

#[loky::task]
fn abort() {
    process::abort();
}

#[loky::task]
fn exit(code: i32) {
    process::exit(code);
}

#[loky::task]
fn write_through_null() {
    // The second field of a struct at null, as when a C library forgets to look at what `malloc` gave it.
    let field = std::ptr::without_provenance_mut::<u64>(8);
    #[expect(unsafe_code, reason = "a fault of the processor is what this task is for")]
    // SAFETY: there is none. Nothing is mapped at this address, so the process ends here, and only this process.
    unsafe {
        field.write_volatile(1);
    }
}

#[loky::task]
fn recurse(depth: u64) -> u64 {
    if depth == u64::MAX {
        return depth;
    }
    // Something is left to do afterwards, and nobody can see through it: every level needs a frame of its own.
    black_box(recurse(depth + 1))
}

#[loky::task]
fn hang() {
    loop {
        thread::park();
    }
}

#[loky::task]
fn parse(text: &str) -> Result<u16, String> {
    text.parse().map_err(|error| format!("`{text}`: {error}"))
}

loky::main! {
    fn main() {
        tell("a panic", divide.run(1, 0));
        tell("an abort", abort.run());
        tell("an exit", exit.run(3));
        tell("a bad pointer", write_through_null.run());
        tell("endless recursion", recurse.run(0));
        tell("a time limit", hang.bind().timeout(Duration::from_millis(300)).run());
        // Not a failed call at all: the task's own `Result` comes back as it is.
        tell("an error of its own", parse.run("70000"));

        let rest = (1..=4).map(|n| (12, n)).par_map(divide).unwrap_all();
        println!("and process {} goes on: {rest:?}", process::id());
    }
}

fn tell<R: std::fmt::Debug>(what: &str, result: Result<R, loky::Error>) {
    match result {
        Ok(value) => println!("{what:20} {value:?}"),
        Err(error) => println!("{what:20} {error}"),
    }
}
