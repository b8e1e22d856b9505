//! A limit on the private memory of a worker: whatever a task does, and nobody else is harmed.

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::thread;
use std::time::Duration;

use loky::prelude::*;
use loky::{ErrorKind, Pool};
use loky_tests::tasks::{leave_word, meet, pid, square};
use loky_tests::{Case, Gate, cases, eventually, fails, falls_asleep, ms, procfs, soon, sys};

use crate::figures::says_the_figures;

pub(crate) const CASES: &[Case] = cases![
    leak_11_a_bomb_fails_with_the_figure,
    leak_11_a_bomb_in_many_threads,
    leak_11_a_bomb_by_mmap,
    leak_11_a_bomb_in_a_copy_of_a_zygote,
    leak_11_what_is_reserved_or_shared_does_not_count,
    leak_11_neighbors_are_not_touched,
    leak_11_calls_that_lay_ready_go_back,
    leak_11_only_the_item_that_ran_fails,
    leak_11_an_answer_on_its_way_counts_or_does_not,
    leak_11_an_idle_worker_is_replaced_quietly,
    leak_11_an_idle_pool_with_a_limit_sleeps,
    leak_11_a_limit_of_zero_is_refused,
    leak_11_another_limit_is_another_pool,
];

const MIB: usize = 1 << 20;
pub(crate) const LIMIT: u64 = 200 << 20;

/// Where a bomb stops that nobody stops, in MiB.
pub(crate) const END: usize = 4096;

fn limited(workers: usize) -> Pool {
    Pool::builder().workers(workers).memory_limit(LIMIT).memory_growth_limit(None).build().expect("a pool")
}

/// Fills memory, MiB by MiB, and keeps it. Returns how many.
pub(crate) fn fill(mib: usize) -> usize {
    let held: Vec<_> = (0..mib).map(|_| black_box(vec![1_u8; MIB])).collect();
    std::mem::forget(black_box(held));
    mib
}

#[loky::task]
fn bomb(gate: Gate, mib: usize) -> usize {
    gate.arrive(&std::process::id().to_string());
    eprintln!("about to fill {mib} MiB");
    fill(mib)
}

fn leak_11_a_bomb_fails_with_the_figure() {
    let (pool, gate) = (limited(1), Gate::new("gate"));
    let call = bomb.bind(gate.clone(), END).on(&pool).retries(5);
    let error = fails(call.run(), ErrorKind::MemoryLimit);
    says_the_figures(&error, LIMIT);
    assert!(error.may_have_run() && error.attempt() == Some(1) && !error.is_crash() && !error.is_timeout());
    assert!(error.stderr_tail().is_some_and(|tail| tail.contains("about to fill")), "{error:?}");
    let worker: u32 = gate.arrivals()[0].parse().expect("a pid");
    assert_eq!(error.pid(), Some(worker));
    soon("its worker is dead", ms(1000), || !procfs::is_alive(worker));
    assert_eq!(square.bind(3).on(&pool).run().expect("the pool goes on"), 9);
    assert_eq!(gate.arrivals().len(), 1, "it is not tried again");
}

#[loky::task]
fn bomb_in_threads(count: usize) -> usize {
    let threads: Vec<_> = (0..count).map(|_| thread::spawn(move || fill(END / count))).collect();
    threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
}

fn leak_11_a_bomb_in_many_threads() {
    let error = fails(bomb_in_threads.bind(16).on(&limited(1)).run(), ErrorKind::MemoryLimit);
    println!("{error}");
}

/// Stays as long as that, to be looked at.
#[loky::task]
fn map_memory(len: usize, filled: usize, is_shared: bool, span: Duration) {
    sys::map(len, filled, is_shared);
    thread::sleep(span);
}

const LOOKED_AT: Duration = ms(200);
const KILLED: Duration = ms(40_000);

fn leak_11_a_bomb_by_mmap() {
    let (len, pool) = (END * MIB, limited(1));
    fails(map_memory.bind(len, len, false, KILLED).on(&pool).run(), ErrorKind::MemoryLimit);
    fails(map_memory.bind(len, 250 * MIB, false, KILLED).on(&pool).run(), ErrorKind::MemoryLimit);
}

