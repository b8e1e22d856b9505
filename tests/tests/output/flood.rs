//! Workers print more than any pipe holds while nobody of the program reads: nobody waits for ever, and no memory fills.

use std::io::Read;
use std::process::{Child, Stdio};
use std::thread;

use loky::Output;
use loky::prelude::*;
use loky_tests::tasks::square;
use loky_tests::{Case, Gate, Program, cases, program, programs, stays};

use crate::pool_with;

pub(crate) const CASES: &[Case] = cases![
    fd_08_ten_megabytes_inherited,
    fd_08_ten_megabytes_behind_prefixes,
    fd_08_ten_megabytes_captured,
    fd_08_ten_megabytes_discarded,
];

pub(crate) const PROGRAMS: &[Program] = programs![inherits, prefixes, captures, discards];

/// 10 MB on one stream, in lines of a hundred bytes, and for each ten of them one on the other.
const LINES: usize = 100_000;
const EVERY: usize = 10;

#[loky::task]
fn flood(gate: Gate) {
    for line in 0..LINES {
        println!("{line:0>99}");
        if line % EVERY == 0 {
            eprintln!("{line:0>99}");
        }
        if line == LINES / 5 {
            gate.arrive("a part");
        }
    }
    gate.arrive("done");
}

fn inherits() {
    floods(Output::Inherit);
}

fn prefixes() {
    floods(Output::Prefix);
}

fn captures() {
    floods(Output::Capture);
}

fn discards() {
    floods(Output::Null);
}

/// Two workers flood while this thread does nothing for them, and a third one serves.
fn floods(output: Output) {
    let (gate, pool) = (Gate::of_the_case("gate"), pool_with(output, 3));
    pool.warm_up();
    let before = peak_kib();
    let calls: Vec<_> = (0..2).map(|_| flood.bind(gate.clone()).on(&pool).spawn()).collect();
    for number in 0..100 {
        assert_eq!(square.bind(number).on(&pool).run().expect("others are served"), number * number);
    }
    gate.arrive("served");
    // Nobody waits for the flood here: whatever is to be done about it, the pool does by itself.
    gate.await_arrivals(5);
    for call in calls {
        call.join_captured().0.expect("it was not kept from its end");
    }
    pool.shutdown();
    let more = peak_kib() - before;
    assert!(more < 12 << 10, "{more} KiB for what had to wait");
}

/// The most memory that this process has ever had.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc is mounted");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the kernel tells");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

fn start(name: &str) -> (Gate, Child) {
    let gate = Gate::new("gate");
    let child = program(name).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a program");
    (gate, child)
}

/// Reads both streams to their ends.
fn read(child: &mut Child) -> [String; 2] {
    let (mut out, mut error) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
    let reader = thread::spawn(move || {
        let mut text = String::new();
        out.read_to_string(&mut text).expect("text");
        text
    });
    let mut text = String::new();
    error.read_to_string(&mut text).expect("text");
    [reader.join().expect("no panic"), text]
}

/// A program whose streams nobody reads for a while: its flood waits, and goes on when somebody does.
fn waits_for_a_reader(name: &str, is_whole: impl Fn(&str, usize) -> bool) {
    let (gate, mut child) = start(name);
    gate.await_arrivals(1);
    // Of 10 MB, not even 2 find a place where they could wait.
    stays("the flood waits for a reader", loky_tests::ms(2000), || gate.arrivals().len() == 1);
    let [out, error] = read(&mut child);
    assert!(is_whole(&out, 2 * LINES) && is_whole(&error, 2 * LINES / EVERY), "all of it has come");
    assert!(child.wait().expect("the program is ours").success());
}

/// A program whose streams nobody reads before its end.
fn needs_no_reader(name: &str) {
    let (gate, mut child) = start(name);
    gate.await_arrivals(5);
    assert!(child.wait().expect("the program is ours").success());
    assert_eq!(read(&mut child), [String::new(), String::new()]);
}

fn fd_08_ten_megabytes_inherited() {
    // Two processes that write to one pipe may tear each other's lines.
    waits_for_a_reader("inherits", |text, lines| text.len() == lines * 100);
}

fn fd_08_ten_megabytes_behind_prefixes() {
    let is_line = |line: &&str| {
        let text = line.split_once(" output::flood::flood] ").map(|(_, text)| text);
        text.is_some_and(|text| text.len() == 99 && text.parse::<usize>().is_ok_and(|line| line < LINES))
    };
    waits_for_a_reader("prefixes", |text, lines| text.lines().filter(is_line).count() == lines);
}

fn fd_08_ten_megabytes_captured() {
    needs_no_reader("captures");
}

fn fd_08_ten_megabytes_discarded() {
    needs_no_reader("discards");
}
