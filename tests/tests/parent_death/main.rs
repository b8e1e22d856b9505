//! The program is killed: everything that it started is gone within a second, whatever it was doing.
//!
//! The case adopts the program's orphans, so that it sees each of them, wherever it went.

mod ways;

use std::process::{Child, ExitCode};
use std::thread;
use std::time::{Duration, Instant};

use loky::Pool;
use loky::prelude::*;
use loky_tests::tasks::{add, bytes, sleep_for, spin, start_children};
use loky_tests::{Case, Gate, Program, Random, cases, eventually, ms, pool_of, procfs, program, programs, within};
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

loky::main! {
    fn main() -> ExitCode {
        loky_tests::run(&[CASES, ways::CASES], &[PROGRAMS, ways::PROGRAMS].concat())
    }
}

const CASES: &[Case] = cases![
    parent_death_02_with_idle_workers,
    parent_death_03_with_workers_in_a_tight_loop,
    parent_death_04_while_large_results_are_written,
    parent_death_06_during_start_up: 180,
    parent_death_08_the_thread_that_spawned_ends,
    parent_death_09_a_stopped_program_is_not_dead,
    parent_death_10_with_children_of_workers,
    parent_death_10_with_nested_pools,
    parent_death_15_with_a_stopped_worker,
    parent_death_16_with_a_zygote,
    parent_death_17_while_a_zygote_is_asked: 120,
];

const PROGRAMS: &[Program] =
    programs![idles, spins, transfers, starts, has_children, nests, idles_with_zygote, starts_with_zygote];

/// Says that everything is in place, and waits to be killed.
fn ready() {
    Gate::of_the_case("ready").arrive(&std::process::id().to_string());
    thread::sleep(Duration::from_secs(1000));
}

fn idles() {
    let pool = pool_of(3);
    pool.warm_up();
    add.run(1, 2).expect("the process-wide pool works too");
    eventually("all workers are there", || procfs::workers().len() == 4);
    ready();
}

fn spins() {
    let pool = pool_of(3);
    let gate = Gate::of_the_case("gate");
    let _running: Vec<_> = (0..3).map(|_| spin.bind(gate.clone()).on(&pool).spawn()).collect();
    gate.await_arrivals(3);
    ready();
}

fn transfers() {
    let pool = pool_of(2);
    let _running: Vec<_> = (0..20).map(|_| bytes.bind(200 << 20).on(&pool).spawn()).collect();
    ready();
}

fn starts() {
    Gate::of_the_case("ready").arrive("starting");
    let pool = pool_of(4);
    pool.warm_up();
    let _running: Vec<_> = (0..8).map(|_| sleep_for.bind(ms(30_000)).on(&pool).spawn()).collect();
    ready();
}

fn with_zygote(workers: usize) -> Pool {
    Pool::builder().workers(workers).zygote(true).build().expect("a pool")
}

fn idles_with_zygote() {
    let pool = with_zygote(3);
    pool.warm_up();
    ready();
}

fn starts_with_zygote() {
    Gate::of_the_case("ready").arrive("starting");
    let pool = with_zygote(8);
    let _running: Vec<_> = (0..8).map(|_| sleep_for.bind(ms(30_000)).on(&pool).spawn()).collect();
    ready();
}

fn has_children() {
    let pool = Pool::builder().workers(1).build().expect("a pool");
    let script = "sleep 6001 & sh -c 'sleep 6002 & sleep 6003' & (sleep 6004 &) & setsid sh -c 'sleep 6005 & sleep 6006' & \
                  setsid setsid sleep 6007 &";
    let gate = Gate::of_the_case("gate");
    let _running = start_children.bind(gate.clone(), script).on(&pool).spawn();
    gate.await_arrivals(1);
    ready();
}

#[loky::task]
fn nest(depth: u32, gate: Gate) {
    gate.arrive("nested");
    match depth {
        0 => spin(gate),
        _ => nest.run(depth - 1, gate).expect("nobody asks"),
    }
}

fn nests() {
    let gate = Gate::of_the_case("gate");
    let _running = nest.spawn(3, gate.clone());
    gate.await_arrivals(5);
    ready();
}

/// Starts a program and waits until it is in place.
fn start(name: &str) -> Child {
    prctl::set_child_subreaper(true).expect("so that every orphan becomes ours");
    let (_gate, ready) = (Gate::new("gate"), Gate::new("ready"));
    let program = program(name).spawn().expect("the program starts");
    ready.await_arrivals(1);
    program
}