fn leak_11_a_bomb_in_a_copy_of_a_zygote() {
    let pool = Pool::builder().workers(2).zygote(true).memory_limit(LIMIT).build().expect("a pool");
    pool.warm_up();
    for round in 0..3 {
        let gate = Gate::new(&format!("gate {round}"));
        let bombs: Vec<_> = (0..2).map(|_| bomb.bind(gate.clone(), END).on(&pool).spawn()).collect();
        for handle in bombs {
            fails(handle.join(), ErrorKind::MemoryLimit);
        }
        assert_eq!(square.bind(3).on(&pool).run().expect("the pool goes on"), 9);
    }
}

fn leak_11_what_is_reserved_or_shared_does_not_count() {
    let pool = limited(1);
    let before = pid.bind().on(&pool).run().expect("a worker");
    map_memory.bind(END * MIB, 0, false, LOOKED_AT).on(&pool).run().expect("reserved only");
    map_memory.bind(300 * MIB, 300 * MIB, true, LOOKED_AT).on(&pool).run().expect("shared");
    map_memory.bind(END * MIB, 100 * MIB, false, LOOKED_AT).on(&pool).run().expect("below the limit");
    assert_eq!(pid.bind().on(&pool).run().expect("a worker"), before);
}

fn leak_11_neighbors_are_not_touched() {
    let (pool, held, gate) = (limited(2), Gate::new("held"), Gate::new("gate"));
    let neighbor = meet.bind(held.clone(), 7).on(&pool).spawn();
    held.await_arrivals(1);
    for _ in 0..3 {
        fails(bomb.bind(gate.clone(), END).on(&pool).run(), ErrorKind::MemoryLimit);
    }
    held.open();
    assert_eq!(neighbor.join().expect("not touched"), 7);
    assert_eq!(held.arrivals().len(), 1, "it ran once");
}

fn leak_11_calls_that_lay_ready_go_back() {
    let (pool, gate, words) = (limited(1), Gate::new("gate"), Gate::new("words"));
    // Tiny calls, so that the next ones are sent ahead.
    assert!((0..2000).map(|x| square.bind(x).on(&pool).spawn()).all(|handle| handle.join().is_ok()));
    for round in 0..3 {
        let bomb = bomb.bind(gate.clone(), END).on(&pool).spawn();
        let name = |x: usize| format!("{round}.{x}");
        let behind: Vec<_> = (0..50).map(|x| leave_word.bind(words.clone(), &name(x)).on(&pool).spawn()).collect();
        fails(bomb.join(), ErrorKind::MemoryLimit);
        loky::join_all(behind).expect("they had not begun");
    }
    let (came, each) = (words.arrivals(), words.arrivals().into_iter().collect::<BTreeSet<_>>());
    assert_eq!((came.len(), each.len()), (150, 150), "each ran once: {came:?}");
}

#[loky::task]
fn bomb_at(words: Gate, at: Vec<u64>, item: u64) -> u64 {
    words.arrive(&item.to_string());
    if at.contains(&item) {
        fill(END);
    }
    item * item
}

fn leak_11_only_the_item_that_ran_fails() {
    let (pool, words) = (limited(2), Gate::new("words"));
    let at = vec![0, 21, 22, 63];
    let items = (0..64).map(|item| (words.clone(), at.clone(), item));
    let results: Vec<_> = items.par_map(bomb_at).on(&pool).chunk_size(16).retries(3).collect();
    for (item, result) in (0..64_u64).zip(results) {
        match at.contains(&item) {
            true => drop(fails(result, ErrorKind::MemoryLimit)),
            false => assert_eq!(result.expect("its neighbor's fault"), item * item),
        }
    }
    let came = words.arrivals();
    assert_eq!(came.iter().collect::<BTreeSet<_>>().len(), 64);
    assert_eq!(came.len(), 64, "no item ran twice: {came:?}");
}

