//! What there is of a worker to be seen from the program: whether it lives, how it ended, which program it is.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use loky::prelude::*;
use loky::{CallId, ErrorKind, Pool};
use loky_tests::sys::signal;
use loky_tests::tasks::{meet, pid, sleep_for, square};
use loky_tests::{
    Case, Gate, Program, cases, eventually, fails, ms, pool_of, procfs, program, programs, scratch, soon,
};
use nix::libc;
use nix::sys::signal::Signal;

pub(crate) const CASES: &[Case] = cases![
    proc_01_before_alive_and_ended,
    proc_02_a_wait_of_no_time_returns_at_once,
    proc_03_the_end_of_a_process_is_told_with_its_signal,
    proc_04_arguments_and_identity_arrive,
    proc_06_a_pool_has_a_worker_for_each_processor_unless_told,
    cpu_13_as_many_as_asked_for_and_never_less_than_one,
    proc_07_a_worker_is_this_program_where_it_is_told,
];

pub(crate) const PROGRAMS: &[Program] = programs![sizes];

fn proc_01_before_alive_and_ended() {
    let pool = Pool::builder().workers(1).idle_timeout(Some(ms(300))).build().expect("a pool");
    let seen = || {
        let stats = pool.stats();
        (stats.live, stats.pids, stats.launches, stats.deaths)
    };
    assert_eq!(seen(), (0, vec![], 0, 0), "before");
    let gate = Gate::new("gate");
    let held = meet.bind(gate.clone(), 1).on(&pool).spawn();
    let worker = gate.await_arrivals(1)[0].parse().expect("a pid");
    assert!(procfs::is_alive(worker) && procfs::workers() == [worker]);
    assert_eq!(seen(), (1, vec![worker], 1, 0), "alive and listed");
    gate.open();
    held.join().expect("a call");
    soon("it leaves", ms(5000), || procfs::process(worker).is_none());
    soon("and is no longer listed", ms(1000), || seen() == (0, vec![], 1, 1));
}

fn proc_02_a_wait_of_no_time_returns_at_once() {
    let pool = pool_of(1);
    let held = sleep_for.bind(Duration::from_secs(1000)).on(&pool).spawn();
    for _ in 0..1000 {
        assert!(!held.wait_timeout(Duration::ZERO));
    }
    let begun = Instant::now();
    pool.shutdown_now();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert!(held.wait_timeout(Duration::ZERO), "it has ended");
    fails(held.join(), ErrorKind::Shutdown);
}

fn proc_03_the_end_of_a_process_is_told_with_its_signal() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let held = meet.bind(gate.clone(), 1).on(&pool).spawn();
    let worker = gate.await_arrivals(1)[0].parse().expect("a pid");
    signal(worker, Signal::SIGTERM);
    soon("it is told", ms(5000), || held.is_finished());
    let error = fails(held.join(), ErrorKind::Crash);
    assert_eq!((error.signal(), error.exit_code(), error.pid()), (Some(libc::SIGTERM), None, Some(worker)));
}

#[loky::task]
fn tell(number: i64, words: &str, list: &[u8]) -> (i64, String, Vec<u8>, u32, String, CallId) {
    let who = loky::worker().expect("a task runs in a worker");
    (number, words.to_owned(), list.to_vec(), who.pid, who.pool, who.call)
}

fn proc_04_arguments_and_identity_arrive() {
    let pool = Pool::builder().workers(1).name("exact").build().expect("a pool");
    let handle = tell.bind(-1, "ä\0", &[0, 255]).on(&pool).spawn();
    let id = handle.id();
    let (number, words, list, worker, name, call) = handle.join().expect("a call");
    assert_eq!((number, words.as_str(), list.as_slice()), (-1, "ä\0", &[0, 255][..]));
    assert_eq!((vec![worker], name.as_str(), call), (procfs::workers(), "exact", id));
}

/// Prints how many workers a pool has that was told nothing, and the process-wide one.
fn sizes() {
    let own = Pool::builder().build().expect("a pool").workers();
    println!("{own} {}", loky::pool().workers());
}

fn proc_06_a_pool_has_a_worker_for_each_processor_unless_told() {
    let sizes = |bound: &str| {
        let output = program("sizes").env("LOKY_MAX_CPU_COUNT", bound).output().expect("the program starts");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    let all = loky::cpu_count();
    assert_eq!(sizes(""), format!("{all} {all}"));
    assert_eq!(sizes("1"), "1 1", "by the environment");
    assert_eq!(pool_of(all + 3).workers(), all + 3, "whoever says a number gets it");
    fails(Pool::builder().workers(0).build(), ErrorKind::Config);
}

fn cpu_13_as_many_as_asked_for_and_never_less_than_one() {
    let all = loky::cpu_count();
    // What other libraries write as minus one, and as minus two.
    assert_eq!(Pool::builder().build().expect("a pool").workers(), all);
    let all_but_one = all.saturating_sub(1).max(1);
    assert_eq!(pool_of(all_but_one).workers(), all_but_one);
    let refused = fails(Pool::builder().workers(0).build(), ErrorKind::Config);
    assert!(refused.to_string().contains("workers(0)"), "{refused}");
    let pool = pool_of(2);
    pool.resize(0);
    assert_eq!(pool.workers(), 1, "never less than one");
    assert_eq!(square.bind(3).on(&pool).run().expect("it works"), 9);
}

#[loky::task]
fn surroundings() -> (PathBuf, PathBuf, Option<String>) {
    let program = std::fs::read_link("/proc/self/exe").expect("/proc is mounted");
    (program, std::env::current_dir().expect("a directory"), std::env::var("LOKY_TESTS_SAID").ok())
}

fn proc_07_a_worker_is_this_program_where_it_is_told() {
    let program = std::fs::read_link("/proc/self/exe").expect("/proc is mounted");
    let here = std::env::current_dir().expect("a directory");
    let plain = pool_of(1);
    assert_eq!(surroundings.bind().on(&plain).run().expect("a call"), (program.clone(), here, None));
    let place = scratch().canonicalize().expect("the scratch folder exists");
    let builder = Pool::builder().workers(1).current_dir(&place).env("LOKY_TESTS_SAID", "yes").name("elsewhere");
    let told = builder.build().expect("a pool");
    let seen = surroundings.bind().on(&told).run().expect("a call");
    assert_eq!(seen, (program, place, Some("yes".to_owned())));
    let worker = pid.bind().on(&told).run().expect("a call");
    eventually("its title says whose it is", || {
        procfs::process(worker).is_some_and(|process| process.command_line().contains("elsewhere"))
    });
}
