//! Workers that grow are replaced between calls and between items, without a loss and without a word.

use std::collections::BTreeSet;
use std::hint::black_box;

use loky::Pool;
use loky::prelude::*;
use loky_tests::tasks::{pid, square};
use loky_tests::{Case, Gate, Program, cases, eventually, pool_of, procfs, program, programs};

pub(crate) const CASES: &[Case] = cases![
    leak_03_a_worker_that_leaks_is_replaced,
    leak_03_between_the_items_of_a_chunk_too,
    leak_03_a_growth_of_ones_own_choice,
    leak_03_without_a_limit_it_stays,
    leak_04_what_is_pending_goes_on_and_nobody_speaks,
    leak_04_a_copy_of_a_zygote_is_replaced_too,
    leak_06_a_peak_that_is_freed_again_is_no_growth,
];

pub(crate) const PROGRAMS: &[Program] = programs![leaky];

const MB: usize = 1_000_000;

/// Leaks so many bytes. Returns who it was, and what that process has now.
#[loky::task]
fn leak(bytes: usize, value: u64) -> (u32, u64, u64) {
    std::mem::forget(black_box(vec![1_u8; bytes]));
    let me = std::process::id();
    (me, procfs::private_bytes(me), value * value)
}

/// How many processes ran these, if all is well.
fn judge(results: Vec<(u32, u64, u64)>) -> usize {
    let most = results.iter().map(|&(_, bytes, _)| bytes).max().expect("there are results");
    assert!(most < 650 * MB as u64, "a worker had {most} bytes");
    assert!((0_u64..).zip(&results).all(|(value, &(_, _, result))| result == value * value), "all are right");
    results.iter().map(|&(pid, ..)| pid).collect::<BTreeSet<_>>().len()
}

fn leak_03_a_worker_that_leaks_is_replaced() {
    let pool = pool_of(1);
    let results = (0..300).map(|value| leak.bind(3 * MB, value).on(&pool).run().expect("nothing is lost"));
    let workers = judge(results.collect());
    assert!((2..10).contains(&workers), "replaced at least once, and not at every call: {workers}");
}

fn leak_03_between_the_items_of_a_chunk_too() {
    let pool = pool_of(1);
    for chunk_size in [300, 7] {
        let items = (0..300).map(|value| (3 * MB, value));
        let results = items.par_map(leak).on(&pool).chunk_size(chunk_size).collect::<Result<_, _>>();
        let workers = judge(results.expect("nothing is lost"));
        assert!((2..10).contains(&workers), "in chunks of {chunk_size}: {workers} workers");
    }
}

fn leak_03_a_growth_of_ones_own_choice() {
    let pool = Pool::builder().workers(1).memory_growth_limit(Some(30_000_000)).build().expect("a pool");
    let results = (0..300).map(|value| leak.bind(MB, value).on(&pool).run().expect("nothing is lost"));
    let workers = judge(results.collect());
    assert!(workers >= 4, "{workers}");
}

fn leak_03_without_a_limit_it_stays() {
    let pool = Pool::builder().workers(1).memory_growth_limit(None).build().expect("a pool");
    let results = (0..100).map(|value| leak.bind(6 * MB, value).on(&pool).run().expect("nothing is lost"));
    assert_eq!(judge(results.collect()), 1);
}

/// A program that leaks in its workers, and says how often they were replaced.
fn leaky() {
    let pool = pool_of(2);
    let gate = Gate::of_the_case("words");
    let handles: Vec<_> = (0..300).map(|value| leak_and_tell.bind(gate.clone(), value).on(&pool).spawn()).collect();
    let workers = judge(loky::join_all(handles).expect("nothing is lost"));
    pool.shutdown();
    println!("{workers} workers");
}

#[loky::task]
fn leak_and_tell(gate: Gate, value: u64) -> (u32, u64, u64) {
    gate.arrive(&value.to_string());
    leak(6 * MB, value)
}

fn leak_04_what_is_pending_goes_on_and_nobody_speaks() {
    let gate = Gate::new("words");
    let output = program("leaky").output().expect("the program can be started");
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && errors.is_empty(), "{said}{errors}");
    let workers: usize = said.split(' ').next().and_then(|count| count.parse().ok()).expect("it says how many");
    assert!(workers > 2, "at least one was replaced: {said}");
    let came = gate.arrivals();
    assert_eq!(came.iter().collect::<BTreeSet<_>>().len(), 300);
    assert_eq!(came.len(), 300, "no call ran twice");
}

fn leak_04_a_copy_of_a_zygote_is_replaced_too() {
    let pool = Pool::builder().workers(1).zygote(true).memory_growth_limit(Some(30_000_000)).build().expect("a pool");
    let results = (0..200).map(|value| leak.bind(MB, value).on(&pool).run().expect("nothing is lost"));
    assert!(judge(results.collect()) >= 3);
    eventually("the old ones are gone without a trace", || procfs::workers().len() <= 2);
}

#[loky::task]
fn peak(bytes: usize) -> usize {
    // In pieces that the C library takes from its heap, and keeps when they are freed.
    let pieces: Vec<_> = (0..bytes / 50_000).map(|_| black_box(vec![1_u8; 50_000])).collect();
    let sum = pieces.iter().map(Vec::len).sum();
    // Behind them, so that what is freed is not the end of the heap, which the library would give back by itself.
    std::mem::forget(black_box(vec![1_u8; 50_000]));
    sum
}

fn leak_06_a_peak_that_is_freed_again_is_no_growth() {
    let pool = pool_of(1);
    let before = pid.bind().on(&pool).run().expect("a worker");
    for round in 0..5 {
        assert_eq!(peak.bind(400 * MB).on(&pool).run().expect("a peak"), 400 * MB);
        assert_eq!(square.bind(round).on(&pool).run().expect("another call"), round * round);
        std::thread::sleep(loky_tests::ms(30));
        assert_eq!(pid.bind().on(&pool).run().expect("the same worker"), before, "round {round}");
    }
}
