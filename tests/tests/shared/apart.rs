//! That processes which share memory are kept apart all the same: nobody can write to it, pools do not meet in it, forked
//! children and copied workers have their own.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::thread;

use loky::prelude::*;
use loky::{ErrorKind, Fd, Pool, Shared};
use loky_tests::{Case, Random, cases, eventually, fails, pool_of, procfs, sys};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::tools::{here, in_workers, mapped_by, opened, sum};

pub(crate) const CASES: &[Case] = cases![
    memmap_04_a_worker_that_writes_dies_and_nobody_sees_it,
    memmap_04_no_process_can_write_by_its_descriptor,
    memmap_04_a_copy_is_the_workers_own,
    memmap_05_no_name_anywhere,
    memmap_06_pools_at_once_do_not_disturb_each_other,
    memmap_06_nothing_is_left_of_what_failed_or_was_killed,
    memmap_14_forked_children_and_their_parent,
    memmap_14_a_forked_worker_leaves_the_memory_alone,
    memmap_14_copied_workers,
    memmap_14_copied_workers_under_fire,
];

#[loky::task]
fn make(count: u64) -> Shared<u64> {
    Shared::from_vec((0..count).collect())
}

#[loky::task]
fn overwrite(numbers: Shared<u64>) -> u64 {
    sys::overwrite(&numbers);
    numbers[0]
}

fn numbers(count: u64) -> Shared<u64> {
    Shared::from_vec((0..count).collect())
}

fn sum_to(end: u64) -> u64 {
    end * (end - 1) / 2
}

fn memmap_04_a_worker_that_writes_dies_and_nobody_sees_it() {
    let (pool, numbers) = (pool_of(1), numbers(1000));
    let error = fails(overwrite.bind(numbers.clone()).on(&pool).run(), ErrorKind::Crash);
    assert_eq!(error.signal(), Some(Signal::SIGSEGV as i32), "{error}");
    assert_eq!(numbers.iter().sum::<u64>(), sum_to(1000));
    assert_eq!(sum.bind(numbers).on(&pool).run().expect("it travels on"), sum_to(1000));
    pool.shutdown();
}

/// What comes of opening this process's descriptors of segments for writing, and of writing there.
#[loky::task]
fn write_by_descriptor(numbers: Shared<u64>) -> Vec<bool> {
    assert_eq!(numbers[1], 1);
    let tries = opened().into_iter().map(|descriptor| {
        let file = File::options().write(true).open(format!("/proc/self/fd/{descriptor}"));
        file.is_ok_and(|mut file| file.write_all(b"wild").is_ok() || file.set_len(0).is_ok())
    });
    tries.collect()
}

fn memmap_04_no_process_can_write_by_its_descriptor() {
    let (pool, numbers) = (pool_of(1), numbers(1000));
    assert_eq!(write_by_descriptor.bind(numbers.clone()).on(&pool).run().expect("it lives"), [false]);
    assert_eq!(write_by_descriptor(numbers.clone()), [false], "nor can the one that has made it");
    let made = make.bind(1000).on(&pool).run().expect("a result");
    assert_eq!(write_by_descriptor(made.clone()), [false, false]);
    assert!(numbers == made && made.iter().sum::<u64>() == sum_to(1000));
    pool.shutdown();
}

#[loky::task]
fn doubled(numbers: &[u64]) -> Vec<u64> {
    let mut own = numbers.to_vec();
    own.iter_mut().for_each(|number| *number *= 2);
    own
}

fn memmap_04_a_copy_is_the_workers_own() {
    let (pool, numbers) = (pool_of(1), numbers(10_000));
    let doubled = doubled.bind(&numbers).on(&pool).run().expect("doubled");
    assert!(doubled.iter().zip(&numbers).all(|(doubled, number)| *doubled == 2 * number));
    assert_eq!(numbers.iter().sum::<u64>(), sum_to(10_000));
    pool.shutdown();
}

fn names() -> Vec<String> {
    let folders = [std::env::temp_dir(), "/dev/shm".into(), std::env::current_dir().expect("there is one")];
    folders.iter().flat_map(|folder| procfs::names_in(folder)).collect()
}

#[loky::task]
fn names_there(numbers: Shared<u64>) -> Vec<String> {
    assert!(numbers.iter().sum::<u64>() > 0);
    names()
}

fn memmap_05_no_name_anywhere() {
    let (before, pool, numbers) = (names(), pool_of(2), numbers(100_000));
    assert_eq!(names_there.bind(numbers.clone()).on(&pool).run().expect("it looks"), before);
    let made = make.bind(100_000).on(&pool).run().expect("a result");
    assert_eq!(names(), before);
    let maps = fs::read_to_string("/proc/self/maps").expect("the kernel tells");
    assert!(maps.lines().filter(|line| line.contains("memfd:loky shared")).all(|line| line.ends_with("(deleted)")));
    drop((numbers, made));
    pool.shutdown();
}

fn memmap_06_pools_at_once_do_not_disturb_each_other() {
    let all = numbers(10_000);
    thread::scope(|scope| {
        for number in 0..3_u64 {
            let all = all.clone();
            scope.spawn(move || {
                let pool = pool_of(1);
                for round in 0..30 {
                    let own = Shared::from_vec(vec![number; 1000 + round]);
                    assert_eq!(sum.bind(own).on(&pool).run().expect("its own"), number * (1000 + round as u64));
                    assert_eq!(sum.bind(all.clone()).on(&pool).run().expect("that of all"), sum_to(10_000));
                    let made = make.bind(round as u64 + 1).on(&pool).run().expect("a result");
                    assert_eq!(made.len(), round + 1);
                }
                pool.shutdown();
            });
        }
    });
    assert_eq!((here(), all.iter().sum::<u64>()), ((1, 1), sum_to(10_000)));
}

