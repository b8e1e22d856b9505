//! The last holder of a pool goes at an unlikely place: then the pool ends there as anywhere, and nobody waits for ever.

use std::cell::RefCell;
use std::process::Command;
use std::sync::{Mutex, mpsc};
use std::thread;

use loky::Pool;
use loky::prelude::*;
use loky_tests::tasks::{add, square};
use loky_tests::{Case, Program, cases, pool_of, procfs, program, programs, rounds, soon, sys};
use serde::{Deserialize, Serialize};

use loky_tests::ms;

pub(crate) const CASES: &[Case] = cases![
    race_09_the_last_holder_is_a_callback,
    race_09_the_last_holder_is_a_callback_of_another_pool,
    race_09_the_last_holder_is_a_result,
    race_09_the_last_holder_is_a_thread,
    race_09_the_last_holder_is_the_end_of_the_program,
];

pub(crate) const PROGRAMS: &[Program] = programs![holds_to_the_end];

/// A pool with a worker.
fn pool() -> Pool {
    let pool = pool_of(1);
    assert_eq!(add.bind(1, 2).on(&pool).run().expect("a worker"), 3);
    pool
}

fn assert_gone(before: (usize, usize)) {
    let open = || (procfs::threads().len(), procfs::descriptors().len());
    soon("the pool has ended", ms(5000), || procfs::children(std::process::id()).is_empty());
    soon("and has left nothing", ms(5000), || open() == before);
}

fn open() -> (usize, usize) {
    (procfs::threads().len(), procfs::descriptors().len())
}

fn race_09_the_last_holder_is_a_callback() {
    let before = open();
    for _ in rounds(10) {
        let pool = pool();
        let (sender, receiver) = mpsc::channel();
        let handle = square.bind(3).on(&pool).spawn();
        handle.on_done(move |result| {
            drop(pool);
            sender.send(result).expect("it is awaited");
        });
        assert_eq!(receiver.recv().expect("it is called").expect("a result"), 9);
        assert_gone(before);
    }
}

fn race_09_the_last_holder_is_a_callback_of_another_pool() {
    let before = open();
    for _ in rounds(10) {
        let (pool, other) = (pool(), pool_of(1));
        let late = square.bind(4).on(&pool).spawn();
        square.bind(3).on(&other).spawn().on_done(move |_| drop(pool));
        other.shutdown();
        assert_eq!(late.join().expect("what was spawned is finished"), 16);
        assert_gone((before.0, before.1));
    }
}

/// The pool that a result takes with it when it is dropped.
static HELD: Mutex<Option<Pool>> = Mutex::new(None);

#[derive(Serialize, Deserialize)]
struct Taker(u64);

impl Drop for Taker {
    fn drop(&mut self) {
        if !loky::is_worker() {
            drop(HELD.lock().expect("nobody panics with it").take());
        }
    }
}

#[loky::task]
fn take(number: u64) -> Taker {
    Taker(number)
}

fn race_09_the_last_holder_is_a_result() {
    let before = open();
    for round in rounds(10) {
        let pool = pool();
        let handle = take.bind(round).on(&pool).spawn();
        *HELD.lock().expect("nobody panics with it") = Some(pool);
        match round % 3 {
            0 => assert_eq!(handle.join().expect("a result").0, round),
            1 => handle.on_done(drop),
            // Nobody has it decoded; whoever wants the pool gone has to say so.
            _ => {
                drop(handle);
                drop(Taker(round));
            }
        }
        assert_gone(before);
    }
}

thread_local! {
    static OWN: RefCell<Option<Pool>> = const { RefCell::new(None) };
}

fn race_09_the_last_holder_is_a_thread() {
    let before = open();
    for _ in rounds(10) {
        let late = thread::spawn(|| {
            let pool = pool();
            let late = square.bind(5).on(&pool).spawn();
            OWN.with_borrow_mut(|own| *own = Some(pool));
            late
        });
        let late = late.join().expect("no panic");
        assert_eq!(late.join().expect("what was spawned is finished"), 25);
        assert_gone(before);
    }
}

/// What is registered for the end holds one pool, the first thread another one.
fn holds_to_the_end() {
    let pool_at_exit = pool();
    sys::at_exit(move || drop(pool_at_exit));
    OWN.with_borrow_mut(|own| *own = Some(pool()));
    println!("{}", square.run(4).expect("and there is the process-wide one"));
}

fn race_09_the_last_holder_is_the_end_of_the_program() {
    nix::sys::prctl::set_child_subreaper(true).expect("so that we see whatever it leaves");
    let mut program: Command = program("holds_to_the_end");
    let output = program.output().expect("the program starts");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "16\n");
    soon("its workers are gone with it", ms(1000), || {
        procfs::reap_orphans();
        procfs::children(std::process::id()).is_empty()
    });
}
