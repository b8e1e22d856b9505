//! The same limit while a worker runs what it runs for its pool: before its first call, and after its last one.

use std::sync::mpsc;

use loky::prelude::*;
use loky::{Error, ErrorKind, Pool, PoolBuilder};
use loky_tests::tasks::{leave_word, pid, square};
use loky_tests::{Case, Gate, cases, fails, ms, procfs, soon};

use crate::figures::says_the_figures;
use crate::limit::{self, END, LIMIT};

pub(crate) const CASES: &[Case] = cases![
    leak_11_an_initializer_that_fills_memory_fails_with_the_figure,
    leak_11_what_an_initializer_leaves_behind_is_no_fault_of_a_call,
    leak_11_an_initializer_below_the_limit_does_no_harm,
    leak_11_a_finalizer_that_fills_memory_fails_with_the_figure,
    leak_11_a_finalizer_below_the_limit_is_heard,
];

const LOW: u64 = 10 << 20;

fn limited() -> PoolBuilder {
    Pool::builder().workers(1).memory_limit(LIMIT)
}

/// Fills memory, and keeps it.
#[loky::task]
fn fill(gate: Gate, mib: usize) -> Result<(), String> {
    gate.arrive(&std::process::id().to_string());
    limit::fill(mib);
    Ok(())
}

fn leak_11_an_initializer_that_fills_memory_fails_with_the_figure() {
    for (name, is_zygote) in [("alone", false), ("copied", true)] {
        let gate = Gate::new(name);
        let pool = limited().zygote(is_zygote).initializer(fill.bind(gate.clone(), END)).build().expect("a pool");
        let error = fails(square.bind(3).on(&pool).run(), ErrorKind::Initializer);
        says_the_figures(&error, LIMIT);
        assert!(error.to_string().contains("the initializer `memory::errands::fill` failed in worker 0"), "{error}");
        assert!(!error.may_have_run(), "the call has not");
        let tries: Vec<u32> = gate.arrivals().iter().map(|pid| pid.parse().expect("a pid")).collect();
        assert_eq!((tries.len(), error.pid()), (3, tries.last().copied()), "as often as any launch that fails");
        soon("its workers are dead", ms(2000), || tries.iter().all(|&pid| !procfs::is_alive(pid)));
    }
}

/// Whether it is seen to be too large while it runs or not before it has returned.
fn leak_11_what_an_initializer_leaves_behind_is_no_fault_of_a_call() {
    for mib in [12, 13, 16, 24, 32, 48, 64, 128] {
        let gate = Gate::new(&mib.to_string());
        let builder = Pool::builder().workers(1).memory_limit(LOW);
        let pool = builder.initializer(fill.bind(gate.clone(), mib)).build().expect("a pool");
        for _ in 0..3 {
            let error = fails(square.bind(3).on(&pool).run(), ErrorKind::Initializer);
            says_the_figures(&error, LOW);
        }
        assert_eq!(pool.stats().idle, 0, "such a worker never serves");
        let worker: u32 = gate.arrivals()[0].parse().expect("a pid");
        assert_ne!(worker, std::process::id());
    }
}

fn leak_11_an_initializer_below_the_limit_does_no_harm() {
    let gate = Gate::new("gate");
    let builder = limited().memory_growth_limit(None);
    let pool = builder.initializer(fill.bind(gate.clone(), 100)).build().expect("a pool");
    let first = pid.bind().on(&pool).run().expect("a worker");
    assert!(procfs::private_bytes(first) > 100 << 20);
    assert_eq!((0..100_u64).par_map(square).on(&pool).filter(Result::is_ok).count(), 100);
    let error = fails(fill.bind(gate.clone(), 110).on(&pool).run().map(drop), ErrorKind::MemoryLimit);
    assert_eq!(error.pid(), Some(first), "what a call adds is the fault of that call");
    assert_ne!(pid.bind().on(&pool).run().expect("the next one"), first);
}

/// A pool with this finalizer, what that was told, and the worker, which is gone.
fn finalized(builder: PoolBuilder, gate: &Gate, mib: usize) -> (Result<(), Error>, u32) {
    let (tell, told) = mpsc::channel();
    let told_of = move |value: Result<Result<(), String>, Error>| {
        tell.send(value.map(|filled| filled.expect("it has filled all"))).expect("somebody listens");
    };
    let pool = builder.finalizer(fill.bind(gate.clone(), mib), told_of).build().expect("a pool");
    let worker = pid.bind().on(&pool).run().expect("a worker");
    pool.shutdown();
    (told.try_recv().expect("it is told before the shutdown returns"), worker)
}

fn leak_11_a_finalizer_that_fills_memory_fails_with_the_figure() {
    let (gate, words) = (Gate::new("gate"), Gate::new("words"));
    let behind = limited().finalizer(leave_word.bind(words.clone(), "bye"), |_| panic!("nobody has asked it"));
    let (told, worker) = finalized(behind, &gate, END);
    let error = fails(told, ErrorKind::MemoryLimit);
    says_the_figures(&error, LIMIT);
    assert_eq!((error.pid(), error.signal()), (Some(worker), None));
    assert!(error.may_have_run() && !error.is_crash(), "{error:?}");
    assert_eq!((gate.arrivals().len(), words.arrivals()), (1, vec![]), "after a kill nothing runs");
}

fn leak_11_a_finalizer_below_the_limit_is_heard() {
    let gate = Gate::new("gate");
    for _ in 0..5 {
        assert!(finalized(limited(), &gate, 100).0.is_ok());
    }
}
