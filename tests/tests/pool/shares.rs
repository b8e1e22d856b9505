//! One budget of processors for a whole tree of pools: what each level sees of it, and how few processes it makes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use loky::Pool;
use loky::prelude::*;
use loky_tests::sys::signal;
use loky_tests::tasks::{meet, variable};
use loky_tests::{Case, Gate, Program, cases, eventually, finish, ms, pool_of, procfs, program, programs};
use nix::sys::signal::Signal;

pub(crate) const CASES: &[Case] = cases![
    nested_10_each_level_sees_its_share,
    nested_10_an_explicit_number_is_honored_and_its_share_divided,
    nested_10_threads_of_libraries_follow_the_share,
    nested_10_a_share_follows_those_who_are_there,
    nested_10_a_size_that_was_chosen_follows_nobody,
    nested_10_a_resize_changes_the_share,
    nested_10_four_levels_of_default_pools_have_few_processes: 120,
];

pub(crate) const PROGRAMS: &[Program] = programs![spreads];

/// What a level sees: how deep it is, its processors, and how many workers its own pool has.
type Seen = (u32, usize, usize);

/// What this level sees, and each level below it, by pools that nobody has said anything to.
#[loky::task]
fn look_down(levels: u32) -> Vec<Seen> {
    let depth = loky::worker().expect("a task runs in a worker").depth;
    let mut seen = vec![(depth, loky::cpu_count(), loky::pool().workers())];
    if levels > 0 {
        seen.extend(look_down.run(levels - 1).expect("the level below"));
    }
    seen
}

fn nested_10_each_level_sees_its_share() {
    let all = loky::cpu_count();
    let seen = look_down.run(2).expect("a call");
    assert_eq!(seen, [(1, all, all), (2, all, all), (3, all, all)], "who is alone at each level has all that there is");
    let shared_out = |pool: &Pool| {
        pool.warm_up();
        look_down.bind(2).on(pool).run().expect("a call")
    };
    assert_eq!(shared_out(&pool_of(all)), [(1, 1, 1), (2, 1, 1), (3, 1, 1)], "all are shared out at the top");
    assert_eq!(shared_out(&pool_of(all * 3))[0], (1, 1, 1), "never less than one");
    let copied = Pool::builder().workers(2).zygote(true).build().expect("a pool");
    let share = (all / 2).max(1);
    assert_eq!(shared_out(&copied)[0], (1, share, share), "so it is with copies");
    let spared = Pool::builder().workers(1).spares(2).build().expect("a pool");
    assert_eq!(shared_out(&spared)[0], (1, all, all), "spares run nothing");
    assert_eq!(loky::cpu_count(), all, "the program itself counts as ever");
    finish();
}

/// Waits for the others at the gate, so that each worker has one, and tells what it sees. Chooses a size, if it shall.
#[loky::task]
fn meet_and_look(gate: Gate, chosen: Option<usize>) -> (u32, Seen) {
    if let Some(workers) = chosen {
        loky::reusable(Pool::builder().workers(workers)).expect("a pool");
    }
    meet(gate, 0);
    let depth = loky::worker().expect("a task runs in a worker").depth;
    (std::process::id(), (depth, loky::cpu_count(), loky::pool().workers()))
}

/// What so many workers see, by their pids.
fn look_around(pool: &Pool, name: &str, workers: usize) -> BTreeMap<u32, Seen> {
    let gate = Gate::new(name);
    let calls: Vec<_> = (0..workers).map(|_| meet_and_look.bind(gate.clone(), None).on(pool).spawn()).collect();
    gate.await_arrivals(workers);
    gate.open();
    loky::join_all(calls).expect("all look").into_iter().collect()
}

fn nested_10_a_share_follows_those_who_are_there() {
    let (all, pool) = (loky::cpu_count(), pool_of(loky::cpu_count()));
    let alone = look_around(&pool, "alone", 1);
    let first = *alone.keys().next().expect("one");
    assert_eq!(alone[&first], (1, all, all));
    pool.warm_up();
    let together = look_around(&pool, "together", all);
    assert_eq!(together.len(), all);
    // What each counts, and the size of the pool that the first one has had before.
    assert!(together.contains_key(&first) && together.values().all(|seen| *seen == (1, 1, 1)), "{together:?}");
    let others = together.into_keys().filter(|pid| *pid != first);
    others.for_each(|pid| signal(pid, Signal::SIGKILL));
    eventually("those who have died need none", || {
        look_down.bind(0).on(&pool).run().expect("a call")[0] == (1, all, all)
    });
    pool.warm_up();
    let again = look_around(&pool, "again", all);
    assert!(again[&first] == (1, 1, 1) && again.values().all(|seen| *seen == (1, 1, 1)), "{again:?}");
}

