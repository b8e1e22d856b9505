//! What becomes of calls, results and the rest of the program when what has begun is finished.

use std::fs::File;
use std::io::Write;
use std::process::Command;
use std::thread;

use loky::prelude::*;
use loky::{ErrorKind, Pool};
use loky_tests::tasks::{leave_word, meet, pid, square};
use loky_tests::{Case, Gate, Program, Terminal, cases, eventually, fails, ms, pool_of, program, programs, scratch};
use nix::sys::signal::Signal::{SIGINT, SIGTERM};

use crate::group::{Ended, Group, gate, make_gates, soon, stay, tell_when_heard};

pub(crate) const CASES: &[Case] = cases![
    signal_04_what_has_begun_is_finished_and_nothing_else_begins,
    signal_04_calls_that_lie_ready_do_not_begin,
    signal_04_a_par_map_ends_with_its_chunks,
    signal_04_nothing_is_tried_again,
    signal_07_a_call_whose_worker_dies_of_it_is_not_tried_again: 120,
    signal_24_a_program_that_stays_ends_after_a_moment,
    signal_24_a_main_that_returns_ends_at_once,
    signal_24_a_main_that_fails_is_not_reported,
    signal_24_a_main_that_panics_ends_by_the_signal,
    signal_25_new_pools_refuse_too,
    signal_26_a_terminal_is_told,
];

pub(crate) const PROGRAMS: &[Program] =
    programs![writes, lies_ready, maps, retries, stays, returns, panics_by_it, comes_late];

#[loky::task]
fn write_slowly(gate: Gate) -> u64 {
    let mut file = File::create(scratch().join("effect")).expect("the case's folder is there");
    gate.arrive("begun");
    for line in 0..50 {
        writeln!(file, "line {line}").expect("there is room");
        thread::sleep(ms(10));
    }
    50
}

fn refused<R: std::fmt::Debug>(result: Result<R, loky::Error>) {
    let error = fails(result, ErrorKind::Shutdown);
    assert!(!error.may_have_run() && error.attempt().is_none(), "{error:?}");
    assert!(error.to_string().contains("was not started, because the program was interrupted (SIGINT)"), "{error}");
}

fn writes() {
    let pool = pool_of(1);
    let running = write_slowly.bind(gate("gate")).on(&pool).spawn();
    let queued: Vec<_> = (0..5).map(|_| leave_word.bind(gate("word"), "queued").on(&pool).spawn()).collect();
    gate("gate").await_arrivals(1);
    gate("ready").arrive("ready");
    queued.into_iter().for_each(|call| refused(call.join()));
    refused(leave_word.bind(gate("word"), "late").on(&pool).run());
    print!("{} lines", running.join().expect("it had begun"));
}

fn lies_ready() {
    let pool = pool_of(1);
    // After so many tiny ones, more than one is sent to the worker at a time.
    (0..300).par_map(square).on(&pool).unwrap_all();
    let tiny: Vec<_> = (0..2000).map(|n| square.bind(n).on(&pool).spawn()).collect();
    loky::join_all(tiny).expect("they are harmless");
    let running = meet.bind(gate("gate"), 7).on(&pool).spawn();
    let behind: Vec<_> = (0..50).map(|_| leave_word.bind(gate("word"), "behind").on(&pool).spawn()).collect();
    gate("gate").await_arrivals(1);
    tell_when_heard(&pool);
    gate("ready").arrive("ready");
    behind.into_iter().for_each(|call| refused(call.join()));
    print!("{}", running.join().expect("it had begun"));
}

#[loky::task]
fn wait_for(gate: Gate, item: u64) -> u64 {
    gate.arrive(&item.to_string());
    gate.pass();
    item
}

fn maps() {
    let pool = pool_of(1);
    let items = (0..40).map(|item| {
        if item == 4 {
            // The first chunk is on its way.
            tell_when_heard(&pool);
        }
        (gate("gate"), item)
    });
    gate("ready").arrive("ready");
    let results: Vec<_> = items.par_map(wait_for).on(&pool).chunk_size(4).collect();
    let (done, refusals): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    refusals.into_iter().for_each(refused);
    print!("{}", done.len());
}

#[loky::task]
fn arrive_and_wait(gate: Gate, word: Gate) {
    word.arrive(&pid().to_string());
    gate.pass();
    std::process::abort();
}

fn retries() {
    let pool = pool_of(1);
    let call = arrive_and_wait.bind(gate("gate"), gate("word")).on(&pool).retries(5).spawn();
    gate("word").await_arrivals(1);
    tell_when_heard(&pool);
    gate("ready").arrive("ready");
    let error = fails(call.join(), ErrorKind::Shutdown);
    assert!(error.may_have_run() && error.attempt() == Some(1), "{error:?}");
}

/// A call that waits at the gate.
fn held(pool: &Pool) -> loky::JoinHandle<u64> {
    let call = meet.bind(gate("gate"), 7).on(pool).spawn();
    gate("gate").await_arrivals(1);
    tell_when_heard(pool);
    gate("ready").arrive("ready");
    call
}

