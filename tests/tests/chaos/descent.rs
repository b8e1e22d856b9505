//! The storm below a program that is killed, and the storm in pools within pools.

use std::thread;

use loky::prelude::*;
use loky::{Error, JoinHandle, Pool};
use loky_tests::{Case, Gate, Program, Random, cases, ms, pool_of, procfs, program, programs, rounds, scratch, within};
use nix::sys::prctl;

use crate::{slow_square, under_fire_in};

pub(crate) const CASES: &[Case] = cases![
    race_04_the_program_is_killed_in_the_storm: 120,
    race_05_pools_within_pools_under_fire: 180,
];

pub(crate) const PROGRAMS: &[Program] = programs![storms];

/// Never ends by itself.
fn storms() {
    let mut random = Random::from_environment();
    Gate::of_the_case("ready").arrive("ready");
    loop {
        crate::storm(&mut random);
    }
}

/// What has a name outside of all processes.
fn names() -> [Vec<String>; 2] {
    [procfs::names_in("/dev/shm".as_ref()), procfs::names_in(&std::env::temp_dir())]
}

fn race_04_the_program_is_killed_in_the_storm() {
    prctl::set_child_subreaper(true).expect("so that every orphan becomes ours");
    let mut random = Random::from_environment();
    let before = names();
    for round in rounds(8) {
        std::fs::remove_dir_all(scratch().join("ready")).unwrap_or_default();
        let ready = Gate::new("ready");
        let mut program =
            program("storms").env("LOKY_TESTS_SEED", random.bits().to_string()).spawn().expect("it starts");
        ready.await_arrivals(1);
        thread::sleep(random.span(ms(400)));
        program.kill().expect("the program is ours");
        program.wait().expect("the program is ours");
        let is_gone = || {
            procfs::reap_orphans();
            procfs::below(std::process::id()).is_empty().then_some(())
        };
        if within(ms(1000), is_gone).is_none() {
            panic!("round {round}: there is still:\n{}", procfs::dump_below(std::process::id()));
        }
        assert_eq!(names(), before, "round {round}");
    }
}

/// Squares some numbers in a pool of its own, and has a deeper one do the same; gives how many are right.
#[loky::task]
fn descend(depth: u64, seed: u64) -> Result<u64, Error> {
    let pool = Pool::builder().workers(2).idle_timeout(Some(ms(5))).build()?;
    let below = (depth > 0).then(|| descend.bind(depth - 1, seed).on(&pool).retries(1000).spawn());
    let handles: Vec<_> = (0..10).map(|x| (x, slow_square.bind(x + seed).on(&pool).retries(1000).spawn())).collect();
    handles[(seed % 10) as usize].1.cancel();
    let mut right = 0;
    for (x, handle) in handles {
        match handle.join() {
            Ok(value) if value == (x + seed) * (x + seed) => right += 1,
            Err(error) if error.is_cancelled() && x == seed % 10 => right += 1,
            other => panic!("{x}: {other:?}"),
        }
    }
    Ok(right + below.map_or(Ok(Ok(0)), JoinHandle::join)??)
}

fn race_05_pools_within_pools_under_fire() {
    let mut random = Random::from_environment();
    let pool = pool_of(2);
    let everybody = || procfs::below(std::process::id()).into_iter().map(|process| process.pid).collect();
    for _ in rounds(3) {
        let seed = random.below(1000);
        let (_, kills) = under_fire_in(ms(60), random.fork(), everybody, || {
            let trees = (0..6).map(|tree| descend.bind(2, seed + tree).on(&pool).retries(1000).spawn());
            for right in loky::join_all(trees.collect::<Vec<_>>()).expect("with so many retries none is lost") {
                assert_eq!(right.expect("each level can be had"), 30);
            }
        });
        println!("{kills} kills");
    }
    pool.shutdown();
    assert_eq!(procfs::below(std::process::id()), []);
}
