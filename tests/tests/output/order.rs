//! What a task has printed is there when its result is, whichever thread of this program is just writing it.

use std::process::Stdio;
use std::thread;

use loky::Output;
use loky::prelude::*;
use loky_tests::{Case, Program, cases, program, programs};

use crate::pool_with;

pub(crate) const CASES: &[Case] =
    cases![output_10_lines_are_there_before_the_result, output_11_lines_with_prefixes_are_there_before_the_result];

pub(crate) const PROGRAMS: &[Program] = programs![waits_for_speakers, waits_for_labelled_speakers];

const ROUNDS: usize = 400;
const LINES: usize = 8;

/// One line after the other, so that the first ones are being written by the time of the last.
#[loky::task]
fn speak(round: usize) {
    for line in 0..LINES {
        eprintln!("{round} line {line}");
        thread::yield_now();
    }
}

fn wait_for_speakers(output: Output) {
    let pool = pool_with(output, 1);
    for round in 0..ROUNDS {
        speak.bind(round).on(&pool).run().expect("a call");
        eprintln!("{round} has ended");
    }
    pool.shutdown();
}

fn waits_for_speakers() {
    wait_for_speakers(Output::Inherit);
}

fn waits_for_labelled_speakers() {
    wait_for_speakers(Output::Prefix);
}

fn is_in_order(name: &str) {
    let output = program(name).stdout(Stdio::null()).stderr(Stdio::piped()).output().expect("the program starts");
    let said = String::from_utf8(output.stderr).expect("text");
    assert!(output.status.success(), "{said}");
    let lines = said.lines().map(|line| line.rsplit("] ").next().unwrap_or(line).to_owned());
    let expected = (0..ROUNDS).flat_map(|round| {
        let spoken = (0..LINES).map(move |line| format!("{round} line {line}"));
        spoken.chain([format!("{round} has ended")])
    });
    for (line, expected) in lines.zip(expected) {
        assert_eq!(line, expected);
    }
    assert_eq!(said.lines().count(), ROUNDS * (LINES + 1));
}

fn output_10_lines_are_there_before_the_result() {
    is_in_order("waits_for_speakers");
}

fn output_11_lines_with_prefixes_are_there_before_the_result() {
    is_in_order("waits_for_labelled_speakers");
}
