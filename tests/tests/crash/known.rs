//! What is known of a death: which process, which code, which words; and what it had done before counts.

use std::thread;

use loky::prelude::*;
use loky::{ErrorKind, JoinHandle, Pool};
use loky_tests::sys::signal;
use loky_tests::tasks::{Death, die, pid};
use loky_tests::{Case, Gate, Program, cases, eventually, fails, ms, pool_of, procfs, program, programs, soon, sys};
use nix::libc;
use nix::sys::signal::Signal;

pub(crate) const CASES: &[Case] = cases![
    crash_19_the_text_tells_the_process_and_the_code,
    crash_38_a_kill_during_a_map_costs_one_item,
    crash_39_the_error_has_the_pid_and_the_code,
    crash_45_the_code_is_known_although_the_link_ends_first,
    crash_45_a_code_that_nobody_can_tell_is_not_waited_for,
    crash_47_a_crash_handler_of_the_users_is_heard,
    crash_50_results_before_a_death_are_delivered,
    crash_50_items_before_a_death_are_delivered,
];

pub(crate) const PROGRAMS: &[Program] = programs![maps];

fn crash_19_the_text_tells_the_process_and_the_code() {
    let pool = pool_of(1);
    let worker = pid.bind().on(&pool).run().expect("a worker");
    let text = fails(die.bind(Death::Exit(99)).on(&pool).run(), ErrorKind::Crash).to_string();
    assert!(text.contains(&format!("pid {worker}")) && text.contains("99"), "{text}");
}

/// Squares, but for one item that has to be killed.
#[loky::task]
fn square_unless_seven(x: u64, gate: Gate) -> u64 {
    if x == 7 {
        gate.arrive(&std::process::id().to_string());
        gate.pass();
    }
    x * x
}

fn crash_38_a_kill_during_a_map_costs_one_item() {
    for (workers, lifespan) in [(1, 1), (1, 3), (3, 1), (3, 3)] {
        let gate = Gate::new(&format!("gate {workers} {lifespan}"));
        let pool = Pool::builder().workers(workers).max_calls_per_worker(lifespan).build().expect("a pool");
        let arrived = gate.clone();
        let killer = thread::spawn(move || {
            signal(arrived.await_arrivals(1)[0].parse().expect("a pid"), Signal::SIGKILL);
        });
        let results: Vec<_> = (0..20_u64).map(|x| (x, gate.clone())).par_map(square_unless_seven).on(&pool).collect();
        killer.join().expect("the seventh was there to be killed");
        assert_eq!(results.len(), 20);
        for (x, result) in (0..).zip(results) {
            match x {
                7 => assert_eq!(fails(result, ErrorKind::Crash).signal(), Some(libc::SIGKILL)),
                _ => assert_eq!(result.expect("only one was killed"), x * x),
            }
        }
    }
}

fn crash_39_the_error_has_the_pid_and_the_code() {
    let pool = pool_of(1);
    let worker = pid.bind().on(&pool).run().expect("a worker");
    let error = fails(die.bind(Death::ExitNow(1)).on(&pool).run(), ErrorKind::Crash);
    assert_eq!((error.exit_code(), error.pid(), error.signal()), (Some(1), Some(worker), None));
}

fn crash_45_the_code_is_known_although_the_link_ends_first() {
    let pool = pool_of(1);
    // The kernel closes what a process has before anybody can be told how it ended.
    for code in 0..60 {
        let error = fails(die.bind(Death::ExitNow(code)).on(&pool).run(), ErrorKind::Crash);
        assert_eq!(error.exit_code(), Some(code), "{error}");
    }
}

/// Says that it is there, and ends with a code once it is let.
#[loky::task]
fn exit_after(gate: Gate) {
    gate.arrive("here");
    gate.pass();
    sys::exit_now(7);
}

fn crash_45_a_code_that_nobody_can_tell_is_not_waited_for() {
    sys::ignore_sigchld();
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let handle = exit_after.bind(gate.clone()).on(&pool).spawn();
    gate.await_arrivals(1);
    let worker = procfs::workers()[0];
    gate.open();
    soon("it is dead", ms(5000), || procfs::process(worker).is_none());
    soon("and its death is told", ms(250), || handle.is_finished());
    let error = fails(handle.join(), ErrorKind::Crash);
    assert_eq!((error.exit_code(), error.signal()), (None, None), "the kernel has forgotten: {error}");
}

#[loky::task]
fn report_crashes() {
    sys::report_segfaults();
}

fn crash_47_a_crash_handler_of_the_users_is_heard() {
    let plain = || Pool::builder().workers(1);
    let builders = [(plain(), false), (plain().initializer(report_crashes.bind()), true)];
    for (builder, is_reported) in builders {
        let pool = builder.build().expect("a pool");
        let error = fails(die.bind(Death::NullWrite).on(&pool).run(), ErrorKind::Crash);
        assert_eq!(error.signal(), Some(libc::SIGSEGV), "{error}");
        let words = error.stderr_tail().unwrap_or_default();
        assert_eq!(words.contains(sys::SEGFAULT_REPORT.trim_end()), is_reported, "{words:?}");
    }
}

/// Arrives, so that it is known how often it has run. The first waits at the gate, the thirtieth aborts.
#[loky::task]
fn abort_at_thirty(x: u64, gate: Gate) -> Vec<u64> {
    gate.arrive(&x.to_string());
    match x {
        0 => gate.pass(),
        30 => std::process::abort(),
        _ => {}
    }
    vec![x; 100]
}

/// The thirtieth crashes, all others have their results, and each has run once: what was answered is not done again.
fn assert_delivered(results: impl Iterator<Item = Result<Vec<u64>, loky::Error>>, gate: &Gate) {
    for (x, result) in (0..).zip(results) {
        match x {
            30 => drop(fails(result, ErrorKind::Crash)),
            _ => assert!(result.expect("answered before, or run afterwards") == vec![x; 100]),
        }
    }
    let mut ran: Vec<u64> = gate.arrivals().iter().map(|x| x.parse().expect("a number")).collect();
    ran.sort_unstable();
    assert_eq!(ran, (0..40).collect::<Vec<_>>());
}

fn maps() {
    let (pool, gate) = (pool_of(1), Gate::of_the_case("gate"));
    let items = (0..40).map(|x| (x, gate.clone()));
    assert_delivered(items.par_map(abort_at_thirty).on(&pool).chunk_size(40), &gate);
}

fn crash_50_results_before_a_death_are_delivered() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    gate.open();
    let handles: Vec<_> = (0..40).map(|x| abort_at_thirty.bind(x, gate.clone()).on(&pool).spawn()).collect();
    assert_delivered(handles.into_iter().map(JoinHandle::join), &gate);
}

/// The program is stopped from the first item on until its worker is dead; so it finds all at once.
fn crash_50_items_before_a_death_are_delivered() {
    let gate = Gate::new("gate");
    let mut program = program("maps").spawn().expect("the program starts");
    gate.await_arrivals(1);
    signal(program.id(), Signal::SIGSTOP);
    gate.open();
    let is_dead = || procfs::children(program.id()).iter().all(procfs::Process::is_zombie);
    eventually("its worker is dead", is_dead);
    assert_eq!(gate.arrivals().len(), 31, "and has done what came before");
    signal(program.id(), Signal::SIGCONT);
    assert!(program.wait().expect("the program is ours").success());
}
