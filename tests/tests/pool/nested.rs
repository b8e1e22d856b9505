//! Pools within workers: each level its own, bounded in depth, and gone together.

use loky::prelude::*;
use loky::{ErrorKind, Pool};
use loky_tests::tasks::{meet, pid, square};
use loky_tests::{Case, Gate, Program, cases, fails, finish, ms, pool_of, procfs, program, programs, soon};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

pub(crate) const CASES: &[Case] = cases![
    nested_01_ten_levels_and_not_eleven: 120,
    nested_03_maps_in_maps,
    nested_06_an_own_pool_in_a_worker,
    nested_08_the_middle_is_killed,
    nested_15_the_limit_is_the_users,
    submit_17_a_spawn_in_a_task_is_for_a_small_pool_of_its_worker,
    exc_15_an_inner_failure_shows_both_levels,
];

pub(crate) const PROGRAMS: &[Program] = programs![digs];

/// How many levels there are below this one, until an error ends it.
#[loky::task]
fn dig(deepest: u32) -> (u32, Option<String>) {
    if deepest == 0 {
        return (0, None);
    }
    match dig.run(deepest - 1) {
        Ok((below, why)) => (below + 1, why),
        Err(error) => (0, Some(format!("{:?}", error.kind()))),
    }
}

fn nested_01_ten_levels_and_not_eleven() {
    // The first level is that of this program's own workers.
    assert_eq!(dig.run(9).expect("ten levels"), (9, None));
    assert_eq!(dig.run(30).expect("the first level"), (9, Some("Depth".to_owned())));
    finish();
}

#[loky::task]
fn sum_of_squares(end: u64) -> u64 {
    (0..end).par_map(square).unwrap_all().into_iter().sum()
}

fn nested_03_maps_in_maps() {
    let sums: Vec<u64> = [10_u64, 20, 30, 40].par_map(sum_of_squares).unwrap_all();
    assert_eq!(sums, [285, 2470, 8555, 20540]);
    finish();
}

#[loky::task]
fn inner_pids() -> Vec<u32> {
    let pool = pool_of(2);
    let pids = (0..4).map(|_| pid.bind().on(&pool).run().expect("the inner pool works")).collect();
    pool.shutdown();
    assert!(procfs::children(std::process::id()).is_empty(), "the inner pool is gone");
    pids
}

fn nested_06_an_own_pool_in_a_worker() {
    let pids = inner_pids.run().expect("a pool in a worker");
    assert!(pids.iter().all(|pid| !procfs::is_alive(*pid) && *pid != std::process::id()));
    finish();
}

#[loky::task]
fn chain(depth: u32, gate: Gate) {
    gate.arrive(&std::process::id().to_string());
    if depth == 0 {
        gate.pass();
    } else {
        chain.run(depth - 1, gate).expect("nobody asks");
    }
}

fn nested_08_the_middle_is_killed() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let handle = chain.bind(4, gate.clone()).on(&pool).spawn();
    let pids: Vec<u32> = gate.await_arrivals(5).iter().map(|pid| pid.parse().expect("a pid")).collect();
    kill(Pid::from_raw(pids[0] as i32), Signal::SIGKILL).expect("the first level is ours");
    soon("all deeper levels are gone", ms(1000), || !pids.iter().any(|pid| procfs::is_alive(*pid)));
    assert_eq!(fails(handle.join(), ErrorKind::Crash).pid(), Some(pids[0]));
}

/// Digs and prints how deep it came.
fn digs() {
    let (levels, why) =
        dig.run(12).map_or_else(|error| (0, Some(format!("{:?}", error.kind()))), |(n, why)| (n + 1, why));
    println!("{levels} {}", why.unwrap_or_default());
    loky::pool().shutdown();
}

fn dug(limit: &str) -> String {
    let output = program("digs").env("LOKY_MAX_DEPTH", limit).output().expect("the program starts");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn nested_15_the_limit_is_the_users() {
    assert_eq!(dug("3"), "3 Depth");
    assert_eq!(dug("1"), "1 Depth");
    assert_eq!(dug("0"), "13", "zero switches the limit off");
    assert_eq!(dug("rubbish"), "10 Depth", "what is no number is not set");
}

#[loky::task]
fn fails_inside() -> Result<u64, String> {
    let pool = Pool::builder().workers(1).build().map_err(|error| error.to_string())?;
    loky_tests::tasks::panic_with.bind("deep inside").on(&pool).run().map(u64::from).map_err(|error| error.to_string())
}

fn exc_15_an_inner_failure_shows_both_levels() {
    let inner = fails_inside.run().expect("the outer call succeeds").expect_err("the inner one fails");
    assert!(inner.contains("deep inside") && inner.contains("panic_with"), "{inner}");
    finish();
}

/// The parent of whoever serves what a task spawns, and how many it would have for that.
#[loky::task]
fn spawn_inside(gate: Gate) -> (u32, u32, usize) {
    meet(gate, 0);
    let parent = parent_of_the_worker.run().expect("a spawn in a task");
    (std::process::id(), parent, loky::pool().workers())
}

#[loky::task]
fn parent_of_the_worker() -> u32 {
    std::os::unix::process::parent_id()
}

fn submit_17_a_spawn_in_a_task_is_for_a_small_pool_of_its_worker() {
    let all = loky::cpu_count();
    let (pool, gate) = (pool_of(all), Gate::new("gate"));
    let handles: Vec<_> = (0..all).map(|_| spawn_inside.bind(gate.clone()).on(&pool).spawn()).collect();
    gate.await_arrivals(all);
    gate.open();
    for (worker, parent, size) in loky::join_all(handles).expect("no deadlock") {
        assert_eq!(parent, worker, "served below the worker, and not by the pool that runs the task");
        assert_eq!(size, 1, "all processors are taken, so it is not one of full size");
    }
}