fn stays() {
    println!("{}", held(&pool_of(1)).join().expect("it had begun"));
    stay();
}

fn returns() {
    let pool = pool_of(1);
    print!("{}, no end of a line", held(&pool).join().expect("it had begun"));
}

fn panics_by_it() {
    let pool = pool_of(1);
    held(&pool).join().expect("it had begun");
    square.bind(3).on(&pool).run().expect("a panic that speaks for itself");
}

fn comes_late() {
    let pool = pool_of(1);
    held(&pool).join().expect("it had begun");
    pool.shutdown();
    refused(square.bind(3).on(&pool_of(1)).run());
    refused(square.run(3));
    print!("refused");
}

fn signal_04_what_has_begun_is_finished_and_nothing_else_begins() {
    let program = Group::ready("writes");
    let ended = program.ends_by(SIGINT).quietly_by(SIGINT);
    assert_eq!(ended.stdout, "50 lines");
    let effect = std::fs::read_to_string(scratch().join("effect")).expect("it had begun");
    assert_eq!(effect.lines().count(), 50, "the effect of what had begun is whole");
    assert_eq!(gate("word").arrivals(), [""; 0], "what had not has none");
}

fn signal_04_calls_that_lie_ready_do_not_begin() {
    let program = Group::ready("lies_ready");
    program.hears(SIGINT, 1);
    assert_eq!(program.ends_once(|| gate("gate").open()).quietly_by(SIGINT).stdout, "7");
    assert_eq!(gate("word").arrivals(), [""; 0]);
}

fn signal_04_a_par_map_ends_with_its_chunks() {
    let program = Group::ready("maps");
    gate("gate").await_arrivals(1);
    program.hears(SIGINT, 1);
    assert_eq!(program.ends_once(|| gate("gate").open()).quietly_by(SIGINT).stdout, "4");
    assert_eq!(gate("gate").arrivals().len(), 4, "a chunk that has begun is one call");
}

fn signal_04_nothing_is_tried_again() {
    let program = Group::ready("retries");
    program.hears(SIGINT, 1);
    program.ends_once(|| gate("gate").open()).quietly_by(SIGINT);
    assert_eq!(gate("word").arrivals().len(), 1);
}

fn signal_07_a_call_whose_worker_dies_of_it_is_not_tried_again() {
    for _ in 0..20 {
        // To the whole group: the worker dies of it, maybe before the program has heard.
        Group::ready("retries").ends_by(SIGTERM).quietly_by(SIGTERM);
        assert_eq!(gate("word").arrivals().len(), 1);
    }
}

/// What comes of a program that holds one call when it is interrupted.
fn interrupted(name: &str) -> Ended {
    after_interrupt(Group::start(name))
}

fn after_interrupt(program: Group) -> Ended {
    gate("ready").await_arrivals(1);
    program.hears(SIGINT, 1);
    program.ends_once(|| gate("gate").open())
}

fn signal_24_a_program_that_stays_ends_after_a_moment() {
    let ended = interrupted("stays").quietly_by(SIGINT);
    assert_eq!(ended.stdout, "7\n", "it could use its result");
    assert!(ended.after >= ms(450), "{:?}", ended.after);
}

fn signal_24_a_main_that_returns_ends_at_once() {
    let ended = soon(ms(450), || interrupted("returns").quietly_by(SIGINT));
    assert_eq!(ended.stdout, "7, no end of a line");
}

fn signal_24_a_main_that_fails_is_not_reported() {
    let fallible = || Group::of(Command::new(env!("CARGO_BIN_EXE_fallible")));
    after_interrupt(fallible()).quietly_by(SIGINT);
    let program = fallible();
    assert_eq!(
        program.ends_once(|| gate("gate").open()).code,
        Some(0),
        "and if nothing interrupts it, it does not fail"
    );
}

fn signal_24_a_main_that_panics_ends_by_the_signal() {
    let ended = interrupted("panics_by_it");
    assert_eq!(ended.signal, Some(SIGINT as i32), "{}", ended.stderr);
    assert!(ended.stderr.contains("a panic that speaks for itself"), "{}", ended.stderr);
}

fn signal_25_new_pools_refuse_too() {
    assert_eq!(interrupted("comes_late").quietly_by(SIGINT).stdout, "refused");
}

fn signal_26_a_terminal_is_told() {
    make_gates();
    let mut terminal = Terminal::start(program("returns"));
    gate("ready").await_arrivals(1);
    terminal.types(b"\x03");
    eventually("a line says what is waited for", || {
        terminal.said().contains("loky: interrupted (SIGINT): waiting for")
    });
    gate("gate").open();
    let (signal, said) = terminal.ends();
    assert_eq!(signal, Some(SIGINT as i32), "{said}");
    assert_eq!(said.lines().count(), 2, "the line, and what the program prints: {said:?}");
}
