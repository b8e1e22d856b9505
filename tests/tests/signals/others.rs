//! Signals that are the program's own business: those that it handles or ignores, those of its children and pipes.

use std::process::Command;
use std::thread;

use loky::prelude::*;
use loky::{ErrorKind, Interrupt, Pool};
use loky_tests::sys::signal;
use loky_tests::tasks::{Death, add, die, meet, square};
use loky_tests::{Case, Program, cases, eventually, fails, ms, pool_of, programs, sys};
use nix::sys::signal::Signal::{SIGCHLD, SIGINT, SIGPIPE, SIGTERM};

use crate::course::{is_caught, is_ignored};
use crate::group::{Group, gate};

pub(crate) const CASES: &[Case] = cases![
    signal_04_signals_are_given_back,
    signal_04_a_handler_of_the_program_is_left_alone,
    signal_04_a_handler_that_comes_later_is_left_alone,
    signal_04_a_handler_that_passes_signals_on_is_left_alone,
    signal_04_a_signal_that_is_ignored_stays_so,
    signal_07_a_handler_that_leads_to_a_shutdown,
    signal_10_a_broken_pipe_ends_nobody,
    signal_11_other_children_are_left_alone,
    signal_27_a_forked_child_is_another_process,
    signal_28_nested_pools_take_over_nothing,
];

pub(crate) const PROGRAMS: &[Program] =
    programs![handles, handles_later, passes_on, ignores_it, shuts_down_itself, has_no_reader, forks, nests];

fn is_ours(signal: nix::sys::signal::Signal) -> bool {
    is_caught(std::process::id(), signal)
}

fn signal_04_signals_are_given_back() {
    let both = || [SIGINT, SIGTERM].map(is_ours);
    let (one, other) = (pool_of(1), pool_of(1));
    assert_eq!(both(), [false, false], "a pool that is not used has no part in it");
    for _ in 0..3 {
        let third = pool_of(1);
        [&one, &other, &third].iter().for_each(|pool| drop(add.bind(1, 2).on(pool).run()));
        third.shutdown();
        assert_eq!(both(), [true, true], "the others are still there");
    }
    one.shutdown();
    assert_eq!(both(), [true, true]);
    other.shutdown();
    assert_eq!(both(), [false, false], "given back by the last one");
    let again = pool_of(1);
    add.bind(1, 2).on(&again).run().expect("a call");
    assert_eq!(both(), [true, true]);
    drop(again);
    eventually("a pool that is dropped gives back as well", || both() == [false, false]);
    let ignoring = Pool::builder().workers(1).on_interrupt(Interrupt::Ignore).build().expect("a pool");
    add.bind(1, 2).on(&ignoring).run().expect("a call");
    assert_eq!(both(), [false, false]);
}

fn handles() {
    sys::count_signals(SIGINT);
    let pool = pool_of(1);
    let held = meet.bind(gate("gate"), 7).on(&pool).spawn();
    gate("gate").await_arrivals(1);
    gate("ready").arrive("ready");
    eventually("the program counts", || sys::signals_counted() == 2);
    assert_eq!(add.bind(1, 2).on(&Pool::builder().workers(1).build().expect("a pool")).run().expect("as ever"), 3);
    gate("gate").open();
    assert_eq!(held.join().expect("nothing has happened to it"), 7);
    pool.shutdown();
    sys::raise(SIGINT);
    assert_eq!(sys::signals_counted(), 3, "the handler is still there");
    print!("as ever");
}

fn handles_later() {
    let pool = pool_of(1);
    add.bind(1, 2).on(&pool).run().expect("a call");
    handles();
}

fn passes_on() {
    let pool = pool_of(1);
    let held = meet.bind(gate("gate"), 7).on(&pool).spawn();
    gate("gate").await_arrivals(1);
    sys::count_and_pass_on(SIGINT);
    gate("ready").arrive("ready");
    assert_eq!(held.join().expect("nothing has happened to it"), 7);
    assert_eq!(square.bind(3).on(&pool).run().expect("nothing has interrupted us"), 9);
    assert_eq!(sys::signals_counted(), 2);
    print!("as ever");
}

fn ignores_it() {
    sys::ignore(SIGINT);
    let pool = pool_of(1);
    let held = meet.bind(gate("gate"), 7).on(&pool).spawn();
    gate("gate").await_arrivals(1);
    gate("ready").arrive("ready");
    assert_eq!(held.join().expect("nothing has happened to it"), 7);
    pool.shutdown();
    sys::raise(SIGINT);
    print!("as ever");
}

fn shuts_down_itself() {
    sys::count_signals(SIGTERM);
    let pool = pool_of(1);
    let held = meet.bind(gate("gate"), 7).on(&pool).spawn();
    gate("gate").await_arrivals(1);
    gate("ready").arrive("ready");
    eventually("the program counts", || sys::signals_counted() > 0);
    pool.shutdown_now();
    fails(held.join(), ErrorKind::Shutdown);
    print!("orderly");
}

#[loky::task]
fn say(count: usize) -> usize {
    (0..count).for_each(|line| {
        println!("line {line}");
        eprintln!("line {line}");
    });
    count
}

