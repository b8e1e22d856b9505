//! The three ways to end a pool, the fourth (dropping it), and what is left afterwards: nothing.

use std::thread;
use std::time::{Duration, Instant};

use loky::prelude::*;
use loky::{ErrorKind, Pool};
use loky_tests::tasks::{add, leave_word, meet, pid, sleep_for, spin, square};
use loky_tests::{Case, Gate, Program, Random, cases, eventually, fails, ms, pool_of, procfs, program, programs, soon};

pub(crate) const CASES: &[Case] = cases![
    shutdown_01_a_spawn_after_it_is_refused,
    shutdown_02_everything_spawned_before_it_finishes,
    shutdown_03_nothing_is_left_when_it_returns,
    shutdown_05_dropping_the_last_clone_ends_the_pool,
    shutdown_06_dropping_finishes_what_was_spawned,
    shutdown_10_forced_with_nested_pools,
    shutdown_11_forced_with_a_full_queue,
    shutdown_13_cancel_and_shutdown_at_once: 120,
    shutdown_19_with_a_limit,
    shutdown_23_harmless_before_and_after,
    shutdown_25_from_two_threads_and_a_drop,
    shutdown_26_while_another_thread_waits,
    shutdown_31_while_workers_are_starting,
    shutdown_33_the_exit_code_is_the_programs,
    shutdown_34_any_end_of_the_program_takes_the_workers,
    shutdown_35_the_reusable_pool_comes_back,
    leak_09_many_pools: 180,
];

pub(crate) const PROGRAMS: &[Program] = programs![ends_with_busy_workers];

fn shutdown_01_a_spawn_after_it_is_refused() {
    for end in [Pool::shutdown, Pool::shutdown_now, |pool: &Pool| assert!(pool.shutdown_timeout(ms(1000)))] {
        let pool = pool_of(1);
        square.bind(1).on(&pool).run().expect("before");
        end(&pool);
        let error = fails(square.bind(1).on(&pool).run(), ErrorKind::Shutdown);
        assert!(!error.may_have_run());
        assert!(
            (0..3_u64).par_map(square).on(&pool).all(|result| result.is_err_and(|e| e.kind() == ErrorKind::Shutdown))
        );
        assert_eq!(procfs::workers(), Vec::<u32>::new(), "nothing was started for it");
    }
}

fn shutdown_02_everything_spawned_before_it_finishes() {
    let pool = pool_of(5);
    let handles: Vec<_> = (0..50).map(|_| sleep_for.bind(ms(10)).on(&pool).spawn()).collect();
    pool.shutdown();
    assert!(handles.iter().all(loky::JoinHandle::is_finished), "it waited for them");
    loky::join_all(handles).expect("all fifty");
}

fn shutdown_03_nothing_is_left_when_it_returns() {
    let before = (procfs::threads().len(), procfs::descriptors());
    for end in [Pool::shutdown, Pool::shutdown_now, |pool: &Pool| assert!(pool.shutdown_timeout(ms(5000)))] {
        let pool = pool_of(3);
        let handles: Vec<_> = (0..20).map(|x| square.bind(x).on(&pool).spawn()).collect();
        loky::join_all(handles).expect("all of them");
        square.bind(1).on(&pool).spawn().on_done(drop);
        end(&pool);
        // Asked once and at once: `shutdown` has no afterwards.
        assert_eq!(procfs::children(std::process::id()), [], "no process, not even a zombie");
        // But for threads: one that has ended and was joined stays in the kernel's list until it was taken out there, for
        // which it may have to wait for a processor.
        soon("no thread", ms(1000), || procfs::threads().len() == before.0);
        assert_eq!(procfs::descriptors(), before.1, "no descriptor");
    }
}

fn shutdown_05_dropping_the_last_clone_ends_the_pool() {
    let pool = pool_of(2);
    let clone = pool.clone();
    square.bind(1).on(&pool).run().expect("a worker");
    drop(pool);
    assert_eq!(square.bind(2).on(&clone).run().expect("a clone is left"), 4);
    let threads = procfs::threads().len();
    drop(clone);
    soon("the workers are gone", ms(2000), || procfs::children(std::process::id()).is_empty());
    soon("the threads too", ms(1000), || procfs::threads().len() < threads || threads == 1);
}

