//! What a call has printed, kept with it: had as it is, printed by whoever receives the result, or by nobody. And none
//! of it kept at all.

use std::thread;
use std::time::Duration;

use loky::prelude::*;
use loky::{Captured, ErrorKind, Output, Pool};
use loky_tests::tasks::{pid, square};
use loky_tests::{Case, Gate, Program, cases, eventually, fails, ms, programs};

use crate::{pool_with, printed};

pub(crate) const CASES: &[Case] = cases![
    prog_07_what_a_call_has_printed_is_had_with_its_result,
    prog_07_also_after_whatever_has_ended_it,
    prog_07_also_of_many_short_calls,
    output_10_it_is_printed_by_whoever_receives_the_result,
    output_11_the_first_mebibyte_is_kept,
    output_12_all_attempts_are_kept,
    output_13_other_pools_keep_nothing,
    output_14_what_nobody_waits_for_is_shown,
    output_15_a_par_map_prints_as_it_takes_in,
    output_16_null_shows_nothing_and_keeps_last_words,
    reuse_03_output_and_interrupts_are_settings_too,
];

pub(crate) const PROGRAMS: &[Program] = programs![receives, takes, detaches, maps, prints_to_nobody, prints_by_default];

#[loky::task]
fn say(word: &str) -> usize {
    print!("{word} on output");
    eprintln!("{word} on error");
    word.len()
}

fn texts(captured: &Captured) -> [&str; 2] {
    [captured.stdout(), captured.stderr()].map(|bytes| std::str::from_utf8(bytes).expect("text"))
}

fn prog_07_what_a_call_has_printed_is_had_with_its_result() {
    let pool = pool_with(Output::Capture, 2);
    let calls: Vec<_> = (0..50).map(|number| (number, say.bind(&number.to_string()).on(&pool).spawn())).collect();
    for (number, call) in calls {
        let (result, captured) = call.join_captured();
        assert_eq!(result.expect("a call"), number.to_string().len());
        assert_eq!(texts(&captured), [format!("{number} on output"), format!("{number} on error\n")]);
        assert!(!captured.is_truncated() && captured.omitted() == 0);
    }
    let (result, captured) = square.bind(3).on(&pool).spawn().join_captured();
    assert_eq!((result.expect("a call"), captured), (9, Captured::default()), "nothing was printed");
}

/// The next call begins while what the last one has printed may still be heard of.
fn prog_07_also_of_many_short_calls() {
    let pool = pool_with(Output::Capture, 1);
    let ask = |number: usize| {
        let (result, captured) = say.bind(&number.to_string()).on(&pool).spawn().join_captured();
        assert_eq!(result.expect("a call"), number.to_string().len());
        assert_eq!(texts(&captured), [format!("{number} on output"), format!("{number} on error\n")]);
    };
    thread::scope(|scope| {
        for from in [0, 2500] {
            scope.spawn(move || (from..from + 2500).for_each(ask));
        }
    });
}

#[loky::task]
fn say_and(end: u32) {
    print!("before");
    eprint!("the end");
    match end {
        0 => panic!("on purpose"),
        1 => std::process::exit(3),
        _ => thread::sleep(Duration::from_secs(1000)),
    }
}

fn prog_07_also_after_whatever_has_ended_it() {
    let pool = pool_with(Output::Capture, 1);
    for (end, kind) in [(0, ErrorKind::Panic), (1, ErrorKind::Crash), (2, ErrorKind::Timeout)] {
        let limit = if kind == ErrorKind::Timeout { ms(1500) } else { ms(50_000) };
        let (result, captured) = say_and.bind(end).on(&pool).timeout(limit).spawn().join_captured();
        let error = fails(result, kind);
        // The standard library holds back what has no end of a line; what ends normally writes it out.
        let output = if end == 2 { "" } else { "before" };
        assert_eq!(texts(&captured), [output, "the end"]);
        assert!(end == 0 || error.stderr_tail() == Some("the end"), "{error:?}");
    }
    let (result, captured) =
        say.bind("x").on(&Pool::builder().workers(1).build().expect("a pool")).spawn().join_captured();
    assert_eq!((result.expect("a call"), captured), (1, Captured::default()));
}

fn receives() {
    let pool = pool_with(Output::Capture, 1);
    let call = say.bind("word").on(&pool).spawn();
    assert!(call.wait_timeout(ms(20_000)));
    print!("(before)");
    call.join().expect("a call");
    print!("(after)");
    pool.shutdown();
}

fn takes() {
    let pool = pool_with(Output::Capture, 1);
    say.bind("word").on(&pool).spawn().join_captured().0.expect("a call");
    pool.shutdown();
}

