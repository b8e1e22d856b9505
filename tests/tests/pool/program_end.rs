//! The end of the program: what `main` does not wait for is not awaited, what it waits for is whole, and nobody
//! complains.

use std::fs;
use std::time::Duration;

use loky::prelude::*;
use loky::{ErrorKind, Pool};
use loky_tests::tasks::{sleep_for, square};
use loky_tests::{Case, Gate, Program, cases, fails, ms, pool_of, procfs, program, programs, scratch, soon, sys};

pub(crate) const CASES: &[Case] = cases![
    shutdown_15_files_are_whole_if_the_pool_was_shut_down,
    shutdown_15_what_nobody_waits_for_ends_with_the_program,
    shutdown_16_what_is_printed_after_a_drop_is_seen,
    shutdown_17_a_call_at_exit_ends_and_so_does_the_program,
];

pub(crate) const PROGRAMS: &[Program] = programs![writes_files, drops_and_joins, calls_at_exit];

/// Writes half a file, takes a while, and writes the other half.
#[loky::task]
fn write_slowly(number: u32) {
    let path = scratch().join(format!("file {number}"));
    fs::write(&path, "half").expect("room");
    std::thread::sleep(ms(100));
    fs::write(&path, "half and half").expect("room");
}

fn writes_files() {
    let pool = pool_of(4);
    for number in 0..8 {
        drop(write_slowly.bind(number).on(&pool).spawn());
    }
    Gate::of_the_case("gate").arrive("spawned");
    match std::env::var("END").as_deref() {
        Ok("shutdown") => pool.shutdown(),
        _ => drop(pool),
    }
}

/// Plays the program to its end; gives its standard output. It must say nothing else, and leave nobody.
fn played(name: &str, end: &str) -> String {
    nix::sys::prctl::set_child_subreaper(true).expect("so that we see whatever it leaves");
    let output = program(name).env("END", end).output().expect("the program starts");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "not a word");
    soon("its workers are gone with it", ms(1000), || {
        procfs::reap_orphans();
        procfs::children(std::process::id()).is_empty()
    });
    String::from_utf8(output.stdout).expect("text")
}

fn written() -> Vec<String> {
    (0..8).filter_map(|number| fs::read_to_string(scratch().join(format!("file {number}"))).ok()).collect()
}

fn shutdown_15_files_are_whole_if_the_pool_was_shut_down() {
    Gate::new("gate");
    played("writes_files", "shutdown");
    assert_eq!(written(), ["half and half"; 8]);
}

fn shutdown_15_what_nobody_waits_for_ends_with_the_program() {
    let gate = Gate::new("gate");
    played("writes_files", "return");
    assert_eq!(gate.arrivals().len(), 1);
    let written = written();
    assert!(written.len() < 8, "four workers cannot have begun all of them: {written:?}");
    loky_tests::stays("nobody goes on writing", ms(300), || self::written() == written);
}

#[loky::task]
fn print_later(words: &str) {
    std::thread::sleep(ms(300));
    println!("{words}");
}

fn drops_and_joins() {
    let pool = pool_of(1);
    let (printing, detached) = (print_later.bind("printed").on(&pool).spawn(), sleep_for.bind(ms(100_000)));
    drop(detached.on(&pool).spawn());
    drop(pool);
    printing.join().expect("what was spawned is finished");
}

fn shutdown_16_what_is_printed_after_a_drop_is_seen() {
    assert_eq!(played("drops_and_joins", ""), "printed\n");
}

fn calls_at_exit() {
    let (ended, pool) = (Pool::builder().workers(1).build().expect("a pool"), pool_of(1));
    square.bind(2).on(&pool).run().expect("a worker");
    ended.shutdown();
    sys::at_exit(move || {
        fails(square.bind(3).on(&ended).run(), ErrorKind::Shutdown);
        // The pools that live are as they were: `main` has returned, and nothing of theirs is torn down before the end.
        let handle = square.bind(3).on(&pool).spawn();
        assert!(handle.wait_timeout(Duration::from_secs(30)), "it ends");
        match handle.join() {
            Ok(value) => println!("{value}"),
            Err(error) => println!("{:?}", error.kind()),
        }
    });
}

fn shutdown_17_a_call_at_exit_ends_and_so_does_the_program() {
    assert_eq!(played("calls_at_exit", ""), "9\n");
}
