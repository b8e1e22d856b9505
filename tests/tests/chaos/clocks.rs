//! Numbers that mean something else on the other side: the clock of a worker, and the pid of a process that is gone.

use std::process::{Child, Command};
use std::time::Duration;

use loky::prelude::*;
use loky::{CallStatus, ErrorKind, Pool};
use loky_tests::sys::signal;
use loky_tests::tasks::{meet, pid, sleep_for, square};
use loky_tests::{Case, Gate, Program, cases, eventually, fails, ms, pool_of, procfs, program, programs, soon, sys};
use nix::sys::signal::Signal;

pub(crate) const CASES: &[Case] =
    cases![race_11_the_clocks_of_workers_are_a_day_ahead, race_12_another_process_has_the_pid_of_a_dead_worker];

pub(crate) const PROGRAMS: &[Program] = programs![has_workers_of_tomorrow];

/// Seconds since the start of the machine, as this process sees it.
#[loky::task]
fn uptime() -> f64 {
    let text = std::fs::read_to_string("/proc/uptime").expect("/proc is mounted");
    text.split(' ').next().and_then(|seconds| seconds.parse().ok()).expect("a number of seconds")
}

const DAY: u64 = 24 * 60 * 60;

fn has_workers_of_tomorrow() {
    if let Err(why) = sys::set_clocks_of_children_ahead(DAY) {
        // Not everybody may do that.
        println!("not tried: {why}");
        return;
    }
    let pool = Pool::builder().workers(2).idle_timeout(Some(ms(300))).build().expect("a pool");
    let ahead = uptime.bind().on(&pool).run().expect("a worker") - uptime();
    assert!(ahead > DAY as f64 - 60.0, "{ahead} s");
    let day = Duration::from_secs(DAY / 2);
    sleep_for.bind(ms(100)).on(&pool).timeout(day).deadline(day).queue_timeout(day).run().expect("none is over");
    fails(sleep_for.bind(day).on(&pool).timeout(ms(100)).run(), ErrorKind::Timeout);
    let gate = Gate::of_the_case("gate");
    let held: Vec<_> = (0..2).map(|x| meet.bind(gate.clone(), x).on(&pool).spawn()).collect();
    gate.await_arrivals(2);
    fails(square.bind(1).on(&pool).queue_timeout(ms(100)).run(), ErrorKind::QueueTimeout);
    assert!(held.iter().all(|handle| handle.status() == CallStatus::Running));
    gate.open();
    assert_eq!(loky::join_all(held).expect("both"), [0, 1]);
    let results: Result<Vec<_>, _> = (0..200).par_map(square).on(&pool).timeout(day).collect();
    assert_eq!(results.expect("all of them").len(), 200);
    eventually("idle workers leave", || procfs::children(std::process::id()).is_empty());
    pool.shutdown();
}

fn race_11_the_clocks_of_workers_are_a_day_ahead() {
    Gate::new("gate");
    assert!(program("has_workers_of_tomorrow").status().expect("the program starts").success());
}

/// A process that is none of the library's, with this pid. `None` where nobody may choose one.
fn bystander(pid: u32) -> Option<Child> {
    (0..100).find_map(|_| {
        std::fs::write("/proc/sys/kernel/ns_last_pid", (pid - 1).to_string()).ok()?;
        let mut child = Command::new("sleep").arg("6009").spawn().expect("sleep can be started");
        if child.id() == pid {
            return Some(child);
        }
        // Somebody else was quicker.
        child.kill().expect("it is ours");
        child.wait().expect("it is ours");
        None
    })
}

fn race_12_another_process_has_the_pid_of_a_dead_worker() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let held = meet.bind(gate.clone(), 1).on(&pool).spawn();
    let worker: u32 = gate.await_arrivals(1)[0].parse().expect("a pid");
    signal(worker, Signal::SIGKILL);
    soon("it is dead and reaped", ms(5000), || procfs::process(worker).is_none());
    let Some(mut bystander) = bystander(worker) else { return println!("not tried: nobody may choose a pid") };
    assert!(!held.cancel(), "it has ended");
    fails(held.join(), ErrorKind::Crash);
    assert_ne!(pid.bind().on(&pool).run().expect("a new worker"), worker);
    assert!(!pool.stats().pids.contains(&worker));
    sleep_for.bind(ms(30_000)).on(&pool).timeout(ms(50)).run().expect_err("its worker is killed");
    pool.resize(2);
    pool.warm_up();
    pool.shutdown_now();
    assert!(bystander.try_wait().expect("it is ours").is_none(), "whoever has that pid now is left alone");
    bystander.kill().expect("it is ours");
    bystander.wait().expect("it is ours");
}
