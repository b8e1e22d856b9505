//! What was given to a pool is let go in time: arguments, results, threads, and whatever a call has cost.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use loky::prelude::*;
use loky::{Error, ErrorKind};
use loky_tests::program::as_program;
use loky_tests::tasks::{Blob, bytes, meet, sleep_for, square};
use loky_tests::{Case, Gate, Program, cases, eventually, ms, pool_of, procfs, program, programs, soon};
use serde::{Deserialize, Serialize};

pub(crate) const CASES: &[Case] = cases![
    leak_01_an_argument_goes_though_nobody_waits,
    leak_02_a_worker_drops_arguments_when_the_task_ends,
    leak_07_many_calls_leave_nothing: 300,
    leak_08_results_of_an_abandoned_iterator_go,
    leak_12_threads_of_finished_pools_are_joined,
    leak_13_a_sanitizer_finds_no_fault_in_a_program_with_a_pool,
    leak_13_valgrind_finds_no_fault_in_a_program_with_a_pool: 300,
];

pub(crate) const PROGRAMS: &[Program] = programs![loses_memory, plain];

static DROPPED: AtomicUsize = AtomicUsize::new(0);

/// Counts its ends: here, and, in a worker, at the gate.
#[derive(Serialize, Deserialize)]
struct Counted(Gate);

impl Drop for Counted {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Ordering::SeqCst);
        if loky::is_worker() {
            self.0.arrive("dropped");
        }
    }
}

#[loky::task]
fn take(_counted: Counted) -> bool {
    true
}

#[loky::task]
fn take_lent(counted: &Counted) -> bool {
    counted.0.arrivals().is_empty()
}

fn leak_01_an_argument_goes_though_nobody_waits() {
    let (pool, gate, held) = (pool_of(1), Gate::new("gate"), Gate::new("held"));
    let call = meet.bind(held.clone(), 1).on(&pool).spawn();
    for _ in 0..10 {
        drop(take.bind(Counted(gate.clone())).on(&pool).spawn());
    }
    assert_eq!(DROPPED.load(Ordering::SeqCst), 10, "here, what was encoded is not needed any more");
    held.open();
    call.join().expect("held");
    soon("and there, what was decoded", ms(5000), || gate.arrivals().len() == 10);
}

fn leak_02_a_worker_drops_arguments_when_the_task_ends() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    for round in 1..=5 {
        assert!(take.bind(Counted(gate.clone())).on(&pool).run().expect("a call"));
        soon("at its end, and not at that of the next one", ms(1000), || gate.arrivals().len() == round);
    }
    let lent = Gate::new("lent");
    assert!(take_lent.bind(&Counted(lent.clone())).on(&pool).run().expect("a call"));
    soon("one that was only lent, too", ms(1000), || lent.arrivals().len() == 1);
}

fn leak_07_many_calls_leave_nothing() {
    const CALLS: u64 = if cfg!(debug_assertions) { 60_000 } else { 1_000_000 };
    let (pool, me) = (pool_of(2), std::process::id());
    let look = || (procfs::private_bytes(me), procfs::maps(me), procfs::descriptors().len());
    let run = |calls: u64| {
        for first in (0..calls).step_by(1000) {
            let handles: Vec<_> = (first..first + 1000).map(|x| square.bind(x).on(&pool).spawn()).collect();
            let results = loky::join_all(handles).expect("all go well");
            assert!(results.into_iter().eq((first..first + 1000).map(square)));
        }
    };
    run(CALLS / 10);
    let before = look();
    let workers = procfs::workers();
    run(CALLS);
    let after = look();
    assert!(after.0 < before.0 + (4 << 20) && after.1 <= before.1 + 8 && after.2 <= before.2, "{before:?} {after:?}");
    assert_eq!(procfs::workers(), workers, "nor have they grown so much that they were replaced");
}

