//! Calls that are asked to end by themselves: who sees it, what they may still return, and who is killed in the end.

use std::thread;
use std::time::{Duration, Instant};

use loky::prelude::*;
use loky::{ErrorKind, JoinHandle};
use loky_tests::sys::signal;
use loky_tests::tasks::{Death, leave_word, meet, pid, spin, square, survive_from};
use loky_tests::{Case, Gate, Random, cases, eventually, fails, ms, pool_of, procfs, soon, stays};
use nix::sys::signal::Signal;

pub(crate) const CASES: &[Case] = cases![
    cancel_09_a_task_that_asks_returns_what_it_has,
    cancel_09_it_is_seen_within_50_ms,
    cancel_09_one_that_never_asks_is_killed_after_its_grace,
    cancel_09_a_call_that_waits_is_removed,
    cancel_09_no_other_call_ever_sees_it: 120,
    cancel_09_it_is_not_tried_again,
    cancel_09_any_thread_of_the_worker_sees_it,
    cancel_09_a_finished_call_is_not_asked,
    cancel_09_who_asks_again_can_shorten_the_grace,
    cancel_09_a_race_with_the_end_has_one_winner: 120,
    cancel_09_while_nobody_waits,
];

/// So long that nobody is killed unless a case is wrong.
const LONG: Duration = Duration::from_secs(1000);

/// Counts until it is asked to end.
#[loky::task]
fn count(gate: Gate) -> (u64, u32) {
    gate.arrive("begun");
    let mut counted = 0;
    while !loky::is_cancelled() {
        counted += 1;
        std::hint::spin_loop();
    }
    gate.arrive("seen");
    (counted, std::process::id())
}

/// Whether it is asked to end, looked at for so long.
#[loky::task]
fn looks(span: Duration) -> bool {
    let until = Instant::now() + span;
    loop {
        let is_asked = loky::is_cancelled();
        if is_asked || Instant::now() >= until {
            return is_asked;
        }
    }
}

fn cancel_09_a_task_that_asks_returns_what_it_has() {
    assert!(!loky::is_cancelled(), "nobody asks a program");
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let worker = pid.bind().on(&pool).run().expect("a worker");
    let counting = count.bind(gate.clone()).on(&pool).retries(3).spawn();
    let queued = looks.bind(ms(5)).on(&pool).spawn();
    gate.await_arrivals(1);
    stays("it counts", ms(20), || !counting.is_finished());
    assert!(counting.cancel_within(LONG));
    let (counted, by) = counting.join().expect("what it returns is its result");
    assert!(counted > 0 && by == worker);
    assert!(!queued.join().expect("the next one runs"), "and is not asked");
    assert_eq!(pid.bind().on(&pool).run().expect("a call"), worker, "its worker lives on");
    let stats = pool.stats();
    assert_eq!((stats.failed, stats.deaths), (0, 0), "{stats}");
}

/// A machine that is busy with other things may take longer once, but not every time.
fn cancel_09_it_is_seen_within_50_ms() {
    let pool = pool_of(1);
    let is_quick = |round: u32| {
        let gate = Gate::new(&format!("gate {round}"));
        let counting = count.bind(gate.clone()).on(&pool).spawn();
        gate.await_arrivals(1);
        let asked = Instant::now();
        assert!(counting.cancel_within(LONG));
        counting.join().expect("a result");
        asked.elapsed() < ms(50)
    };
    assert!((0..20).any(is_quick), "in none of 20 rounds");
}

fn cancel_09_one_that_never_asks_is_killed_after_its_grace() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let spinning = spin.bind(gate.clone()).on(&pool).retries(3).spawn();
    let worker: u32 = gate.await_arrivals(1)[0].parse().expect("a pid");
    let asked = Instant::now();
    assert!(spinning.cancel_within(ms(300)));
    assert!(procfs::is_alive(worker) && !spinning.is_finished(), "it has its grace");
    let error = fails(spinning.join(), ErrorKind::Cancelled);
    assert!(asked.elapsed() >= ms(300), "{:?}", asked.elapsed());
    assert!(error.may_have_run() && error.pid() == Some(worker) && error.to_string().contains("was killed"), "{error}");
    soon("its worker is dead", ms(1000), || !procfs::is_alive(worker));
    assert_eq!(square.bind(3).on(&pool).run().expect("there is another"), 9);
    assert_eq!(gate.arrivals().len(), 1, "and it was not tried again");
}

fn cancel_09_a_call_that_waits_is_removed() {
    let (pool, gate, words) = (pool_of(1), Gate::new("gate"), Gate::new("words"));
    let held = meet.bind(gate.clone(), 1).on(&pool).spawn();
    gate.await_arrivals(1);
    let queued: Vec<_> = (0..5).map(|_| leave_word.bind(words.clone(), "ran").on(&pool).spawn()).collect();
    assert!(queued.iter().all(|handle| handle.cancel_within(LONG)));
    assert!(queued.iter().all(JoinHandle::is_finished), "at once, wherever it lay");
    for handle in queued {
        assert!(!fails(handle.join(), ErrorKind::Cancelled).may_have_run());
    }
    gate.open();
    assert_eq!(held.join().expect("the one before it is not touched"), 1);
    square.bind(1).on(&pool).run().expect("whatever was queued has had its turn");
    assert_eq!(words.arrivals(), Vec::<String>::new());
}