#[loky::task]
fn end_badly(how: u8, numbers: Shared<u64>) -> Shared<u64> {
    let made = make(1000);
    match how {
        0 => panic!("{} {}", numbers.len(), made.len()),
        1 => std::process::abort(),
        _ => made,
    }
}

fn memmap_06_nothing_is_left_of_what_failed_or_was_killed() {
    let pool = pool_of(2);
    for round in 0..20 {
        let handle = end_badly.bind(round % 3, numbers(1000)).on(&pool).spawn();
        match round % 3 {
            0 | 1 => assert!(handle.join().is_err()),
            _ if round % 2 == 0 => drop(handle),
            _ => assert_eq!(handle.join().expect("made"), numbers(1000)),
        }
    }
    eventually("nothing is left", || here() == (0, 0) && in_workers() == 0);
    pool.shutdown();
}

fn memmap_14_forked_children_and_their_parent() {
    let (pool, all) = (pool_of(1), numbers(100_000));
    assert_eq!(sum.bind(all.clone()).on(&pool).run().expect("it travels"), sum_to(100_000));
    let (copy, other) = (all.clone(), pool.clone());
    let code = sys::in_a_fork(move || {
        let is_there = copy.iter().sum::<u64>() == sum_to(100_000) && copy.slice(1..3)[..] == [1, 2];
        let is_refused = sum.bind(copy.clone()).on(&other).run().is_err();
        // The last holder of a worker's segment in this process, whose pool is another's.
        let own = numbers(10);
        let has_own = own.iter().sum::<u64>() == 45;
        drop((copy, own));
        i32::from(!(is_there && is_refused && has_own))
    });
    assert_eq!(code, Some(0), "the child reads, is refused, drops, and does not hang");
    assert_eq!(sum.bind(all.clone()).on(&pool).run().expect("here nothing has changed"), sum_to(100_000));
    assert_eq!((mapped_by(procfs::workers()[0]), here()), (1, (1, 1)));
    drop(all);
    eventually("nothing is left", || here() == (0, 0) && in_workers() == 0);
    pool.shutdown();
}

#[loky::task]
fn sum_in_a_fork(numbers: Shared<u64>) -> (u64, Option<i32>) {
    let copy = numbers.clone();
    let code = sys::in_a_fork(move || {
        let is_right = copy.iter().sum::<u64>() == sum_to(copy.len() as u64);
        drop(copy);
        i32::from(!is_right)
    });
    (numbers.iter().sum(), code)
}

fn memmap_14_a_forked_worker_leaves_the_memory_alone() {
    let (pool, all) = (pool_of(1), numbers(1000));
    for _ in 0..3 {
        let there = sum_in_a_fork.bind(all.clone()).on(&pool).run().expect("it forks");
        assert_eq!(there, (sum_to(1000), Some(0)));
    }
    drop(all);
    eventually("nothing is left", || here() == (0, 0) && in_workers() == 0);
    pool.shutdown();
}

#[loky::task]
fn read_all(file: Fd) -> String {
    let mut text = String::new();
    File::from(file).read_to_string(&mut text).expect("it is open for reading");
    text
}

fn memmap_14_copied_workers() {
    let before = numbers(10_000);
    let pool = Pool::builder().workers(3).zygote(true).build().expect("a pool");
    let sums = (0..30).map(|_| before.clone()).par_map(sum).on(&pool).chunk_size(1).unwrap_all();
    assert!(sums.iter().all(|sum| *sum == sum_to(10_000)));
    pool.warm_up();
    let after = numbers(1000);
    let sums = (0..30).map(|_| after.clone()).par_map(sum).on(&pool).chunk_size(1).unwrap_all();
    assert!(sums.iter().all(|sum| *sum == sum_to(1000)));
    let made: Vec<_> = (1..20_u64).par_map(make).on(&pool).unwrap_all();
    assert!(made.iter().zip(1..).all(|(made, count)| made.len() == count && **made == *numbers(count as u64)));
    let path = loky_tests::scratch().join("file");
    fs::write(&path, "there").expect("a file");
    let file = File::open(&path).expect("it is there");
    assert_eq!(read_all.bind(file.into()).on(&pool).run().expect("a descriptor"), "there");
    drop((before, after, made));
    eventually("nothing is left", || here() == (0, 0) && in_workers() == 0);
    pool.shutdown();
}

fn memmap_14_copied_workers_under_fire() {
    let pool = Pool::builder().workers(3).zygote(true).build().expect("a pool");
    let (mut random, all) = (Random::from_environment(), numbers(1000));
    for round in 0..60_u64 {
        let own = numbers(round + 1);
        let calls = [sum.bind(all.clone()), sum.bind(own.clone())].map(|call| call.on(&pool).retries(100).spawn());
        if let Some(victim) = random.choose(&procfs::workers()).filter(|_| round % 3 == 0) {
            let _ = kill(Pid::from_raw(*victim as i32), Signal::SIGKILL);
        }
        let sums = loky::join_all(calls).expect("with a hundred retries");
        assert_eq!(sums, [sum_to(1000), sum_to(round + 1)]);
    }
    drop(all);
    eventually("nothing is left", || here() == (0, 0) && in_workers() == 0);
    pool.shutdown();
}