fn nested_10_a_size_that_was_chosen_follows_nobody() {
    let (all, pool, gate) = (loky::cpu_count(), pool_of(loky::cpu_count()), Gate::new("open"));
    gate.open();
    let (first, seen) = meet_and_look.bind(gate, Some(5)).on(&pool).run().expect("a call");
    assert_eq!(seen, (1, all, 5));
    pool.warm_up();
    assert_eq!(look_around(&pool, "together", all)[&first], (1, 1, 5));
}

#[loky::task]
fn three_below() -> (usize, Vec<usize>) {
    let pool = pool_of(3);
    pool.warm_up();
    let workers = procfs::workers().len();
    (workers, (0..3).map(|_| cpus.bind().on(&pool).run().expect("a call")).collect())
}

#[loky::task]
fn cpus() -> usize {
    loky::cpu_count()
}

fn nested_10_an_explicit_number_is_honored_and_its_share_divided() {
    let all = loky::cpu_count();
    let (workers, counts) = three_below.bind().on(&pool_of(1)).run().expect("a call");
    assert_eq!((workers, counts), (3, vec![(all / 3).max(1); 3]));
    let full = pool_of(all);
    full.warm_up();
    let (workers, counts) = three_below.bind().on(&full).run().expect("a call");
    assert_eq!((workers, counts), (3, vec![1; 3]), "although it has one only");
}

#[loky::task]
fn threads_below(workers: Option<usize>) -> (Option<String>, Option<String>) {
    let builder = Pool::builder();
    let pool = match workers {
        Some(workers) => builder.workers(workers),
        None => builder,
    };
    let pool = pool.build().expect("a pool");
    (std::env::var("OMP_NUM_THREADS").ok(), variable.bind("OMP_NUM_THREADS").on(&pool).run().expect("a call"))
}

fn nested_10_threads_of_libraries_follow_the_share() {
    let (all, said) = (loky::cpu_count().to_string(), |threads: &str| Some(threads.to_owned()));
    let alone = pool_of(1);
    let below = |workers| threads_below.bind(workers).on(&alone).run().expect("a call");
    assert_eq!(below(None), (said(&all), said("1")), "the share is divided once more");
    assert_eq!(below(Some(1)), (said(&all), said(&all)), "or is not");
    let decided = Pool::builder().workers(1).env("OMP_NUM_THREADS", "7").build().expect("a pool");
    let seen = threads_below.bind(None).on(&decided).run().expect("a call");
    assert_eq!(seen, (said("7"), said("7")), "what a user has said is said to all below");
}

fn nested_10_a_resize_changes_the_share() {
    let all = loky::cpu_count();
    let pool = pool_of(all);
    let share = || cpus.bind().on(&pool).run().expect("a call");
    pool.warm_up();
    assert_eq!(share(), 1);
    pool.resize(1);
    assert_eq!(share(), all, "those who leave need none any more");
    pool.resize(all);
    pool.warm_up();
    assert_eq!(share(), 1);
}

/// Has every worker of a default pool do the same, so many levels down.
#[loky::task]
fn spread(levels: u32) -> usize {
    if levels == 0 {
        return 1;
    }
    (0..2 * loky::cpu_count()).par_map(loky::closure!(|_x: usize| spread(levels - 1))).unwrap_all().into_iter().sum()
}

/// Prints how many processors it has, and how many processes four levels have made of them.
fn spreads() {
    let (most, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                most.fetch_max(procfs::below(std::process::id()).len(), Ordering::Relaxed);
                thread::sleep(ms(2));
            }
        });
        spread(4);
        most.fetch_max(procfs::below(std::process::id()).len(), Ordering::Relaxed);
        is_over.store(true, Ordering::Relaxed);
    });
    println!("{} {}", loky::cpu_count(), most.into_inner());
    loky::pool().shutdown();
}

/// Without a common budget it would be thousands on eight processors, and thirty on two.
fn nested_10_four_levels_of_default_pools_have_few_processes() {
    for limit in ["8", "2", "1"] {
        let output = program("spreads").env("LOKY_MAX_CPU_COUNT", limit).output().expect("the program starts");
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let (cpus, processes) = said.split_once(' ').expect("two numbers");
        let (cpus, processes): (usize, usize) = (cpus.parse().expect("one"), processes.parse().expect("two"));
        assert!((4..=4 * cpus).contains(&processes), "{processes} processes for {cpus} processors");
    }
}
