//! More ways in which a program goes away, and what its workers may be doing: they leave all the same.

use std::hint::black_box;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use loky::prelude::*;
use loky::{Pool, Shared};
use loky_tests::tasks::{add, meet, spin, square};
use loky_tests::{Case, Gate, Program, cases, eventually, ms, pool_of, procfs, program, programs, within};
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill, raise};
use nix::unistd::{Pid, Uid, setuid};

use crate::{below, bury, ready, start};

pub(crate) const CASES: &[Case] = cases![
    parent_death_01_right_after_a_map,
    parent_death_05_while_a_worker_takes_its_leave,
    parent_death_07_orphans_that_go_to_a_subreaper,
    parent_death_11_shared_arrays_leave_no_file,
    parent_death_12_a_pipe_behind_it_ends,
    parent_death_13_it_becomes_another_program,
    parent_death_14_workers_that_have_become_somebody_else,
];

pub(crate) const PROGRAMS: &[Program] =
    programs![maps_and_dies, takes_leave, shares, fills_a_pipe, becomes_another, has_others];

fn maps_and_dies() {
    let pool = Pool::builder().workers(3).idle_timeout(Some(Duration::from_secs(1))).build().expect("a pool");
    let squares = (0..100).par_map(square).on(&pool).unwrap_all();
    Gate::of_the_case("ready").arrive(&squares.len().to_string());
    Gate::of_the_case("gate").pass();
    raise(Signal::SIGKILL).expect("a process may kill itself");
}

#[loky::task]
fn stay_on(gate: Gate) {
    gate.arrive(&std::process::id().to_string());
    thread::sleep(Duration::from_secs(1000));
}

/// Its worker has been told to leave, and is still at it.
fn takes_leave() {
    let gate = Gate::of_the_case("gate");
    let last = stay_on.bind(gate.clone()).timeout(Duration::from_secs(1000));
    let pool = Pool::builder().workers(1).finalizer(last, drop).build().expect("a pool");
    add.bind(1, 2).on(&pool).run().expect("a worker");
    drop(pool);
    gate.await_arrivals(1);
    ready();
}

#[loky::task]
fn hold(numbers: Shared<u64>, gate: Gate) -> u64 {
    meet(gate, numbers.iter().sum())
}

fn shares() {
    let (pool, gate) = (pool_of(2), Gate::of_the_case("gate"));
    let numbers: Shared<u64> = Shared::from_vec((0..1_000_000).collect());
    let _held: Vec<_> = (0..2).map(|_| hold.bind(numbers.clone(), gate.clone()).on(&pool).spawn()).collect();
    gate.await_arrivals(2);
    ready();
}

#[loky::task]
fn print_and_spin(gate: Gate) {
    println!("a worker holds the pipe");
    spin(gate);
}

fn fills_a_pipe() {
    let (pool, gate) = (pool_of(2), Gate::of_the_case("gate"));
    let _running = print_and_spin.bind(gate.clone()).on(&pool).spawn();
    add.bind(1, 2).on(&pool).run().expect("another worker");
    gate.await_arrivals(1);
    ready();
}

fn becomes_another() {
    let (pool, gate) = (pool_of(2), Gate::of_the_case("gate"));
    let _running = spin.bind(gate.clone()).on(&pool).spawn();
    add.bind(1, 2).on(&pool).run().expect("another worker");
    gate.await_arrivals(1);
    Gate::of_the_case("ready").arrive("ready");
    gate.pass();
    panic!("{}", Command::new("sleep").arg("6008").exec());
}

/// Does to this worker what the kernel does when a process becomes somebody else: no signal tells it of a death any more.
#[loky::task]
fn become_somebody_else() {
    prctl::set_pdeathsig(None).expect("whoever was to be told of a death is not any more");
    if Uid::effective().is_root() {
        setuid(Uid::from_raw(NOBODY)).expect("root may become anybody");
    }
    // Whoever it is now may read and write no file; it may be seen that it is somebody else.
    loop {
        black_box(0);
    }
}