/// Kills a program; everything of it must be gone within a second.
fn bury(mut program: Child) {
    program.kill().expect("the program is ours");
    let killed = Instant::now();
    program.wait().expect("the program is ours");
    let is_gone = || {
        procfs::reap_orphans();
        procfs::below(std::process::id()).is_empty().then_some(())
    };
    if within(ms(1000).saturating_sub(killed.elapsed()), is_gone).is_none() {
        panic!("a second after the program's death there is still:\n{}", procfs::dump_below(std::process::id()));
    }
    println!("all gone after {:?}", killed.elapsed());
}

fn below(program: &Child) -> Vec<procfs::Process> {
    procfs::below(program.id())
}

fn parent_death_02_with_idle_workers() {
    let program = start("idles");
    assert_eq!(below(&program).len(), 4);
    bury(program);
}

fn parent_death_03_with_workers_in_a_tight_loop() {
    let program = start("spins");
    assert_eq!(below(&program).len(), 3);
    bury(program);
}

fn parent_death_04_while_large_results_are_written() {
    let mut random = Random::from_environment();
    let program = start("transfers");
    eventually("both workers are there", || below(&program).len() == 2);
    thread::sleep(random.span(ms(500)));
    bury(program);
}

fn parent_death_06_during_start_up() {
    during_start_up("starts", 60);
}

fn parent_death_17_while_a_zygote_is_asked() {
    during_start_up("starts_with_zygote", 40);
}

fn during_start_up(name: &str, rounds: u32) {
    let mut random = Random::from_environment();
    let mut most = 0;
    for round in 0..rounds {
        let scratch = loky_tests::scratch();
        ["gate", "ready"].iter().for_each(|gate| std::fs::remove_dir_all(scratch.join(gate)).unwrap_or_default());
        let program = start(name);
        // Every second round within the first milliseconds, where the launches are.
        thread::sleep(random.span(if round % 2 == 0 { ms(8) } else { ms(60) }));
        most = most.max(below(&program).len());
        bury(program);
    }
    assert!(most > 0, "some were killed with workers");
}

fn parent_death_08_the_thread_that_spawned_ends() {
    let pool = pool_of(2);
    let spawner = {
        let pool = pool.clone();
        thread::spawn(move || add.bind(1, 2).on(&pool).run().expect("a call"))
    };
    assert_eq!(spawner.join().expect("no panic"), 3);
    let worker = procfs::workers();
    assert_eq!(worker.len(), 1);
    loky_tests::stays("the worker outlives the thread that launched it", ms(300), || procfs::workers() == worker);
    assert_eq!(add.bind(3, 4).on(&pool).run().expect("it still serves"), 7);
    assert_eq!(procfs::workers(), worker);
}

fn parent_death_09_a_stopped_program_is_not_dead() {
    let program = start("idles");
    let pid = Pid::from_raw(program.id() as i32);
    kill(pid, Signal::SIGSTOP).expect("the program is ours");
    loky_tests::stays("its workers wait", ms(2500), || below(&program).len() == 4);
    kill(pid, Signal::SIGCONT).expect("the program is ours");
    bury(program);
}

fn parent_death_10_with_children_of_workers() {
    let program = start("has_children");
    eventually("all seven sleep", || below(&program).iter().filter(|process| process.name == "sleep").count() == 7);
    bury(program);
}

fn parent_death_10_with_nested_pools() {
    let program = start("nests");
    assert_eq!(below(&program).len(), 4);
    bury(program);
}

fn parent_death_15_with_a_stopped_worker() {
    for program in ["idles", "spins"] {
        let scratch = loky_tests::scratch();
        ["gate", "ready"].iter().for_each(|gate| std::fs::remove_dir_all(scratch.join(gate)).unwrap_or_default());
        let program = start(program);
        let worker = below(&program)[0].pid;
        kill(Pid::from_raw(worker as i32), Signal::SIGSTOP).expect("the worker is there");
        eventually("it is stopped", || procfs::process(worker).is_some_and(|process| process.state == 'T'));
        bury(program);
    }
}

fn parent_death_16_with_a_zygote() {
    for is_stopped in [false, true] {
        let scratch = loky_tests::scratch();
        ["gate", "ready"].iter().for_each(|gate| std::fs::remove_dir_all(scratch.join(gate)).unwrap_or_default());
        let program = start("idles_with_zygote");
        assert_eq!(below(&program).len(), 4, "three workers and the zygote");
        let is_zygote = |process: &&procfs::Process| process.command_line().contains("[loky: zygote of ");
        let zygote = below(&program).iter().find(is_zygote).expect("a zygote").pid;
        if is_stopped {
            kill(Pid::from_raw(zygote as i32), Signal::SIGSTOP).expect("it is there");
            eventually("it is stopped", || procfs::process(zygote).is_some_and(|process| process.state == 'T'));
        }
        bury(program);
    }
}
