//! What the items of a chunk print: none of it is lost with a neighbor.

use std::io::Write;

use loky::ErrorKind;
use loky::prelude::*;
use loky_tests::{Case, Program, cases, fails, program, programs};

pub(crate) const CASES: &[Case] = cases![map_41_what_came_before_a_death_was_printed];
pub(crate) const PROGRAMS: &[Program] = programs![prints_and_dies];

const LAST: u64 = 20;

/// Some items print the start of a line, some a whole one, and the standard library holds the former back.
#[loky::task]
fn say_or_die(x: u64) {
    match x {
        LAST => std::process::abort(),
        _ if x % 7 == 3 => println!("({x})"),
        _ if x % 5 == 4 => {}
        _ if x % 5 == 2 => std::thread::scope(|scope| drop(scope.spawn(|| print!("({x})")))),
        _ => print!("({x})"),
    }
}

fn prints_and_dies() {
    let mut results: Vec<_> = (0..=LAST).par_map(say_or_die).chunk_size(50).collect();
    fails(results.pop().expect("the last one"), ErrorKind::Crash);
    let printed = results.into_iter().filter(Result::is_ok).count();
    print!("{printed} results");
    std::io::stdout().flush().expect("a standard output");
}

fn map_41_what_came_before_a_death_was_printed() {
    let output = program("prints_and_dies").output().expect("a program");
    let said = String::from_utf8_lossy(&output.stdout).replace('\n', "");
    let expected: String = (0..LAST).filter(|x| x % 7 == 3 || x % 5 != 4).map(|x| format!("({x})")).collect();
    assert_eq!(said, format!("{expected}{LAST} results"));
}
