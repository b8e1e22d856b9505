//! Limits that the kernel keeps: of addresses, processor time and descriptors.

use std::fs::File;
use std::hint::black_box;
use std::os::fd::AsRawFd;
use std::time::Duration;

use loky::prelude::*;
use loky::{ErrorKind, Pool};
use loky_tests::tasks::{add, pid};
use loky_tests::{Case, cases, fails, sys};
use nix::libc;
use nix::sys::signal::Signal;

use crate::attempt::both_kinds;

pub(crate) const CASES: &[Case] = cases![
    limits_01_past_the_address_space_one_allocation_fails,
    limits_02_a_vector_that_cannot_grow_costs_its_call,
    limits_03_an_endless_loop_ends_with_its_cpu_time: 240,
    limits_04_who_catches_the_signal_is_killed: 240,
    limits_05_one_file_too_many_cannot_be_opened,
    limits_06_all_of_them_at_once_let_calls_pass,
];

const GIB: u64 = 1 << 30;

#[loky::task]
fn can_allocate(bytes: usize) -> bool {
    let mut memory = Vec::<u8>::new();
    // Looked at, or else the compiler may find that nobody needs it.
    black_box(&mut memory).try_reserve_exact(bytes).is_ok()
}

#[loky::task]
fn allocate(bytes: usize) -> usize {
    black_box(Vec::<u8>::with_capacity(bytes)).capacity()
}

fn limits_01_past_the_address_space_one_allocation_fails() {
    assert!(can_allocate(2 * GIB as usize), "nothing is touched, so any machine can");
    for pool in both_kinds(&Pool::builder().address_space_limit(2 * GIB)) {
        let worker = pid.bind().on(&pool).run().expect("a worker");
        let seen = |bytes| can_allocate.bind(bytes).on(&pool).run().expect("a call");
        assert!(seen(GIB as usize) && !seen(2 * GIB as usize) && seen(GIB as usize));
        assert_eq!(pid.bind().on(&pool).run().expect("a worker"), worker, "it has lived through that");
    }
}

fn limits_02_a_vector_that_cannot_grow_costs_its_call() {
    let pool = Pool::builder().workers(1).address_space_limit(2 * GIB).build().expect("a pool");
    let error = fails(allocate.bind(2 * GIB as usize).on(&pool).run(), ErrorKind::Crash);
    assert_eq!(error.signal(), Some(libc::SIGABRT), "{error}");
    assert!(
        error.stderr_tail().is_some_and(|tail| tail.contains("memory allocation of 2147483648 bytes")),
        "{error:?}"
    );
    assert!(allocate.bind(1 << 20).on(&pool).run().expect("the next one is served") >= 1 << 20);
}

#[loky::task]
fn never_end(ignores_signal: bool) {
    if ignores_signal {
        sys::ignore(Signal::SIGXCPU);
    }
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns).wrapping_add(1);
    }
}

fn limits_03_an_endless_loop_ends_with_its_cpu_time() {
    for pool in both_kinds(&Pool::builder().cpu_time_limit(Duration::from_millis(900))) {
        let error = fails(never_end.bind(false).on(&pool).run(), ErrorKind::Crash);
        assert_eq!(error.signal(), Some(libc::SIGXCPU), "{error}");
        let text = error.to_string();
        assert!(text.contains("SIGXCPU") && text.contains("`cpu_time_limit`"), "{text}");
        assert_eq!(add.bind(1, 2).on(&pool).run().expect("the next worker has its own time"), 3);
    }
}

fn limits_04_who_catches_the_signal_is_killed() {
    let pool = Pool::builder().workers(1).cpu_time_limit(Duration::from_secs(1)).build().expect("a pool");
    let error = fails(never_end.bind(true).on(&pool).run(), ErrorKind::Crash);
    assert_eq!(error.signal(), Some(libc::SIGKILL), "{error}");
}

/// The highest number that a file had, and why there was no further one.
#[loky::task]
fn open_files(at_most: usize) -> (i32, Option<i32>) {
    let mut files = Vec::new();
    while files.len() < at_most {
        match File::open("/dev/null") {
            Ok(file) => files.push(file),
            Err(why) => return (highest(&files), why.raw_os_error()),
        }
    }
    (highest(&files), None)
}

fn highest(files: &[File]) -> i32 {
    files.iter().map(AsRawFd::as_raw_fd).max().unwrap_or_default()
}

fn limits_05_one_file_too_many_cannot_be_opened() {
    assert!(open_files(100).1.is_none(), "more can be open outside");
    for pool in both_kinds(&Pool::builder().open_files_limit(64)) {
        for _ in 0..2 {
            // Numbers begin at zero, so the 65th descriptor would be number 64.
            assert_eq!(open_files.bind(100).on(&pool).run().expect("a call"), (63, Some(libc::EMFILE)));
        }
        assert_eq!(open_files.bind(50).on(&pool).run().expect("a call").1, None, "the worker has few of its own");
    }
}

#[loky::task]
fn sort(numbers: Vec<f64>) -> Vec<f64> {
    let mut numbers = numbers;
    numbers.sort_by(f64::total_cmp);
    numbers
}

fn limits_06_all_of_them_at_once_let_calls_pass() {
    let builder = Pool::builder()
        .no_new_privileges(true)
        .no_core_dumps(true)
        .no_network(true)
        .read_only_file_system(!crate::kernel::lacks_landlock())
        .address_space_limit(GIB)
        .cpu_time_limit(Duration::from_secs(60))
        .open_files_limit(16);
    for pool in both_kinds(&builder) {
        let numbers: Vec<_> = (0..1_000_000).rev().map(f64::from).collect();
        let sorted = sort.bind(numbers).on(&pool).run().expect("a call");
        assert!(sorted.is_sorted() && sorted.len() == 1_000_000);
        let sums: Result<Vec<_>, _> = (0..10_000_i64).map(|n| (n, n)).par_map(add).on(&pool).collect();
        assert_eq!(sums.expect("calls")[9_999], 19_998);
    }
}
