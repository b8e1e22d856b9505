//! Lines behind a prefix: whose they are, that they are whole, and when they are shown.

use std::io::Write;

use loky::prelude::*;
use loky::{ErrorKind, Output, Pool};
use loky_tests::{Case, Gate, Program, cases, eventually, fails, pool_of, program, programs};

use crate::{pool_with, printed};

pub(crate) const CASES: &[Case] = cases![
    output_01_each_line_says_who_printed_it,
    output_02_the_name_of_the_pool_is_shown,
    output_03_a_line_belongs_to_the_call_that_ran,
    output_04_a_line_without_an_end_is_shown_with_its_call,
    output_05_a_long_line_is_shown_in_several,
    output_06_no_line_is_torn: 120,
    output_07_a_line_is_shown_while_its_call_runs,
    output_08_what_came_before_a_death_is_shown,
    prog_08_how_far_a_task_has_come_is_seen_while_it_runs_and_after,
    output_09_what_nobody_asked_for_has_no_task,
];

pub(crate) const PROGRAMS: &[Program] = programs![
    prints_on_both,
    prints_in_named_pools,
    prints_by_turns,
    prints_no_end,
    prints_long_lines,
    prints_at_once,
    prints_and_waits,
    prints_and_dies,
    prints_later,
    tells_how_far,
];

#[loky::task]
fn say(word: &str) {
    println!("{word} on output");
    eprintln!("{word} on error");
}

fn prints_on_both() {
    for zygote in [false, true] {
        let builder = Pool::builder().workers(1).output(Output::Prefix).zygote(zygote);
        let pool = builder.build().expect("a pool");
        pool.warm_up();
        say.bind("one").on(&pool).run().expect("a call");
        ["two", "three"].into_iter().par_map(say).on(&pool).unwrap_all();
        pool.shutdown();
    }
}

fn output_01_each_line_says_who_printed_it() {
    let lines = |stream: &str| {
        let line = |word| format!("[0 output::prefix::say] {word} on {stream}\n");
        ["one", "two", "three"].map(line).concat().repeat(2)
    };
    assert_eq!(printed("prints_on_both"), ["output", "error"].map(lines));
}

fn prints_in_named_pools() {
    for name in ["decoders", "pool"] {
        let pool = Pool::builder().workers(1).output(Output::Prefix).name(name).build().expect("a pool");
        say.bind(name).on(&pool).run().expect("a call");
        pool.shutdown();
    }
}

fn output_02_the_name_of_the_pool_is_shown() {
    let [out, _] = printed("prints_in_named_pools");
    let (named, plain) = ("[decoders:0 output::prefix::say] decoders", "[0 output::prefix::say] pool");
    assert_eq!(out, format!("{named} on output\n{plain} on output\n"));
}

#[loky::task]
fn say_a(number: u64) {
    print!("a{number}\na{number}");
}

#[loky::task]
fn say_b(number: u64) {
    print!("b{number}\nb{number}");
}

fn prints_by_turns() {
    let pool = pool_with(Output::Prefix, 2);
    let calls = (0..300).map(|number| match number % 2 {
        0 => say_a.bind(number).on(&pool).spawn(),
        _ => say_b.bind(number).on(&pool).spawn(),
    });
    loky::join_all(calls.collect::<Vec<_>>()).expect("calls");
    pool.shutdown();
}

fn output_03_a_line_belongs_to_the_call_that_ran() {
    let [out, _] = printed("prints_by_turns");
    let mut lines: Vec<_> = out.lines().collect();
    assert_eq!(lines.len(), 600, "{out}");
    for line in &lines {
        let (prefix, text) = line.split_once("] ").expect("a prefix");
        assert!(prefix.starts_with("[0 ") || prefix.starts_with("[1 "), "{line}");
        assert!(prefix.ends_with(&format!("output::prefix::say_{}", &text[..1])), "{line}");
    }
    lines.sort_unstable_by_key(|line| line.split_once("] ").map(|(_, text)| text));
    assert!(lines.chunks(2).all(|pair| pair[0] == pair[1]), "both lines of a call are of one worker");
}

fn prints_no_end() {
    let pool = pool_with(Output::Prefix, 1);
    let (gate, word) = (Gate::of_the_case("gate"), Gate::of_the_case("word"));
    say_a.bind(1).on(&pool).run().expect("a call");
    // It was shown with the result, and not with whatever comes next.
    word.arrive("told");
    gate.pass();
    say_a.bind(2).on(&pool).run().expect("a call");
    pool.shutdown();
}

fn output_04_a_line_without_an_end_is_shown_with_its_call() {
    let (gate, word) = (Gate::new("gate"), Gate::new("word"));
    let said = loky_tests::scratch().join("said");
    let file = std::fs::File::create(&said).expect("room");
    let mut running = program("prints_no_end").stdout(file).spawn().expect("a program");
    word.await_arrivals(1);
    let shown = "[0 output::prefix::say_a] a1\n".repeat(2);
    assert_eq!(std::fs::read_to_string(&said).expect("the file"), shown);
    gate.open();
    assert!(running.wait().expect("the program is ours").success());
}

#[loky::task]
fn say_long(letters: usize) {
    println!("{}", "x".repeat(letters));
}

fn prints_long_lines() {
    let pool = pool_with(Output::Prefix, 1);
    for letters in [3 << 10, (3 << 10) + 1, 100_000] {
        say_long.bind(letters).on(&pool).run().expect("a call");
    }
    pool.shutdown();
}