fn cancel_09_no_other_call_ever_sees_it() {
    let (pool, mut random) = (pool_of(1), Random::from_environment());
    let (mut seen, mut unseen) = (0, 0);
    for round in 0..300 {
        let asked = looks.bind(random.span(ms(2))).on(&pool).spawn();
        let behind: Vec<_> = (0..4).map(|_| looks.bind(random.span(ms(1)) / 4).on(&pool).spawn()).collect();
        thread::sleep(random.span(ms(2)));
        asked.cancel_within(LONG);
        match asked.join() {
            Ok(true) => seen += 1,
            _ => unseen += 1,
        }
        let others = loky::join_all(behind).expect("no other call is touched");
        assert_eq!(others, [false; 4], "round {round}");
    }
    assert!(seen > 0 && unseen > 0, "both were met: {seen} and {unseen}");
}

/// A death within the grace ends the call, whatever retries it has; and a call that runs in its second try is asked there.
fn cancel_09_it_is_not_tried_again() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let spinning = spin.bind(gate.clone()).on(&pool).retries(5).spawn();
    let worker = gate.await_arrivals(1)[0].parse().expect("a pid");
    assert!(spinning.cancel_within(LONG));
    signal(worker, Signal::SIGKILL);
    assert!(fails(spinning.join(), ErrorKind::Cancelled).may_have_run());
    square.bind(1).on(&pool).run().expect("whatever was queued has had its turn");
    assert_eq!(gate.arrivals().len(), 1);
    let second = Gate::new("second");
    let counting = dies_first.bind(second.clone()).on(&pool).retries(1).spawn();
    second.await_arrivals(2);
    assert!(counting.cancel_within(LONG));
    assert_eq!(counting.join().expect("its second try has a result"), 2);
}

/// Dies in its first attempt; in the second one it waits until it is asked to end.
#[loky::task]
fn dies_first(gate: Gate) -> u32 {
    let attempt = survive_from(2, gate);
    while !loky::is_cancelled() {
        thread::yield_now();
    }
    attempt
}

#[loky::task]
fn looks_in_a_thread(gate: Gate) -> bool {
    let looking = thread::spawn(|| looks(Duration::from_secs(50)));
    gate.arrive("begun");
    looking.join().expect("no panic")
}

fn cancel_09_any_thread_of_the_worker_sees_it() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let looking = looks_in_a_thread.bind(gate.clone()).on(&pool).spawn();
    gate.await_arrivals(1);
    assert!(looking.cancel_within(LONG));
    assert!(looking.join().expect("a result"), "a thread that the task has started sees it");
}

fn cancel_09_a_finished_call_is_not_asked() {
    let pool = pool_of(1);
    let finished = square.bind(3).on(&pool).spawn();
    eventually("it has finished", || finished.is_finished());
    assert!(!finished.cancel_within(ms(0)));
    assert_eq!(finished.join().expect("not touched"), 9);
    pool.shutdown();
    assert!(!square.bind(3).on(&pool).spawn().cancel_within(LONG), "nor is one that came to no pool");
}

fn cancel_09_who_asks_again_can_shorten_the_grace() {
    let (pool, gate) = (pool_of(2), Gate::new("gate"));
    let spinning: Vec<_> = (0..2).map(|_| spin.bind(gate.clone()).on(&pool).spawn()).collect();
    gate.await_arrivals(2);
    assert!(spinning.iter().all(|handle| handle.cancel_within(Duration::MAX)), "a grace without end");
    stays("nobody is killed", ms(100), || spinning.iter().all(|handle| !handle.is_finished()));
    assert!(spinning[0].cancel_within(ms(10)) && spinning[1].cancel());
    for handle in spinning {
        fails(handle.join(), ErrorKind::Cancelled);
    }
}

fn cancel_09_a_race_with_the_end_has_one_winner() {
    let (pool, mut random) = (pool_of(2), Random::from_environment());
    let (mut cancelled, mut finished) = (0, 0);
    for round in 0..300 {
        let handle = works.bind(round, random.span(ms(3))).on(&pool).spawn();
        thread::sleep(random.span(ms(2)));
        handle.cancel_within(random.span(ms(1)));
        match handle.join() {
            Ok(value) => {
                assert_eq!(value, round);
                finished += 1;
            }
            Err(error) => {
                assert!(error.is_cancelled(), "round {round}: {error}");
                cancelled += 1;
            }
        }
        assert_eq!(square.bind(round).on(&pool).run().expect("the pool goes on"), round * round);
    }
    assert!(cancelled > 0 && finished > 0, "both outcomes were met: {cancelled} and {finished}");
}

/// Never asks whether it should end.
#[loky::task]
fn works(value: u64, span: Duration) -> u64 {
    thread::sleep(span);
    value
}

/// Nobody drives the pool then; the end of the grace is noticed all the same.
fn cancel_09_while_nobody_waits() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let spinning = spin.bind(gate.clone()).on(&pool).spawn();
    let worker: u32 = gate.await_arrivals(1)[0].parse().expect("a pid");
    assert!(spinning.cancel_within(ms(50)));
    soon("its worker is dead", ms(5000), || !procfs::is_alive(worker));
    eventually("and the call has ended", || spinning.is_finished());
    drop(spinning);
    loky_tests::tasks::die.bind(Death::Abort).on(&pool).run().expect_err("it dies");
}
