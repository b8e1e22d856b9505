//! Deaths and dangers around a start: workers that die at once, kills during a resize, launches beside busy threads.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use loky::prelude::*;
use loky::{ErrorKind, Pool};
use loky_tests::sys::signal;
use loky_tests::tasks::{add, meet, pid, square};
use loky_tests::{Case, Gate, cases, eventually, fails, ms, pool_of, procfs, scratch, soon, stays, sys};
use nix::sys::signal::Signal;
use rayon::prelude::*;

pub(crate) const CASES: &[Case] = cases![
    crash_21_killed_between_a_resize_and_the_next_call,
    crash_24_killed_while_a_resize_goes_on,
    crash_35_workers_that_die_at_once_are_given_up,
    crash_51_a_library_with_threads_in_program_and_workers,
    crash_52_launches_beside_busy_threads,
];

fn crash_21_killed_between_a_resize_and_the_next_call() {
    for size in [1, 2] {
        let pool = pool_of(1);
        let victim = pid.bind().on(&pool).run().expect("a worker");
        pool.resize(size);
        signal(victim, Signal::SIGKILL);
        soon("the death is noticed", ms(500), || pool.stats().deaths == 1);
        assert_ne!(pid.bind().on(&pool).run().expect("the pool heals itself"), victim);
    }
}

fn crash_24_killed_while_a_resize_goes_on() {
    for (from, to) in [(2, 4), (4, 2)] {
        let (pool, gate) = (pool_of(from), Gate::new(&format!("from {from}")));
        let held: Vec<_> = (0..from as u64).map(|x| meet.bind(gate.clone(), x).on(&pool).spawn()).collect();
        let victim = gate.await_arrivals(from)[0].parse().expect("a pid");
        pool.resize(to);
        thread::sleep(ms(100));
        signal(victim, Signal::SIGKILL);
        gate.open();
        let killed = held.into_iter().filter_map(|handle| fails_or_is_done(handle.join())).count();
        assert_eq!(killed, 1);
        pool.warm_up();
        eventually("the resize has ended", || pool.stats().live == to);
        assert_eq!(square.bind(3).on(&pool).run().expect("the next call works"), 9);
    }
}

fn fails_or_is_done(result: Result<u64, loky::Error>) -> Option<loky::Error> {
    result.err().map(|error| fails(Err::<(), _>(error), ErrorKind::Crash))
}

fn crash_35_workers_that_die_at_once_are_given_up() {
    for is_copied in [false, true] {
        let count = scratch().join(format!("starts {is_copied}"));
        let starts = || std::fs::read(&count).unwrap_or_default().len();
        let builder = Pool::builder().workers(2).zygote(is_copied).env(sys::EXIT_AT_START, &count);
        let pool = builder.build().expect("a pool");
        let handles: Vec<_> = (0..20).map(|x| square.bind(x).on(&pool).retries(5).spawn()).collect();
        for handle in handles {
            let error = fails(handle.join(), ErrorKind::Launch);
            let text = error.to_string();
            assert!(text.contains("could be started") && text.contains("exited with code 1"), "{text}");
            assert!(!error.may_have_run(), "{error}");
        }
        eventually("those under way have ended, too", || procfs::children(std::process::id()).is_empty());
        let tried = starts();
        assert!((3..=10).contains(&tried), "{tried} starts");
        stays("nobody tries on without a call", ms(300), || starts() == tried);
    }
}

/// A product of two matrices of so many rows, each row computed by whichever thread of the library is free.
#[loky::task]
fn product(rows: usize) -> f64 {
    let cell = |row: usize, column: usize| ((row * 7 + column * 3) % 11) as f64;
    let sum_of_row = |row: usize| -> f64 {
        let products = |column: usize| (0..rows).map(|k| cell(row, k) * cell(k, column)).sum::<f64>();
        (0..rows).map(products).sum()
    };
    (0..rows).into_par_iter().map(sum_of_row).sum()
}

fn crash_51_a_library_with_threads_in_program_and_workers() {
    // One that ends with the case; those of the workers are the library's own, which end with their process.
    let library = rayon::ThreadPoolBuilder::new().num_threads(3).build().expect("threads");
    let here = library.install(|| product(60));
    assert!(procfs::threads().len() >= 4, "the library has threads");
    for is_copied in [false, true] {
        let pool = Pool::builder().workers(2).zygote(is_copied).build().expect("a pool");
        let there: Vec<_> = (0..4).map(|_| product.bind(60).on(&pool).spawn()).collect();
        assert_eq!(library.install(|| product(60)), here, "beside the workers");
        assert!(loky::join_all(there).expect("nobody freezes").iter().all(|there| *there == here));
    }
}

/// Ends what looks at it, whatever becomes of the case.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Takes the locks that a copy of this process could find taken: those of memory, of the environment and of a stream.
fn take_locks(is_over: &AtomicBool) {
    while !is_over.load(Ordering::SeqCst) {
        let memory: Vec<Vec<u8>> = (1..50).map(|size| vec![1; size * 100]).collect();
        black_box((memory, std::env::var_os("PATH")));
        let _stream = std::io::stderr().lock();
    }
}

fn crash_52_launches_beside_busy_threads() {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let _over = Over(&is_over);
        (0..3).for_each(|_| drop(scope.spawn(|| take_locks(&is_over))));
        for round in 0..10 {
            let builder = Pool::builder().workers(3).zygote(round % 2 == 1);
            let pool = builder.build().expect("a pool");
            pool.warm_up();
            assert_eq!(add.bind(round, 1).on(&pool).run().expect("no worker starts with a lock taken"), round + 1);
            pool.shutdown();
        }
    });
}
