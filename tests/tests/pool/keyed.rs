//! Pools by a key, beside the one that `spawn` uses; and what else is asked of a shared pool.

use std::thread;

use loky::prelude::*;
use loky::{ErrorKind, Pool};
use loky_tests::tasks::{Death, add, die, pid, sleep_for, square, variable};
use loky_tests::{Case, cases, eventually, fails, finish, ms, procfs, soon};

pub(crate) const CASES: &[Case] = cases![
    reuse_04_a_forced_shutdown_and_a_new_pool,
    reuse_11_ten_threads_and_all_sizes: 120,
    reuse_13_a_key_for_each_environment,
    reuse_14_no_size_is_too_large_to_be_asked_for,
    reuse_15_a_library_and_the_program,
    reuse_18_a_request_in_a_task_is_for_that_worker,
    order_05_calls_of_one_key_go_to_one_worker,
    reuse_keyed_by_the_same_rules,
    reuse_keyed_ends_only_by_a_shutdown,
    reuse_keyed_from_many_threads_at_once,
];

fn keyed(key: &str, builder: loky::PoolBuilder) -> Pool {
    loky::keyed(key, builder).expect("a keyed pool")
}

fn reuse_04_a_forced_shutdown_and_a_new_pool() {
    let old = loky::reusable(Pool::builder().workers(2)).expect("a pool");
    let endless = sleep_for.bind(ms(10_000_000)).on(&old).spawn();
    eventually("it runs", || old.stats().running == 1);
    old.shutdown_now();
    let error = fails(endless.join(), ErrorKind::Shutdown);
    assert!(error.to_string().contains("shut down"), "{error}");
    let new = loky::reusable(Pool::builder().workers(2).env("NEW", "yes")).expect("a pool");
    assert_eq!(add.bind(40, 2).on(&new).run().expect("a call"), 42);
    assert_eq!(add.run(40, 2).expect("a call"), 42);
    finish();
}

fn reuse_11_ten_threads_and_all_sizes() {
    for (is_broken, sizes) in [(false, 1), (true, 1), (false, 4), (true, 4)] {
        if is_broken {
            fails(die.run(Death::Abort), ErrorKind::Crash);
        }
        thread::scope(|scope| {
            for thread in 0..10_usize {
                scope.spawn(move || {
                    for round in 0..5_u64 {
                        let workers = if sizes == 1 { 2 } else { 1 + (thread + round as usize) % sizes };
                        let pool = loky::reusable(Pool::builder().workers(workers)).expect("a pool");
                        let squares = (0..10).map(|x| x + round).par_map(square).on(&pool).unwrap_all();
                        assert!(squares.into_iter().eq((0..10).map(|x| (x + round) * (x + round))));
                    }
                });
            }
        });
        eventually("no more than the last size is left", || procfs::workers().len() <= 4);
    }
    finish();
}

fn reuse_13_a_key_for_each_environment() {
    let request =
        |number: usize| keyed(&format!("pool {number}"), Pool::builder().workers(1).env("NUMBER", number.to_string()));
    thread::scope(|scope| {
        for number in 0..10 {
            scope.spawn(move || {
                let mut workers = Vec::new();
                for _ in 0..20 {
                    let seen = variable.bind("NUMBER").on(&request(number)).run().expect("not shut down under us");
                    assert_eq!(seen, Some(number.to_string()), "the environment that was asked for");
                    workers.push(pid.bind().on(&request(number)).run().expect("a call"));
                }
                workers.dedup();
                assert_eq!(workers.len(), 1, "nobody replaces it");
            });
        }
    });
    (0..10).for_each(|number| request(number).shutdown());
}

fn reuse_14_no_size_is_too_large_to_be_asked_for() {
    let large = loky::reusable(Pool::builder().workers(62)).expect("a pool");
    assert_eq!(large.workers(), 62);
    let worker = pid.bind().on(&large).run().expect("a call");
    let smaller = loky::reusable(Pool::builder().workers(61)).expect("a pool");
    assert_eq!((smaller.workers(), large.workers()), (61, 61), "one and the same");
    assert_eq!(pid.bind().on(&smaller).run().expect("a call"), worker);
    finish();
}

/// What a library would do: it asks for its pool each time, and knows nothing of the program.
fn library_call() -> (String, u32) {
    let pool = keyed("some-library", Pool::builder().workers(1).env("WHOSE", "the library's"));
    let whose = variable.bind("WHOSE").on(&pool).run().expect("a call of the library");
    (whose.expect("it is set"), pid.bind().on(&pool).run().expect("a call of the library"))
}