const NOBODY: u32 = 65534;

fn has_become_nobody(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("Uid:") && line.contains(&NOBODY.to_string()))
}

fn has_others() {
    let pool = pool_of(2);
    let _running: Vec<_> = (0..2).map(|_| become_somebody_else.bind().on(&pool).spawn()).collect();
    eventually("both of them run", || pool.stats().running == 2);
    if Uid::effective().is_root() {
        eventually("as somebody else", || procfs::workers().into_iter().all(has_become_nobody));
    }
    ready();
}

fn all_are_gone() -> Option<()> {
    procfs::reap_orphans();
    procfs::below(std::process::id()).is_empty().then_some(())
}

fn parent_death_01_right_after_a_map() {
    let mut program = start("maps_and_dies");
    assert!((1..=3).contains(&below(&program).len()));
    Gate::of_the_case("gate").open();
    program.wait().expect("it kills itself");
    if within(ms(1000), all_are_gone).is_none() {
        panic!("there is still:\n{}", procfs::dump_below(std::process::id()));
    }
}

fn parent_death_05_while_a_worker_takes_its_leave() {
    let program = start("takes_leave");
    assert_eq!(below(&program).len(), 1);
    bury(program);
}

fn parent_death_07_orphans_that_go_to_a_subreaper() {
    let program = start("spins");
    let workers: Vec<u32> = below(&program).iter().map(|process| process.pid).collect();
    // A stopped one is still there when its parent is gone, so it is seen where it goes.
    kill(Pid::from_raw(workers[0] as i32), Signal::SIGSTOP).expect("it is there");
    let me = std::process::id();
    assert!(prctl::get_child_subreaper().expect("it can be asked") && me != 1, "they do not go to process 1");
    bury(program);
    assert!(workers.iter().all(|worker| procfs::process(*worker).is_none()));
}

/// What has a name outside of all processes.
fn names() -> (Vec<String>, Vec<String>) {
    (procfs::names_in("/dev/shm".as_ref()), procfs::names_in(&std::env::temp_dir()))
}

fn parent_death_11_shared_arrays_leave_no_file() {
    let before = names();
    let program = start("shares");
    assert_eq!(below(&program).len(), 2);
    bury(program);
    assert_eq!(names(), before);
}

fn parent_death_12_a_pipe_behind_it_ends() {
    prctl::set_child_subreaper(true).expect("so that every orphan becomes ours");
    let (_gate, ready) = (Gate::new("gate"), Gate::new("ready"));
    let mut command = program("fills_a_pipe");
    let mut program = command.stdout(Stdio::piped()).spawn().expect("the program starts");
    let mut pipe = program.stdout.take().expect("it is a pipe");
    ready.await_arrivals(1);
    let reading = thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).map(|_| text)
    });
    program.kill().expect("the program is ours");
    program.wait().expect("the program is ours");
    loky_tests::soon("nobody holds the pipe any more", ms(1000), || reading.is_finished());
    let text = reading.join().expect("no panic").expect("text");
    assert_eq!(text, "a worker holds the pipe\n");
    loky_tests::soon("all are gone", ms(1000), || all_are_gone().is_some());
}

fn parent_death_13_it_becomes_another_program() {
    let mut program = start("becomes_another");
    assert_eq!(below(&program).len(), 2);
    Gate::of_the_case("gate").open();
    eventually("it is another program", || {
        procfs::process(program.id()).is_some_and(|process| process.name == "sleep")
    });
    // They are children of the other program, which does not reap them: dead is what they can be.
    loky_tests::soon("its workers have left", ms(1000), || below(&program).iter().all(procfs::Process::is_zombie));
    program.kill().expect("the program is ours");
    program.wait().expect("the program is ours");
    loky_tests::soon("all are gone", ms(1000), || all_are_gone().is_some());
}

fn parent_death_14_workers_that_have_become_somebody_else() {
    let program = start("has_others");
    assert_eq!(below(&program).len(), 2);
    bury(program);
}