/// Whichever comes first, the look or the answer, the next call on that worker must run, and nothing be half true.
fn leak_11_an_answer_on_its_way_counts_or_does_not() {
    let (pool, gate) = (limited(1), Gate::new("gate"));
    let (mut in_time, mut late) = (0, 0);
    for round in 0..40 {
        // A worker of this round alone, which goes past its limit by a little more each time.
        let mib = 201 + 4 * (round % 10);
        match bomb.bind(gate.clone(), mib).on(&pool).run() {
            Ok(filled) => {
                assert_eq!(filled, mib);
                in_time += 1;
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::MemoryLimit, "{error}");
                late += 1;
            }
        }
        let next = square.bind(round as u64).on(&pool).spawn();
        assert!(next.wait_timeout(ms(20_000)), "round {round}: the next call never ends");
        // It may have begun in a worker that was too large by then.
        if let Err(error) = next.join() {
            assert_eq!(error.kind(), ErrorKind::MemoryLimit, "{error}");
        }
        assert_eq!(gate.arrivals().len(), round + 1, "each ran once");
    }
    println!("{in_time} answers, {late} errors");
    assert!(late > 0, "some were caught");
}

#[loky::task]
fn leave_a_bomb(gate: Gate, words: Gate) {
    thread::spawn(move || {
        gate.pass();
        fill(250);
        words.arrive("filled");
        thread::sleep(ms(60_000));
    });
}

/// Whether a call that was over before the look was left alone. A machine that stalls may look while it runs.
fn is_replaced_quietly(round: usize) -> bool {
    let [gate, words] = ["gate", "words"].map(|name| Gate::new(&format!("{name} {round}")));
    let pool = limited(1);
    let worker = pid.bind().on(&pool).run().expect("a worker");
    leave_a_bomb.bind(gate.clone(), words.clone()).on(&pool).run().expect("it leaves a thread behind");
    gate.open();
    words.await_arrivals(1);
    // It is looked at when it has had something to do again; and by then that is over.
    let told = pid.bind().on(&pool).run();
    eventually("the worker is replaced", || !procfs::is_alive(worker));
    assert_ne!(pid.bind().on(&pool).run().expect("the next one"), worker);
    told.is_ok_and(|pid| pid == worker)
}

fn leak_11_an_idle_worker_is_replaced_quietly() {
    assert!((0..5).any(is_replaced_quietly), "nobody is to blame for it");
}

fn leak_11_an_idle_pool_with_a_limit_sleeps() {
    let pool = limited(2);
    pool.warm_up();
    assert_eq!((0..1000).par_map(square).on(&pool).filter(Result::is_ok).count(), 1000);
    let me = std::process::id();
    let doing = || -> BTreeMap<u32, u64> {
        let mut ours = procfs::switches_of(me);
        // This one sleeps between its questions.
        ours.remove(&me);
        ours
    };
    assert!(!doing().is_empty(), "there is a thread of the pool");
    falls_asleep(doing);
}

fn leak_11_a_limit_of_zero_is_refused() {
    for builder in [Pool::builder().memory_limit(0), Pool::builder().memory_growth_limit(Some(0))] {
        let error = builder.build().expect_err("no worker could live");
        assert!(error.kind() == ErrorKind::Config && error.to_string().contains("(0)"), "{error}");
    }
}

fn leak_11_another_limit_is_another_pool() {
    let pids = [None, Some(LIMIT), Some(LIMIT), Some(2 * LIMIT)].map(|limit| {
        let builder = Pool::builder().workers(1);
        let builder = limit.into_iter().fold(builder, |builder, limit| builder.memory_limit(limit));
        let pool = loky::reusable(builder).expect("a pool");
        pid.bind().on(&pool).run().expect("a worker")
    });
    assert!(pids[0] != pids[1] && pids[1] == pids[2] && pids[2] != pids[3], "{pids:?}");
    loky_tests::finish();
    eventually("all are gone", || procfs::workers().is_empty());
}