fn has_no_reader() {
    sys::restore_default(SIGPIPE);
    gate("gate").pass();
    let pools = [loky::Output::Inherit, loky::Output::Prefix, loky::Output::Null];
    for output in pools {
        let pool = Pool::builder().workers(1).output(output).build().expect("a pool");
        // Where workers print by themselves, they are Rust programs, which do not die of it.
        let _ = say.bind(300).on(&pool).run();
        fails(die.bind(Death::Abort).on(&pool).run(), ErrorKind::Crash);
        assert_eq!(square.bind(3).on(&pool).run().expect("a call"), 9);
        pool.shutdown();
    }
    gate("ready").arrive(if is_ignored(SIGPIPE) { "changed" } else { "default" });
}

fn forks() {
    let pool = pool_of(1);
    let held = meet.bind(gate("gate"), 7).on(&pool).spawn();
    gate("gate").await_arrivals(1);
    if !sys::fork_here() {
        gate("word").arrive(&std::process::id().to_string());
        thread::sleep(ms(1_000_000));
    }
    gate("word").await_arrivals(1);
    gate("ready").arrive("ready");
    assert_eq!(held.join().expect("the child's signal is not ours"), 7);
    assert_eq!(square.bind(3).on(&pool).run().expect("nothing has interrupted us"), 9);
    print!("as ever");
}

#[loky::task]
fn nest(gate: loky_tests::Gate) -> [bool; 2] {
    let inner = pool_of(1);
    add.bind(1, 2).on(&inner).run().expect("a call");
    let caught = is_ours(SIGTERM);
    gate.arrive("nested");
    gate.pass();
    [caught, add.bind(1, 2).on(&inner).run().is_ok()]
}

fn nests() {
    let nested = nest.spawn(gate("gate"));
    gate("gate").await_arrivals(1);
    gate("ready").arrive("ready");
    print!("{:?}", nested.join().expect("Ctrl-C is nothing to it"));
}

fn signal_04_a_handler_of_the_program_is_left_alone() {
    for program in ["handles", "handles_later"] {
        let program = Group::ready(program);
        program.signal(SIGINT);
        thread::sleep(ms(100));
        let ended = program.ends_by(SIGINT);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "as ever"), "{}", ended.stderr);
    }
}

fn signal_04_a_handler_that_comes_later_is_left_alone() {
    let pool = pool_of(1);
    add.bind(1, 2).on(&pool).run().expect("a call");
    sys::count_signals(SIGINT);
    pool.shutdown();
    sys::raise(SIGINT);
    assert_eq!(sys::signals_counted(), 1, "the end of the pool has not taken it away");
}

fn signal_04_a_handler_that_passes_signals_on_is_left_alone() {
    let program = Group::ready("passes_on");
    for _ in 0..2 {
        program.signal(SIGINT);
        thread::sleep(ms(100));
    }
    let ended = program.ends_once(|| gate("gate").open());
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "as ever"), "{}", ended.stderr);
}

fn signal_04_a_signal_that_is_ignored_stays_so() {
    let program = Group::ready("ignores_it");
    program.signal(SIGINT);
    thread::sleep(ms(100));
    let ended = program.ends_once(|| gate("gate").open());
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "as ever"), "{}", ended.stderr);
}

fn signal_07_a_handler_that_leads_to_a_shutdown() {
    let program = Group::ready("shuts_down_itself");
    signal(program.pid(), SIGTERM);
    let ended = program.ends_once(|| {});
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "orderly", ""));
}

fn signal_10_a_broken_pipe_ends_nobody() {
    let program = Group::without_readers("has_no_reader");
    assert_eq!(program.ends_once(|| gate("gate").open()).code, Some(0));
    assert_eq!(gate("ready").arrivals(), ["default"], "what the program does with the signal is as it was");
}

fn signal_11_other_children_are_left_alone() {
    sys::count_signals(SIGCHLD);
    let pool = pool_of(2);
    let mut child = Command::new("sh").args(["-c", "exit 7"]).spawn().expect("a shell");
    for _ in 0..5 {
        fails(die.bind(Death::Abort).on(&pool).run(), ErrorKind::Crash);
    }
    assert!(is_ours(SIGCHLD), "the handler is still there");
    assert_eq!(child.wait().expect("nobody has taken it").code(), Some(7));
    pool.shutdown();
    assert!(is_ours(SIGCHLD) && sys::signals_counted() > 0);
}

fn signal_27_a_forked_child_is_another_process() {
    let program = Group::ready("forks");
    let child = gate("word").arrivals()[0].parse().expect("a pid");
    signal(child, SIGINT);
    eventually("the child ends, as by default", || loky_tests::procfs::process(child).is_none());
    let ended = program.ends_once(|| gate("gate").open());
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "as ever"), "{}", ended.stderr);
}

fn signal_28_nested_pools_take_over_nothing() {
    let program = Group::ready("nests");
    program.signal(SIGINT);
    thread::sleep(ms(100));
    assert_eq!(program.ends_once(|| gate("gate").open()).quietly_by(SIGINT).stdout, "[false, true]");
}