fn reuse_15_a_library_and_the_program() {
    let program = || loky::reusable(Pool::builder().workers(1).env("WHOSE", "the program's")).expect("a pool");
    let (mine, theirs) = (pid.bind().on(&program()).run().expect("a call"), library_call().1);
    thread::scope(|scope| {
        scope.spawn(|| (0..50).for_each(|_| assert_eq!(library_call(), ("the library's".to_owned(), theirs))));
        for _ in 0..50 {
            let pool = program();
            let whose = variable.bind("WHOSE").on(&pool).run().expect("a call of the program");
            assert_eq!(whose.as_deref(), Some("the program's"));
            assert_eq!(pid.run().expect("`spawn` uses the program's"), mine);
        }
    });
    keyed("some-library", Pool::builder()).shutdown();
    finish();
}

#[loky::task]
fn parents_of_workers() -> (u32, [u32; 2]) {
    let parent = |worker: u32| procfs::process(worker).expect("it lives").parent;
    let by_key = keyed("shared name", Pool::builder().workers(1));
    let keyed = parent(pid.bind().on(&by_key).run().expect("a call"));
    (std::process::id(), [parent(pid.run().expect("a call")), keyed])
}

fn reuse_18_a_request_in_a_task_is_for_that_worker() {
    let outer = keyed("shared name", Pool::builder().workers(1));
    let (worker, parents) = parents_of_workers.bind().on(&outer).run().expect("a call");
    assert_eq!(parents, [worker; 2], "both are the worker's own");
    assert_ne!(worker, std::process::id());
    outer.shutdown();
}

fn reuse_keyed_by_the_same_rules() {
    let one = keyed("one", Pool::builder().workers(1));
    let worker = pid.bind().on(&one).run().expect("a call");
    let same = keyed("one", Pool::builder().workers(2));
    assert_eq!((one.workers(), same.workers()), (2, 2), "resized, and the same");
    assert_eq!(pid.bind().on(&same).run().expect("a call"), worker);
    let other = keyed("another", Pool::builder().workers(1));
    assert_ne!(pid.bind().on(&other).run().expect("a call"), worker, "another key is another pool");
    assert_ne!(pid.run().expect("a call"), worker, "and so is the one that `spawn` uses");
    assert_ne!(pid.bind().on(&keyed("", Pool::builder())).run().expect("a call"), pid.run().expect("a call"));
    let replaced = keyed("one", Pool::builder().workers(1).env("DRESS", "blue"));
    assert_eq!(variable.bind("DRESS").on(&replaced).run().expect("a call").as_deref(), Some("blue"));
    assert_eq!(square.bind(3).on(&one).run().expect("whoever holds the old one can use it"), 9);
    drop((one, same));
    soon("nobody holds it any more, and its workers are gone", ms(2000), || !procfs::is_alive(worker));
    fails(loky::keyed("one", Pool::builder().workers(0)).map(drop), ErrorKind::Config);
    [replaced, other, keyed("", Pool::builder())].iter().for_each(Pool::shutdown);
    finish();
}

fn reuse_keyed_ends_only_by_a_shutdown() {
    let request = || keyed("kept", Pool::builder().workers(1).idle_timeout(Some(ms(50))));
    let worker = pid.bind().on(&request()).run().expect("a call");
    eventually("an idle worker leaves", || procfs::process(worker).is_none());
    let launches = request().stats().launches;
    square.bind(2).on(&request()).run().expect("and comes back");
    assert_eq!(request().stats().launches, launches + 1, "nobody held it, and it is the same pool");
    request().shutdown();
    assert_eq!(request().stats().launches, 0, "after a shutdown there is a new one");
    assert_eq!(square.bind(2).on(&request()).run().expect("which works"), 4);
    request().shutdown();
}

fn reuse_keyed_from_many_threads_at_once() {
    let request = || keyed("first use", Pool::builder().workers(1));
    let threads: Vec<_> =
        (0..16).map(|_| thread::spawn(move || pid.bind().on(&request()).run().expect("a call"))).collect();
    let mut workers: Vec<u32> = threads.into_iter().map(|thread| thread.join().expect("no panic")).collect();
    workers.dedup();
    assert_eq!(workers.len(), 1, "one pool with one worker");
    request().shutdown();
}

fn order_05_calls_of_one_key_go_to_one_worker() {
    let of = |key: &str| {
        let pool = keyed(key, Pool::builder().workers(1));
        pid.bind().on(&pool).run().expect("a call")
    };
    let [left, right] = ["left", "right"].map(of);
    assert_ne!(left, right);
    for _ in 0..10 {
        assert_eq!(["left", "right"].map(of), [left, right], "as long as it lives");
    }
    fails(die.bind(Death::Abort).on(&keyed("left", Pool::builder().workers(1))).run(), ErrorKind::Crash);
    assert_ne!(of("left"), left);
    assert_eq!(of("right"), right);
    ["left", "right"].into_iter().for_each(|key| keyed(key, Pool::builder().workers(1)).shutdown());
}
