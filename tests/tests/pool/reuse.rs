//! The process-wide pool: the same one for everybody, resized or replaced when asked for differently.

use std::collections::BTreeSet;
use std::thread;

use loky::Pool;
use loky::prelude::*;
use loky_tests::tasks::{Death, die, meet, pid, square, variable};
use loky_tests::{Case, Gate, Program, cases, eventually, finish, ms, procfs, program, programs, soon, sys};

pub(crate) const CASES: &[Case] = cases![
    reuse_01_equal_settings_are_the_same_pool,
    reuse_02_another_size_keeps_the_workers,
    reuse_03_other_settings_replace_it,
    reuse_05_it_survives_a_crash,
    reuse_08_a_program_without_a_guard,
    reuse_12_replaced_while_a_call_runs,
    reuse_13_each_thread_gets_its_environment,
    reuse_16_a_forked_child_says_so,
    reuse_17_first_use_from_many_threads,
    reuse_22_idle_workers_leave_it,
];

pub(crate) const PROGRAMS: &[Program] = programs![maps];

fn reusable(builder: loky::PoolBuilder) -> Pool {
    loky::reusable(builder).expect("a reusable pool")
}

fn reuse_01_equal_settings_are_the_same_pool() {
    let worker = pid.run().expect("a worker");
    for _ in 0..10 {
        assert_eq!(pid.bind().on(&loky::pool()).run().expect("the same pool"), worker);
    }
    let one = reusable(Pool::builder().workers(2));
    let worker = pid.bind().on(&one).run().expect("a worker");
    let same = reusable(Pool::builder().workers(2));
    assert_eq!(pid.bind().on(&same).run().expect("the same pool"), worker);
    assert_eq!(pid.run().expect("and it is the one that `spawn` uses"), worker);
    one.shutdown();
    let new = reusable(Pool::builder().workers(2));
    assert_ne!(pid.bind().on(&new).run().expect("a new pool"), worker);
    finish();
}

fn reuse_02_another_size_keeps_the_workers() {
    let pool = reusable(Pool::builder().workers(1));
    let worker = pid.bind().on(&pool).run().expect("a worker");
    let larger = reusable(Pool::builder().workers(3));
    larger.warm_up();
    eventually("it has grown", || procfs::workers().len() == 3);
    assert!(procfs::workers().contains(&worker));
    assert_eq!((larger.workers(), pool.workers()), (3, 3), "both names mean one pool");
    reusable(Pool::builder().workers(1));
    soon("it has shrunk", ms(2000), || procfs::workers().len() == 1);
    finish();
}

fn reuse_03_other_settings_replace_it() {
    let plain = reusable(Pool::builder().workers(1));
    let worker = pid.bind().on(&plain).run().expect("a worker");
    let dressed = reusable(Pool::builder().workers(1).env("DRESS", "blue"));
    assert_eq!(variable.bind("DRESS").on(&dressed).run().expect("a call").as_deref(), Some("blue"));
    assert_ne!(pid.bind().on(&dressed).run().expect("a new worker"), worker);
    assert_eq!(variable.run("DRESS").expect("spawn uses the last one asked for").as_deref(), Some("blue"));
    drop(plain);
    soon("nobody holds the old one, and its workers are gone", ms(2000), || !procfs::is_alive(worker));
    let start = || pid.run().expect("a worker of the pool there is");
    let before = start();
    let spared = reusable(Pool::builder().workers(1).env("DRESS", "blue").spares(1));
    let after = start();
    // Which of its two workers runs a call is the pool's own business.
    assert!(after != before && start() != before, "so many spares are a setting, too");
    let copied = reusable(Pool::builder().workers(1).env("DRESS", "blue").spares(1).zygote(true));
    assert_ne!(start(), after, "and so is a zygote");
    drop((dressed, spared, copied));
    finish();
}