fn shutdown_06_dropping_finishes_what_was_spawned() {
    let (pool, gate, words) = (pool_of(2), Gate::new("gate"), Gate::new("words"));
    let held: Vec<_> = (0..2).map(|x| meet.bind(gate.clone(), x).on(&pool).spawn()).collect();
    let queued: Vec<_> = (0..10).map(|_| leave_word.bind(words.clone(), "ran").on(&pool).spawn()).collect();
    let detached = leave_word.bind(words.clone(), "detached").on(&pool).spawn();
    gate.await_arrivals(2);
    let before = Instant::now();
    drop((pool, detached));
    assert!(before.elapsed() < ms(4000), "nobody waits for it: {:?}", before.elapsed());
    gate.open();
    loky::join_all(queued).expect("queued ones still run");
    assert_eq!(loky::join_all(held).expect("running ones finish"), [0, 1]);
    eventually("detached ones too", || words.arrivals().len() == 11);
    soon("the workers are gone", ms(5000), || procfs::children(std::process::id()).is_empty());
}

#[loky::task]
fn nest(depth: u32, gate: Gate) {
    gate.arrive(&std::process::id().to_string());
    match depth {
        0 => thread::sleep(Duration::from_secs(30)),
        _ => nest.run(depth - 1, gate).expect("the deeper one ends first"),
    }
}

fn shutdown_10_forced_with_nested_pools() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let outer = nest.bind(2, gate.clone()).on(&pool).spawn();
    let pids = gate.await_arrivals(3);
    let before = Instant::now();
    pool.shutdown_now();
    assert!(before.elapsed() < ms(4000), "{:?}", before.elapsed());
    assert!(fails(outer.join(), ErrorKind::Shutdown).may_have_run());
    soon("all three levels are gone", ms(1000), || {
        !pids.iter().any(|pid| procfs::is_alive(pid.parse().expect("a pid")))
    });
}

fn shutdown_11_forced_with_a_full_queue() {
    let pool = pool_of(5);
    let quick: Vec<_> = (0..100).map(|x| square.bind(x).on(&pool).spawn()).collect();
    let gate = Gate::new("gate");
    let slow: Vec<_> = (0..100).map(|x| meet.bind(gate.clone(), x).on(&pool).spawn()).collect();
    loky::join_all(quick).expect("the quick ones");
    gate.await_arrivals(1);
    let before = Instant::now();
    pool.shutdown_now();
    assert!(before.elapsed() < ms(4000), "{:?}", before.elapsed());
    let began = slow.into_iter().map(|handle| fails(handle.join(), ErrorKind::Shutdown).may_have_run());
    let began = began.filter(|began| *began).count();
    assert!((1..=5).contains(&began), "{began} were running, the others were only queued");
}

fn shutdown_13_cancel_and_shutdown_at_once() {
    let mut random = Random::from_environment();
    for round in 0..150 {
        let pool = pool_of(2);
        let handle = square.bind(round).on(&pool).spawn();
        thread::sleep(random.span(ms(4)));
        handle.cancel();
        pool.shutdown();
        assert!(handle.is_finished(), "round {round}");
        if let Err(error) = handle.join() {
            assert!(error.is_cancelled(), "round {round}: {error}");
        }
    }
}

fn shutdown_19_with_a_limit() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let running = spin.bind(gate.clone()).on(&pool).spawn();
    let queued = square.bind(1).on(&pool).spawn();
    gate.await_arrivals(1);
    let before = Instant::now();
    assert!(!pool.shutdown_timeout(ms(300)), "it could not finish");
    assert!(before.elapsed() >= ms(300) && before.elapsed() < ms(5000), "{:?}", before.elapsed());
    fails(running.join(), ErrorKind::Shutdown);
    assert!(!fails(queued.join(), ErrorKind::Shutdown).may_have_run());
    assert_eq!(procfs::children(std::process::id()), []);
    let quick = pool_of(1);
    let handle = square.bind(2).on(&quick).spawn();
    assert!(quick.shutdown_timeout(ms(20_000)), "it finished in time");
    assert_eq!(handle.join().expect("finished"), 4);
}

fn shutdown_23_harmless_before_and_after() {
    let unused = pool_of(2);
    unused.shutdown();
    let pool = pool_of(2);
    pool.warm_up();
    pool.shutdown_now();
    pool.shutdown();
    pool.shutdown_now();
    assert!(pool.shutdown_timeout(Duration::ZERO), "it is shut down");
    assert_eq!(procfs::children(std::process::id()), []);
}