fn leak_08_results_of_an_abandoned_iterator_go() {
    let (pool, me) = (pool_of(2), std::process::id());
    let abandon = || {
        let mut results = (0..40).map(|_| 1_usize << 20).par_map(bytes).on(&pool).chunk_size(4);
        let first: Blob = results.next().expect("an item").expect("a result");
        assert_eq!(first.0.len(), 1 << 20);
    };
    (0..3).for_each(|_| abandon());
    let before = procfs::private_bytes(me);
    (0..30).for_each(|_| abandon());
    eventually("what nobody takes is not kept", || procfs::private_bytes(me) < before + (48 << 20));
}

fn leak_12_threads_of_finished_pools_are_joined() {
    let before = procfs::threads();
    for round in 0..20 {
        let pool = pool_of(2);
        let handle = square.bind(round).on(&pool).spawn();
        let (tell, told) = std::sync::mpsc::channel();
        handle.on_done(move |result| tell.send(result.is_ok()).expect("somebody waits"));
        assert!(told.recv().expect("it is called"));
        pool.shutdown();
        // The system forgets a thread a moment after it was joined.
        let is_old = || procfs::threads().into_keys().all(|id| before.contains_key(&id));
        eventually("when a shutdown has returned, no thread is left", is_old);
    }
}

/// A program with all that a pool does in its parent, and a shutdown. Where no worker can be started, that is told.
fn plain() {
    let pool = pool_of(2);
    match square.bind(7).on(&pool).run() {
        Ok(result) => assert_eq!(result, 49),
        Err(error) => println!("{error}"),
    }
    let results: Vec<_> = (0..500_u64).par_map(square).on(&pool).collect();
    let is_so = |(x, result): (u64, Result<u64, Error>)| match result {
        Ok(result) => result == x * x,
        Err(error) => error.kind() == ErrorKind::Launch,
    };
    assert!((0..500).zip(results).all(is_so));
    let held: Vec<_> = (0..4).map(|_| sleep_for.bind(ms(30_000)).on(&pool).spawn()).collect();
    held[0].cancel();
    pool.shutdown_now();
}

/// Only the parent: whether its memory is sound does not depend on what workers are. A valgrind before 3.22 does not
/// know the kernel's calls for processes: there no worker can be started, and what is looked at is how a pool takes that.
fn leak_13_valgrind_finds_no_fault_in_a_program_with_a_pool() {
    let version = Command::new("valgrind").arg("--version").stdin(Stdio::null()).output();
    if !version.is_ok_and(|output| output.status.success()) {
        println!("SKIPPED: there is no valgrind");
        return;
    }
    let mut command = Command::new("valgrind");
    let program = std::env::current_exe().expect("this program has a file");
    command.args(["--quiet", "--error-exitcode=99", "--leak-check=full", "--errors-for-leak-kinds=definite"]);
    command.arg(program).stdin(Stdio::null());
    as_program(&mut command, "plain");
    let output = command.output().expect("valgrind can be started");
    let [said, errors] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(output.status.success(), "{}\n{said}{errors}", output.status);
    println!("{said}");
}

/// What only makes sure that leaks are seen.
fn loses_memory() {
    (0..100).for_each(|_| std::mem::forget(std::hint::black_box(vec![7_u8; 1000])));
}

/// A program of these tests with the library that looks after each allocation, if there is one.
fn sanitized(name: &str) -> Option<Output> {
    let asked = Command::new("gcc").arg("-print-file-name=libasan.so").stdin(Stdio::null()).output().ok()?;
    let library = PathBuf::from(String::from_utf8_lossy(&asked.stdout).trim()).canonicalize().ok()?;
    let mut command = program(name);
    command.env("LD_PRELOAD", library).env("ASAN_OPTIONS", "detect_leaks=1:exitcode=99");
    command.output().ok()
}

/// With real workers, which are looked after as well.
fn leak_13_a_sanitizer_finds_no_fault_in_a_program_with_a_pool() {
    if sanitized("loses_memory").and_then(|output| output.status.code()) != Some(99) {
        println!("SKIPPED: there is no sanitizer that can be loaded and sees leaks");
        return;
    }
    let output = sanitized("plain").expect("it was there a moment ago");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    assert!(output.stdout.is_empty(), "its workers have been started: {output:?}");
}
