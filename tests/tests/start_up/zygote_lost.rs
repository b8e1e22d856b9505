//! Zygotes that are killed, stopped, left idle and outlived: it costs no call and leaves nobody.

use std::thread;

use loky::prelude::*;
use loky::{ErrorKind, Pool};
use loky_tests::sys::signal;
use loky_tests::tasks::{Death, add, die, meet, pid, square};
use loky_tests::{Case, Gate, Random, cases, eventually, fails, ms, procfs, stays};
use nix::sys::signal::Signal;

use crate::zygote::{is_copy, of_one_copy, warm, with_zygote, zygotes};

pub(crate) const CASES: &[Case] = cases![
    zygote_21_one_that_is_killed_is_replaced,
    zygote_22_one_that_is_killed_at_work_loses_nobody: 120,
    zygote_23_one_that_is_stopped_does_not_hold_up_a_shutdown,
    zygote_24_it_leaves_with_the_last_idle_worker,
    zygote_25_a_resize_is_served_by_copies,
    zygote_26_many_crashes_leave_nobody,
    zygote_27_an_unused_or_dropped_pool_leaves_nobody,
    zygote_28_an_environment_too_long_for_a_message,
    zygote_29_exit_statuses_may_be_stolen,
];

fn zygote_21_one_that_is_killed_is_replaced() {
    let pool = of_one_copy(with_zygote(1));
    for _ in 0..5 {
        let lost = zygotes()[0].pid;
        signal(lost, Signal::SIGKILL);
        eventually("it is reaped, though nobody calls", || procfs::process(lost).is_none());
        assert_eq!(add.bind(1, 2).on(&pool).run().expect("its copies live on"), 3);
        eventually("a call starts another one", || zygotes().len() == 1);
        fails(die.bind(Death::Abort).on(&pool).run(), ErrorKind::Crash);
        assert!(is_copy(pid.bind().on(&pool).run().expect("a worker")), "which makes the next worker");
    }
}

fn zygote_22_one_that_is_killed_at_work_loses_nobody() {
    let mut random = Random::from_environment();
    for _ in 0..40 {
        let pool = with_zygote(6).build().expect("a pool");
        let running: Vec<_> = (0..24).map(|number| square.bind(number).on(&pool).retries(9).spawn()).collect();
        thread::sleep(random.span(ms(4)));
        for zygote in zygotes() {
            signal(zygote.pid, Signal::SIGKILL);
        }
        let squares = loky::join_all(running).expect("no call is lost");
        assert!(squares.into_iter().eq((0..24).map(|number| number * number)));
        pool.shutdown();
        assert_eq!(procfs::children(std::process::id()), [], "nobody is left, made by whom ever");
    }
}

fn zygote_23_one_that_is_stopped_does_not_hold_up_a_shutdown() {
    let pool = of_one_copy(with_zygote(1));
    signal(zygotes()[0].pid, Signal::SIGSTOP);
    pool.resize(3);
    let gate = Gate::new("gate");
    let running: Vec<_> = (0..3).map(|number| meet.bind(gate.clone(), number).on(&pool).spawn()).collect();
    gate.await_arrivals(1);
    pool.shutdown_now();
    for call in running {
        fails(call.join(), ErrorKind::Shutdown);
    }
    assert_eq!(procfs::children(std::process::id()), []);
}

fn zygote_24_it_leaves_with_the_last_idle_worker() {
    let pool = warm(with_zygote(2).idle_timeout(Some(ms(200))));
    eventually("all have left, the zygote with them", || procfs::children(std::process::id()).is_empty());
    assert_eq!(square.bind(7).on(&pool).run().expect("a call"), 49);
    pool.warm_up();
    assert!(pool.stats().pids.into_iter().any(is_copy), "both come back");
    let busy = warm(with_zygote(1).idle_timeout(None));
    stays("without a limit it stays", ms(500), || {
        zygotes().iter().any(|zygote| zygote.command_line().contains("pool"))
    });
    drop(busy);
}

fn zygote_25_a_resize_is_served_by_copies() {
    let pool = of_one_copy(with_zygote(1));
    pool.resize(8);
    pool.warm_up();
    let pids = pool.stats().pids;
    assert!(pids.len() == 8 && pids.iter().copied().all(is_copy), "{pids:?}");
    pool.resize(2);
    eventually("six leave", || procfs::workers().len() == 2 + zygotes().len());
    assert_eq!((0..100).par_map(square).on(&pool).unwrap_all().len(), 100);
}

fn zygote_26_many_crashes_leave_nobody() {
    let pool = warm(with_zygote(3));
    for round in 0..50 {
        let error = fails(die.bind(Death::ExitNow(round)).on(&pool).run(), ErrorKind::Crash);
        assert_eq!(error.exit_code(), Some(round));
    }
    pool.warm_up();
    assert!(pool.stats().pids.into_iter().all(is_copy));
    assert!(!procfs::children(std::process::id()).iter().any(procfs::Process::is_zombie), "all dead are buried");
}

fn zygote_27_an_unused_or_dropped_pool_leaves_nobody() {
    let unused = with_zygote(2).build().expect("a pool");
    assert_eq!(procfs::children(std::process::id()), [], "to build a pool starts nothing");
    drop(unused);
    let dropped = warm(with_zygote(2));
    let last = add.bind(1, 2).on(&dropped).spawn();
    drop(dropped);
    assert_eq!(last.join().expect("what was spawned still finishes"), 3);
    eventually("nobody is left", || procfs::children(std::process::id()).is_empty());
    let ended = with_zygote(3).build().expect("a pool");
    let _running = pid.bind().on(&ended).spawn();
    ended.shutdown_now();
    assert_eq!(procfs::children(std::process::id()), []);
}

fn zygote_28_an_environment_too_long_for_a_message() {
    let long = "x".repeat(100 << 10);
    let pool = warm(Pool::builder().workers(2).zygote(true).env("LONG", long.as_str()));
    let seen = loky_tests::tasks::variable.bind("LONG").on(&pool).run().expect("a call");
    assert_eq!(seen.map(|seen| seen.len()), Some(long.len()), "it is started in the ordinary way");
}

fn zygote_29_exit_statuses_may_be_stolen() {
    loky_tests::sys::ignore_sigchld();
    let pool = warm(with_zygote(2));
    for _ in 0..10 {
        fails(die.bind(Death::ExitNow(4)).on(&pool).run(), ErrorKind::Crash);
        assert_eq!(square.bind(3).on(&pool).run().expect("a call"), 9);
    }
    signal(zygotes()[0].pid, Signal::SIGKILL);
    assert_eq!((0..50).par_map(square).on(&pool).unwrap_all().len(), 50);
    pool.shutdown();
    assert_eq!(procfs::children(std::process::id()), []);
}
