//! When a program ends that is interrupted, and how: by what its pools do and which signals come.

use std::thread;
use std::time::Duration;

use loky::prelude::*;
use loky::{Interrupt, Pool};
use loky_tests::tasks::{add, meet, spin};
use loky_tests::{Case, Program, Random, cases, eventually, ms, pool_of, programs};
use nix::sys::signal::Signal::{self, SIGINT, SIGTERM};

use crate::group::{Group, gate, soon as ends_soon, stay, tell_when_heard};

pub(crate) const CASES: &[Case] = cases![
    signal_03_an_idle_program_ends_at_once,
    signal_03_kill_ends_what_runs,
    signal_03_the_second_ctrl_c_ends_what_runs,
    signal_03_two_at_once_are_one,
    signal_03_while_workers_are_launched: 120,
    signal_07_sigterm_ends_as_ctrl_c_does,
    signal_07_the_second_may_be_another_one,
    signal_20_the_last_pool_ends_the_program,
    signal_21_ignoring_pools_do_nothing,
    signal_22_killing_pools_beside_draining_ones,
    signal_23_during_a_shutdown,
    signal_29_a_pool_that_is_stuck,
];

pub(crate) const PROGRAMS: &[Program] = programs![
    idles,
    runs,
    kills,
    launches,
    runs_in_two_pools,
    ignores,
    kills_and_drains,
    shuts_down,
    is_stuck,
    is_hit_twice
];

const SECOND: Duration = Duration::from_secs(1);

fn of(workers: usize, interrupt: Interrupt) -> Pool {
    Pool::builder().workers(workers).on_interrupt(interrupt).build().expect("a pool")
}

fn idles() {
    let (one, other) = (pool_of(2), of(1, Interrupt::Kill));
    one.warm_up();
    add.bind(1, 2).on(&other).run().expect("a call");
    stay();
}

fn runs() {
    let pool = pool_of(2);
    let running = spin.bind(gate("gate")).on(&pool).spawn();
    gate("gate").await_arrivals(1);
    gate("ready").arrive("ready");
    // Who waits for it, and drives, must not hold up the end.
    panic!("nobody is told: {:?}", running.join());
}

fn kills() {
    let pool = of(2, Interrupt::Kill);
    let running = spin.bind(gate("gate")).on(&pool).spawn();
    gate("gate").await_arrivals(1);
    gate("ready").arrive("ready");
    panic!("nobody is told: {:?}", running.join());
}

fn launches() {
    gate("ready").arrive("starting");
    let pool = Pool::builder().workers(4).zygote(true).build().expect("a pool");
    let plain = pool_of(4);
    let running = [&pool, &plain].map(|pool| (0..8).map(|n| add.bind(n, n).on(pool).spawn()).collect::<Vec<_>>());
    running.into_iter().flatten().for_each(|call| {
        if let Err(error) = call.join() {
            assert!(error.kind() == loky::ErrorKind::Shutdown && !error.may_have_run(), "{error:?}");
        }
    });
    stay();
}

fn runs_in_two_pools() {
    let pools = [pool_of(1), pool_of(1), pool_of(1)];
    add.bind(1, 2).on(&pools[2]).run().expect("the third one is idle");
    let _one = meet.bind(gate("gate"), 1).on(&pools[0]).spawn();
    let _other = meet.bind(gate("word"), 2).on(&pools[1]).spawn();
    [gate("gate"), gate("word")].iter().for_each(|gate| drop(gate.await_arrivals(1)));
    pools[..2].iter().for_each(tell_when_heard);
    stay();
}

fn ignores() {
    let pool = of(1, Interrupt::Ignore);
    let _running = spin.bind(gate("gate")).on(&pool).spawn();
    gate("gate").await_arrivals(1);
    stay();
}

fn kills_and_drains() {
    let (kills, drains) = (of(1, Interrupt::Kill), pool_of(1));
    let killed = spin.bind(gate("gate")).on(&kills).spawn();
    let drained = meet.bind(gate("word"), 7).on(&drains).spawn();
    [gate("gate"), gate("word")].iter().for_each(|gate| drop(gate.await_arrivals(1)));
    gate("ready").arrive("ready");
    let error = killed.join().expect_err("it is killed");
    assert!(error.kind() == loky::ErrorKind::Shutdown && error.may_have_run(), "{error:?}");
    print!("{error}, ");
    println!("{}", drained.join().expect("it is finished"));
}

fn shuts_down() {
    let pool = pool_of(1);
    let running = meet.bind(gate("gate"), 7).on(&pool).spawn();
    let queued = meet.bind(gate("gate"), 8).on(&pool).spawn();
    gate("gate").await_arrivals(1);
    tell_when_heard(&pool);
    gate("ready").arrive("ready");
    pool.shutdown();
    assert_eq!(running.join().expect("it had begun"), 7);
    println!("{}", queued.join().expect_err("it had not"));
}

fn is_hit_twice() {
    let pool = pool_of(1);
    let _running = meet.bind(gate("gate"), 1).on(&pool).spawn();
    gate("gate").await_arrivals(1);
    tell_when_heard(&pool);
    // Two of a kind that wait to be delivered would be one for the system.
    [SIGINT, SIGTERM].into_iter().for_each(loky_tests::sys::raise);
    stay();
}

fn is_stuck() {
    let stuck = |_| -> Vec<(String, String)> { stay() };
    let pool = Pool::builder().workers(1).env_per_worker(stuck).build().expect("a pool");
    panic!("nobody is told: {:?}", add.bind(1, 2).on(&pool).run());
}

