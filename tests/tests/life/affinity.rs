//! On which processors workers run.

use std::collections::BTreeSet;

use loky::prelude::*;
use loky::{ErrorKind, Pool};
use loky_tests::tasks::{Death, add, die};
use loky_tests::{Case, Gate, cases, fails, finish};
use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::Pid;

pub(crate) const CASES: &[Case] = cases![
    cpu_14_each_worker_runs_where_it_is_told,
    cpu_14_before_anything_of_the_users,
    cpu_14_copies_too,
    cpu_14_a_processor_that_is_not_there,
    cpu_14_whoever_tells_panics,
    env_20_equal_only_as_the_same_closure,
];

/// The processors of the calling thread.
fn cpus() -> Vec<usize> {
    let set = sched_getaffinity(Pid::from_raw(0)).expect("a thread may ask");
    (0..CpuSet::count()).filter(|&cpu| set.is_set(cpu).unwrap_or(false)).collect()
}

#[loky::task]
fn my_cpus(gate: Gate) -> (usize, Vec<usize>) {
    gate.arrive("here");
    gate.pass();
    (loky::worker().expect("a worker").index, cpus())
}

/// Where each of so many workers runs, by its index.
fn of_each(pool: &Pool, name: &str, workers: usize) -> BTreeSet<(usize, Vec<usize>)> {
    let gate = Gate::new(name);
    let calls: Vec<_> = (0..workers).map(|_| my_cpus.bind(gate.clone()).on(pool).spawn()).collect();
    gate.await_arrivals(workers);
    gate.open();
    loky::join_all(calls).expect("calls").into_iter().collect()
}

fn cpu_14_each_worker_runs_where_it_is_told() {
    let all = cpus();
    let (first, last) = (all[0], all[all.len() - 1]);
    let choice = move |index: usize| [vec![first], vec![], vec![last, first]][index].clone();
    let mut both = vec![first, last];
    both.dedup();
    let pool = Pool::builder().workers(3).cpu_affinity(choice).build().expect("a pool");
    let expected = BTreeSet::from([(0, vec![first]), (1, all.clone()), (2, both)]);
    assert_eq!(of_each(&pool, "gate", 3), expected);
    assert_eq!(cpus(), all, "the program keeps what it has");
    fails(die.bind(Death::Abort).on(&pool).run(), ErrorKind::Crash);
    assert_eq!(of_each(&pool, "again", 3), expected, "so does a replacement");
}

#[loky::task]
fn note(gate: Gate) {
    gate.arrive(&format!("{:?}", cpus()));
}

#[loky::task]
fn of_a_thread_and_a_child() -> (Vec<usize>, String) {
    let status = std::process::Command::new("grep").args(["Cpus_allowed_list", "/proc/self/status"]).output();
    let status = String::from_utf8(status.expect("grep is there").stdout).expect("text");
    (std::thread::spawn(cpus).join().expect("no panic"), status.trim().replace("Cpus_allowed_list:\t", ""))
}

fn cpu_14_before_anything_of_the_users() {
    let (gate, first) = (Gate::new("gate"), cpus()[0]);
    let builder = Pool::builder().workers(1).cpu_affinity(move |_| vec![first]).initializer(note.bind(gate.clone()));
    let pool = builder.build().expect("a pool");
    assert_eq!(of_a_thread_and_a_child.bind().on(&pool).run().expect("a call"), (vec![first], first.to_string()));
    assert_eq!(gate.arrivals(), [format!("[{first}]")], "the initializer has run there, too");
}

fn cpu_14_copies_too() {
    let all = cpus();
    let last = all[all.len() - 1];
    let choice = move |index: usize| if index == 1 { vec![last] } else { Vec::new() };
    let pool = Pool::builder().workers(3).zygote(true).cpu_affinity(choice).build().expect("a pool");
    let expected = BTreeSet::from([(0, all.clone()), (1, vec![last]), (2, all)]);
    assert_eq!(of_each(&pool, "gate", 3), expected);
}

fn cpu_14_a_processor_that_is_not_there() {
    let first = cpus()[0];
    for cpu in [4000, usize::MAX] {
        let pool = Pool::builder().workers(1).cpu_affinity(move |_| vec![first, cpu]).build().expect("a pool");
        let error = fails(add.bind(1, 2).on(&pool).run(), ErrorKind::Launch);
        let text = error.to_string();
        assert!(text.contains("worker 0 ") && text.contains(&format!("CPU {cpu} ")), "{text}");
        assert!(!error.may_have_run());
    }
}

fn cpu_14_whoever_tells_panics() {
    let pool = Pool::builder().workers(1).cpu_affinity(|_| panic!("no idea")).build().expect("a pool");
    let error = fails(add.bind(1, 2).on(&pool).run(), ErrorKind::Launch);
    assert!(error.to_string().contains("`cpu_affinity` panicked for worker 0"), "{error}");
}

fn env_20_equal_only_as_the_same_closure() {
    let anywhere = Pool::builder().workers(1).cpu_affinity(|_| Vec::new());
    let worker = || loky_tests::tasks::pid.run().expect("a call");
    loky::reusable(anywhere.clone()).expect("a pool");
    let first = worker();
    loky::reusable(anywhere).expect("a pool");
    assert_eq!(worker(), first);
    loky::reusable(Pool::builder().workers(1).cpu_affinity(|_| Vec::new())).expect("a pool");
    assert_ne!(worker(), first);
    finish();
}