fn shutdown_25_from_two_threads_and_a_drop() {
    let gate = Gate::new("shut");
    for _ in 0..10 {
        let pool = pool_of(2);
        let held: Vec<_> = (0..4).map(|x| meet.bind(gate.clone(), x).on(&pool).spawn()).collect();
        thread::scope(|scope| {
            scope.spawn(|| pool.shutdown_now());
            scope.spawn(|| pool.shutdown());
            let clone = pool.clone();
            scope.spawn(move || drop(clone));
        });
        for handle in held {
            fails(handle.join(), ErrorKind::Shutdown);
        }
        assert_eq!(procfs::children(std::process::id()), []);
    }
}

fn shutdown_26_while_another_thread_waits() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let held = meet.bind(gate.clone(), 1).on(&pool).spawn();
    let queued = square.bind(1).on(&pool).spawn();
    let waiters = [thread::spawn(move || held.join().map(drop)), thread::spawn(move || queued.join().map(drop))];
    gate.await_arrivals(1);
    pool.shutdown_now();
    for waiter in waiters {
        fails(waiter.join().expect("no panic"), ErrorKind::Shutdown);
    }
}

fn shutdown_31_while_workers_are_starting() {
    let mut random = Random::from_environment();
    for round in 0..30 {
        let pool = pool_of(3);
        let handles: Vec<_> = (0..3).map(|x| square.bind(x).on(&pool).spawn()).collect();
        thread::sleep(random.span(ms(20)));
        if round % 2 == 0 {
            pool.shutdown_now()
        } else {
            pool.shutdown()
        }
        assert!(handles.iter().all(loky::JoinHandle::is_finished));
        assert_eq!(procfs::children(std::process::id()), [], "round {round}");
    }
}

/// Leaves a worker busy and one idle, then ends in the way that it is told.
fn ends_with_busy_workers() {
    let (pool, gate) = (pool_of(2), Gate::of_the_case("gate"));
    let _running = spin.bind(gate.clone()).on(&pool).spawn();
    add.bind(1, 2).on(&pool).run().expect("the second worker");
    gate.await_arrivals(1);
    match std::env::var("END").as_deref() {
        Ok("exit") => std::process::exit(3),
        Ok("panic") => panic!("as told"),
        Ok("abort") => std::process::abort(),
        _ => std::mem::forget(pool),
    }
}

fn ended(end: &str) -> std::process::ExitStatus {
    nix::sys::prctl::set_child_subreaper(true).expect("so that we see whatever it leaves");
    std::fs::remove_dir_all(loky_tests::scratch().join("gate")).unwrap_or_default();
    let gate = Gate::new("gate");
    let status = program("ends_with_busy_workers").env("END", end).status().expect("the program starts");
    assert_eq!(gate.arrivals().len(), 1);
    let is_gone = || {
        procfs::reap_orphans();
        procfs::children(std::process::id()).is_empty()
    };
    soon("its workers are gone with it", ms(1000), is_gone);
    status
}

fn shutdown_33_the_exit_code_is_the_programs() {
    assert_eq!(ended("exit").code(), Some(3));
    assert_eq!(ended("return").code(), Some(0));
}

fn shutdown_34_any_end_of_the_program_takes_the_workers() {
    assert_eq!(ended("panic").code(), Some(101));
    use std::os::unix::process::ExitStatusExt;
    assert_eq!(ended("abort").signal(), Some(nix::libc::SIGABRT));
}

fn shutdown_35_the_reusable_pool_comes_back() {
    let first = pid.run().expect("a worker");
    loky::pool().shutdown();
    assert_eq!(procfs::children(std::process::id()), []);
    let second = pid.run().expect("the process-wide pool is there again");
    assert_ne!(first, second);
    loky::pool().shutdown();
}

fn leak_09_many_pools() {
    let open = || (procfs::descriptors().len(), procfs::threads().len());
    let before = open();
    for round in 0..100 {
        let pool = pool_of(1);
        assert_eq!(square.bind(round).on(&pool).run().expect("each of them works"), round * round);
        if round % 2 == 0 {
            pool.shutdown();
        }
    }
    soon("nothing of them is left", ms(2000), || open() == before && procfs::children(std::process::id()).is_empty());
}