fn reuse_05_it_survives_a_crash() {
    for _ in 0..5 {
        die.run(Death::Abort).expect_err("it dies");
        assert_eq!(square.run(4).expect("the pool goes on"), 16);
    }
    finish();
}

/// A program in which nothing but `loky::main!` stands around what it does, and that is started by nobody special.
fn maps() {
    let squares = (0..10).par_map(square).unwrap_all();
    println!("{}", squares.into_iter().sum::<u64>());
}

fn reuse_08_a_program_without_a_guard() {
    let output = program("maps").output().expect("the program starts");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "285\n", "once, and by the program alone");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

fn reuse_12_replaced_while_a_call_runs() {
    let gate = Gate::new("gate");
    let old = reusable(Pool::builder().workers(1).env("AGE", "old"));
    let held = meet.bind(gate.clone(), 1).on(&old).spawn();
    let queued = variable.bind("AGE").on(&old).spawn();
    gate.await_arrivals(1);
    let new = reusable(Pool::builder().workers(1).env("AGE", "new"));
    assert_eq!(variable.bind("AGE").on(&new).run().expect("it does not wait").as_deref(), Some("new"));
    let late = variable.bind("AGE").on(&old).spawn();
    gate.open();
    assert_eq!(held.join().expect("not lost"), 1);
    assert_eq!(queued.join().expect("not lost").as_deref(), Some("old"));
    late.join().expect("a handle from before is no trap: the call runs, on whichever pool");
    drop(old);
    finish();
}

fn reuse_13_each_thread_gets_its_environment() {
    thread::scope(|scope| {
        for number in 0..6 {
            scope.spawn(move || {
                for _ in 0..3 {
                    let pool = reusable(Pool::builder().workers(1).env("NUMBER", number.to_string()));
                    let seen = variable.bind("NUMBER").on(&pool).run().expect("not shut down under us");
                    assert_eq!(seen, Some(number.to_string()));
                }
            });
        }
    });
    finish();
}

fn reuse_16_a_forked_child_says_so() {
    let worker = pid.run().expect("a worker");
    let (pool, call, gate) = (loky::pool(), square.bind(3), Gate::new("gate"));
    // Nobody in the child would ever hear of it.
    let under_way = meet.spawn(gate.clone(), 5);
    let code = sys::in_a_fork(move || {
        let waited = loky::as_completed([under_way]).next().and_then(|(_, result)| result.err());
        let errors = [square.run(3).err(), call.run().err(), square.bind(3).on(&pool).run().err(), waited];
        let is_said =
            |error: &Option<loky::Error>| error.as_ref().is_some_and(|error| error.to_string().contains("fork"));
        // Neither may the child's copy of the pool touch the parent's workers when it goes.
        drop(pool);
        if errors.iter().all(is_said) { 0 } else { 1 }
    });
    assert_eq!(code, Some(0), "the child got an error that names the fork, and did not hang");
    gate.open();
    eventually("what was under way has ended", || loky::pool().stats().running == 0);
    assert_eq!(pid.run().expect("the parent's pool is untouched"), worker);
    finish();
}

fn reuse_17_first_use_from_many_threads() {
    let threads: Vec<_> = (0..32).map(|x| thread::spawn(move || square.run(x).expect("a call") == x * x)).collect();
    assert!(threads.into_iter().all(|thread| thread.join().expect("no panic")));
    assert!(procfs::workers().len() <= loky::cpu_count(), "one pool, not many: {:?}", procfs::workers());
    let pids: BTreeSet<u32> = procfs::workers().into_iter().collect();
    assert!(pids.contains(&pid.run().expect("a call")));
    finish();
}

fn reuse_22_idle_workers_leave_it() {
    let pool = reusable(Pool::builder().workers(2).idle_timeout(Some(ms(50))));
    pool.warm_up();
    square.bind(1).on(&pool).run().expect("a call");
    eventually("idle workers leave", || procfs::children(std::process::id()).is_empty());
    assert_eq!(square.bind(2).on(&pool).run().expect("and come back"), 4);
    finish();
}