fn output_10_it_is_printed_by_whoever_receives_the_result() {
    assert_eq!(printed("receives"), ["(before)word on output(after)", "word on error\n"]);
    assert_eq!(printed("takes"), ["", ""], "who has it as it is prints nothing");
}

#[loky::task]
fn flood(lines: usize) {
    (0..lines).for_each(|line| println!("{line:0>99}"));
    eprint!("the end");
}

fn output_11_the_first_mebibyte_is_kept() {
    let pool = pool_with(Output::Capture, 1);
    let (result, captured) = flood.bind(20_000).on(&pool).spawn().join_captured();
    result.expect("a call");
    assert_eq!(captured.stdout().len() + captured.stderr().len(), 1 << 20);
    assert!(captured.stdout().starts_with(format!("{:0>99}\n{:0>99}\n", 0, 1).as_bytes()));
    assert_eq!((captured.is_truncated(), captured.omitted()), (true, 20_000 * 100 + "the end".len() - (1 << 20)));
}

#[loky::task]
fn say_attempt(deadly: u32) {
    let attempt = loky::worker().expect("a task runs in a worker").attempt;
    eprint!("{attempt} ");
    if attempt <= deadly {
        std::process::abort();
    }
}

fn output_12_all_attempts_are_kept() {
    let pool = pool_with(Output::Capture, 1);
    let (result, captured) = say_attempt.bind(2).on(&pool).retries(2).spawn().join_captured();
    result.expect("the third attempt");
    assert_eq!(texts(&captured), ["", "1 2 3 "]);
}

fn output_13_other_pools_keep_nothing() {
    for output in [Output::Inherit, Output::Prefix, Output::Null] {
        let (result, captured) = say.bind("word").on(&pool_with(output, 1)).spawn().join_captured();
        assert_eq!((result.expect("a call"), captured), (4, Captured::default()), "{output:?}");
    }
}

fn detaches() {
    let (pool, gate) = (pool_with(Output::Capture, 1), Gate::of_the_case("gate"));
    drop(say.bind("detached").on(&pool).spawn());
    let unread = say.bind("unread").on(&pool).spawn();
    assert!(unread.wait_timeout(ms(20_000)));
    drop(unread);
    gate.arrive("dropped");
    pool.shutdown();
}

fn output_14_what_nobody_waits_for_is_shown() {
    let _gate = Gate::new("gate");
    let [out, error] = printed("detaches");
    assert!(out == "detached on outputunread on output" || out == "unread on outputdetached on output", "{out}");
    assert_eq!(error.lines().count(), 2, "{error}");
}

fn maps() {
    let pool = pool_with(Output::Capture, 1);
    let mut results = ["one", "two", "three"].into_iter().par_map(say).on(&pool).chunk_size(3);
    print!("(before)");
    results.next().expect("an item").expect("a result");
    print!("(after the first)");
    assert_eq!(results.count(), 2);
    pool.shutdown();
}

fn output_15_a_par_map_prints_as_it_takes_in() {
    let [out, error] = printed("maps");
    assert_eq!(out, "(before)one on outputtwo on outputthree on output(after the first)");
    assert_eq!(error, "one on error\ntwo on error\nthree on error\n");
}

fn prints_to_nobody() {
    for zygote in [false, true] {
        let pool = Pool::builder().workers(1).output(Output::Null).zygote(zygote).build().expect("a pool");
        pool.warm_up();
        say.bind("word").on(&pool).run().expect("a call");
        for _ in 0..3 {
            let error = fails(say_and.bind(1).on(&pool).run(), ErrorKind::Crash);
            assert_eq!(error.stderr_tail(), Some("the end"));
        }
        pool.shutdown();
    }
}

fn prints_by_default() {
    say.run("word").expect("a call");
    eventually("the pool is idle", || loky::pool().stats().idle == 1);
    loky::pool().shutdown();
}

fn output_16_null_shows_nothing_and_keeps_last_words() {
    assert_eq!(printed("prints_to_nobody"), ["", ""]);
    assert_eq!(printed("prints_by_default"), ["word on output", "word on error\n"]);
}

fn reuse_03_output_and_interrupts_are_settings_too() {
    let worker_with = |builder| {
        let pool = loky::reusable(builder).expect("a pool");
        pid.bind().on(&pool).run().expect("a worker")
    };
    let plain = || Pool::builder().workers(1);
    let first = worker_with(plain());
    assert_eq!(
        worker_with(plain().output(Output::Inherit).on_interrupt(loky::Interrupt::Drain)),
        first,
        "the defaults"
    );
    let silent = worker_with(plain().output(Output::Null));
    let killing = worker_with(plain().output(Output::Null).on_interrupt(loky::Interrupt::Kill));
    assert!(silent != first && killing != silent);
    loky_tests::finish();
}