fn output_05_a_long_line_is_shown_in_several() {
    let [out, _] = printed("prints_long_lines");
    let text = |line: &str| line.strip_prefix("[0 output::prefix::say_long] ").expect("a prefix").len();
    let lengths: Vec<_> = out.lines().map(text).collect();
    let whole = 3 << 10;
    assert_eq!(lengths[..4], [whole, whole, 1, whole]);
    assert_eq!(lengths[3..].iter().sum::<usize>(), 100_000);
}

#[loky::task]
fn chatter(worker: usize, lines: usize) {
    for line in 0..lines {
        let text = format!("{worker}-{line}-{}.", "y".repeat(line * 37 % 1500));
        // In pieces: what makes it a line comes later.
        print!("{}", &text[..text.len() / 2]);
        std::io::stdout().flush().expect("a standard output");
        println!("{}", &text[text.len() / 2..]);
    }
}

const CHATTER: usize = 400;

fn prints_at_once() {
    let pool = pool_with(Output::Prefix, 4);
    let calls: Vec<_> = (0..4).map(|worker| chatter.bind(worker, CHATTER).on(&pool).spawn()).collect();
    while !calls.iter().all(loky::JoinHandle::is_finished) {
        println!("the program's own line");
    }
    loky::join_all(calls).expect("calls");
    pool.shutdown();
}

fn output_06_no_line_is_torn() {
    let [out, _] = printed("prints_at_once");
    let (own, mut lines): (Vec<_>, Vec<_>) = out.lines().partition(|line| *line == "the program's own line");
    assert!(!own.is_empty());
    let text = |line: &'_ &str| line.split_once("] ").map(|(_, text)| text.to_owned());
    lines.retain(|line| line.starts_with('[') && line.ends_with('.'));
    let mut texts: Vec<_> = lines.iter().filter_map(text).collect();
    texts.sort_unstable();
    let of = |worker: usize| move |line: usize| format!("{worker}-{line}-{}.", "y".repeat(line * 37 % 1500));
    let mut expected: Vec<_> = (0..4).flat_map(|worker| (0..CHATTER).map(of(worker))).collect();
    expected.sort_unstable();
    assert!(texts == expected, "{} of {} lines are whole", texts.len(), expected.len());
    assert_eq!(own.len() + lines.len(), out.lines().count(), "and there is nothing else");
}

#[loky::task]
fn say_and_wait(gate: Gate) {
    println!("it runs");
    gate.pass();
}

fn prints_and_waits() {
    let pool = pool_with(Output::Prefix, 1);
    say_and_wait.bind(Gate::of_the_case("gate")).on(&pool).run().expect("a call");
    pool.shutdown();
}

fn output_07_a_line_is_shown_while_its_call_runs() {
    let gate = Gate::new("gate");
    let said = loky_tests::scratch().join("said");
    let file = std::fs::File::create(&said).expect("room");
    let mut running = program("prints_and_waits").stdout(file).spawn().expect("a program");
    let shown = "[0 output::prefix::say_and_wait] it runs\n";
    eventually("it is shown", || std::fs::read_to_string(&said).is_ok_and(|said| said == shown));
    gate.open();
    assert!(running.wait().expect("the program is ours").success());
}

#[loky::task]
fn say_and_die() {
    print!("half a line");
    std::io::stdout().flush().expect("a standard output");
    eprint!("last words");
    std::process::abort();
}

fn prints_and_dies() {
    let pool = pool_with(Output::Prefix, 1);
    let error = fails(say_and_die.bind().on(&pool).run(), ErrorKind::Crash);
    assert_eq!(error.stderr_tail(), Some("last words"), "without a prefix");
    pool.shutdown();
}

fn output_08_what_came_before_a_death_is_shown() {
    let prefix = "[0 output::prefix::say_and_die]";
    assert_eq!(printed("prints_and_dies"), [format!("{prefix} half a line\n"), format!("{prefix} last words\n")]);
}

#[loky::task]
fn work(gate: Gate) {
    for step in ["25 %", "50 % of the file"] {
        eprintln!("{step}");
    }
    gate.pass();
    std::process::abort();
}

fn tells_how_far() {
    let pool = pool_with(Output::Prefix, 1);
    let error = fails(work.bind(Gate::of_the_case("gate")).on(&pool).run(), ErrorKind::Crash);
    assert_eq!(error.stderr_tail(), Some("25 %\n50 % of the file\n"), "and so far it had come");
    pool.shutdown();
}

fn prog_08_how_far_a_task_has_come_is_seen_while_it_runs_and_after() {
    let gate = Gate::new("gate");
    let said = loky_tests::scratch().join("said");
    let file = std::fs::File::create(&said).expect("room");
    let mut running = program("tells_how_far").stderr(file).spawn().expect("a program");
    let prefix = "[0 output::prefix::work]";
    let shown = format!("{prefix} 25 %\n{prefix} 50 % of the file\n");
    eventually("it is shown", || std::fs::read_to_string(&said).is_ok_and(|said| said == shown));
    gate.open();
    assert!(running.wait().expect("the program is ours").success());
}

#[loky::task]
fn say_later(gate: Gate) {
    std::thread::spawn(move || {
        gate.pass();
        println!("a thread that was left behind");
        gate.arrive("printed");
    });
}

fn prints_later() {
    let (pool, other) = (pool_with(Output::Prefix, 1), pool_of(1));
    let gate = Gate::of_the_case("gate");
    say_later.bind(gate.clone()).on(&pool).run().expect("a call");
    gate.open();
    gate.await_arrivals(1);
    pool.shutdown();
    other.shutdown();
}

fn output_09_what_nobody_asked_for_has_no_task() {
    let _gate = Gate::new("gate");
    assert_eq!(printed("prints_later")[0], "[0] a thread that was left behind\n");
}