fn signal_03_an_idle_program_ends_at_once() {
    // Without the moment that results have.
    ends_soon(ms(400), || Group::ready("idles").ends_by(SIGINT).quietly_by(SIGINT));
}

fn signal_03_kill_ends_what_runs() {
    ends_soon(SECOND, || Group::ready("kills").ends_by(SIGINT).quietly_by(SIGINT));
}

fn signal_03_the_second_ctrl_c_ends_what_runs() {
    ends_soon(SECOND, || {
        let program = Group::ready("runs");
        program.signal(SIGINT);
        thread::sleep(ms(300));
        assert!(loky_tests::procfs::is_alive(program.pid()), "it waits for what runs");
        program.ends_by(SIGINT).quietly_by(SIGINT)
    });
}

fn signal_03_two_at_once_are_one() {
    let is_one = |_| {
        let program = Group::ready("is_hit_twice");
        let has_ended = || !loky_tests::procfs::is_alive(program.pid());
        eventually("it has heard", || gate("heard").arrivals().len() == 1 || has_ended());
        program.ends_once(|| gate("gate").open()).after >= ms(400)
    };
    // On a machine that is late, the second may come too late to be the same.
    assert!((0..5).any(is_one), "what ran was finished, and there was the moment");
}

fn signal_03_while_workers_are_launched() {
    let mut random = Random::from_environment();
    for round in 0..40 {
        let program = Group::ready("launches");
        thread::sleep(random.span(if round % 2 == 0 { ms(5) } else { ms(25) }));
        program.ends_by(SIGINT).quietly_by(SIGINT);
    }
}

fn signal_07_sigterm_ends_as_ctrl_c_does() {
    for program in ["idles", "kills"] {
        ends_soon(SECOND, || Group::ready(program).ends_by(SIGTERM).quietly_by(SIGTERM));
    }
    let program = Group::ready("shuts_down");
    // To the program alone: a worker would die of it, as ever.
    loky_tests::sys::signal(program.pid(), SIGTERM);
    gate("heard").await_arrivals(1);
    let ended = program.ends_once(|| gate("gate").open()).quietly_by(SIGTERM);
    assert!(
        ended.stdout.contains("was not started, because the program was interrupted (SIGTERM)"),
        "{}",
        ended.stdout
    );
}

fn signal_07_the_second_may_be_another_one() {
    ends_soon(SECOND, || {
        let program = Group::ready("runs");
        program.signal(SIGINT);
        thread::sleep(ms(100));
        program.ends_by(SIGTERM).quietly_by(SIGTERM)
    });
}

fn signal_20_the_last_pool_ends_the_program() {
    let program = Group::ready("runs_in_two_pools");
    program.hears(SIGINT, 2);
    gate("word").open();
    loky_tests::stays("one of them still runs a call", ms(900), || loky_tests::procfs::is_alive(program.pid()));
    let ended = program.ends_once(|| gate("gate").open()).quietly_by(SIGINT);
    assert!(ended.after >= ms(400), "the moment begins with the last one: {:?}", ended.after);
}

fn signal_21_ignoring_pools_do_nothing() {
    ends_soon(SECOND, || {
        let program = Group::ready("ignores");
        assert!(!is_caught(program.pid(), SIGINT) && !is_caught(program.pid(), SIGTERM));
        // What the system does: the program is gone without a word, and its worker with it.
        program.ends_by(SIGINT).quietly_by(SIGINT)
    });
}

fn signal_22_killing_pools_beside_draining_ones() {
    let program = Group::ready("kills_and_drains");
    program.signal(SIGINT);
    eventually("what runs in the one is killed", || loky_tests::procfs::below(program.pid()).len() <= 1);
    gate("word").open();
    let ended = program.ends_once(|| {}).quietly_by(SIGINT);
    assert!(ended.stdout.contains("was ended, because the program was interrupted (SIGINT)"), "{}", ended.stdout);
    assert!(ended.stdout.ends_with(", 7\n"), "{}", ended.stdout);
}

fn signal_23_during_a_shutdown() {
    let program = Group::ready("shuts_down");
    program.hears(SIGINT, 1);
    let ended = program.ends_once(|| gate("gate").open()).quietly_by(SIGINT);
    let said = "call to task `loky_tests::tasks::meet` was not started, because the program was interrupted (SIGINT); ";
    assert!(ended.stdout.starts_with(said) && ended.stdout.lines().count() == 1, "{}", ended.stdout);
}

fn signal_29_a_pool_that_is_stuck() {
    let program = Group::ready("is_stuck");
    program.signal(SIGINT);
    loky_tests::stays("nobody can say that it is done", ms(700), || loky_tests::procfs::is_alive(program.pid()));
    program.ends_by(SIGINT).quietly_by(SIGINT);
}

/// Whether the process has a handler for the signal.
pub(crate) fn is_caught(pid: u32, signal: Signal) -> bool {
    mask(pid, "SigCgt:") & (1 << (signal as i32 - 1)) != 0
}

/// Whether this process ignores the signal.
pub(crate) fn is_ignored(signal: Signal) -> bool {
    mask(std::process::id(), "SigIgn:") & (1 << (signal as i32 - 1)) != 0
}

fn mask(pid: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it is there");
    let line = status.lines().find(|line| line.starts_with(name)).expect("the kernel tells");
    u64::from_str_radix(line.trim_start_matches(name).trim(), 16).expect("a mask")
}
