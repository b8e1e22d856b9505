//! Cancelling in every state, and that the right worker pays for it.

use std::thread;

use loky::prelude::*;
use loky::{CallStatus, ErrorKind};
use loky_tests::tasks::{Blob, bytes, echo, leave_word, meet, pid, sleep_for, spin, square, start_children};
use loky_tests::{Case, Gate, Random, cases, eventually, fails, ms, pool_of, procfs, soon};

pub(crate) const CASES: &[Case] = cases![
    cancel_01_a_queued_call_never_runs,
    cancel_02_a_running_call_is_killed,
    cancel_03_its_worker_is_replaced,
    cancel_04_a_race_with_the_end_has_one_winner: 120,
    cancel_05_the_next_call_is_never_hit: 120,
    cancel_07_only_cancelled_calls_are_left_at_shutdown,
    cancel_10_the_children_of_the_call_die_too,
    cancel_11_large_arguments_and_results_in_transfer,
    cancel_13_finished_false_and_twice_true,
];

fn cancel_01_a_queued_call_never_runs() {
    let (pool, gate, words) = (pool_of(1), Gate::new("gate"), Gate::new("words"));
    let held = meet.bind(gate.clone(), 1).on(&pool).spawn();
    let queued = leave_word.bind(words.clone(), "ran").on(&pool).spawn();
    let next = leave_word.bind(words.clone(), "next").on(&pool).spawn();
    gate.await_arrivals(1);
    assert!(queued.cancel());
    assert_eq!(queued.status(), CallStatus::Finished);
    gate.open();
    next.join().expect("the next one runs");
    held.join().expect("the running one is not touched");
    assert_eq!(words.arrivals(), ["next"]);
    let error = fails(queued.join(), ErrorKind::Cancelled);
    assert!(!error.may_have_run() && error.attempt().is_none());
}

fn cancel_02_a_running_call_is_killed() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let running = spin.bind(gate.clone()).on(&pool).spawn();
    let worker: u32 = gate.await_arrivals(1)[0].parse().expect("a pid");
    eventually("it runs", || running.status() == CallStatus::Running);
    assert!(running.cancel());
    let error = fails(running.join(), ErrorKind::Cancelled);
    assert!(error.is_cancelled() && error.may_have_run());
    soon("its worker is dead", ms(1000), || !procfs::is_alive(worker));
}

fn cancel_03_its_worker_is_replaced() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let before = pid.bind().on(&pool).run().expect("the first worker");
    let running = spin.bind(gate.clone()).on(&pool).spawn();
    let queued = pid.bind().on(&pool).spawn();
    gate.await_arrivals(1);
    running.cancel();
    assert_ne!(queued.join().expect("the queue goes on"), before);
}

fn cancel_04_a_race_with_the_end_has_one_winner() {
    let (pool, mut random) = (pool_of(2), Random::from_environment());
    let (mut cancelled, mut finished) = (0, 0);
    for round in 0..500 {
        let handle = square.bind(round).on(&pool).spawn();
        // Close to how long a call takes at first, and longer later, where a busy machine makes that long.
        thread::sleep(random.span(ms(2 + round / 10)) / 10);
        let is_cancelled = handle.cancel();
        match handle.join() {
            Ok(value) => {
                assert!(!is_cancelled && value == round * round, "round {round}: {value}");
                finished += 1;
            }
            Err(error) => {
                assert!(is_cancelled && error.is_cancelled(), "round {round}: {error}");
                cancelled += 1;
            }
        }
    }
    assert!(cancelled > 0 && finished > 0, "both outcomes were met: {cancelled} and {finished}");
}

fn cancel_05_the_next_call_is_never_hit() {
    let (pool, mut random) = (pool_of(1), Random::from_environment());
    for round in 0..200 {
        let doomed = sleep_for.bind(random.span(ms(1))).on(&pool).spawn();
        let next = square.bind(round).on(&pool).spawn();
        thread::sleep(random.span(ms(2)));
        doomed.cancel();
        assert_eq!(next.join().expect("the kill must not hit the next call"), round * round, "round {round}");
    }
}

fn cancel_07_only_cancelled_calls_are_left_at_shutdown() {
    let shut = Gate::new("shut");
    for _ in 0..20 {
        let pool = pool_of(2);
        let handles: Vec<_> = (0..5).map(|x| meet.bind(shut.clone(), x).on(&pool).spawn()).collect();
        assert!(handles.iter().all(|handle| handle.cancel()));
        pool.shutdown();
        for handle in handles {
            fails(handle.join(), ErrorKind::Cancelled);
        }
    }
}

fn cancel_10_the_children_of_the_call_die_too() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let call = start_children.bind(gate.clone(), "sleep 4001 & (sleep 4002 &) & setsid sleep 4003 &");
    let running = call.on(&pool).spawn();
    gate.await_arrivals(1);
    eventually("its children run", || {
        procfs::below(std::process::id()).iter().filter(|p| p.name == "sleep").count() == 3
    });
    assert!(running.cancel());
    soon("its children are gone", ms(1000), || !procfs::all().iter().any(is_one_of_ours));
}

fn is_one_of_ours(process: &procfs::Process) -> bool {
    ["sleep\x004001", "sleep\x004002", "sleep\x004003"].iter().any(|line| process.command_line().starts_with(line))
}

fn cancel_11_large_arguments_and_results_in_transfer() {
    let (pool, mut random) = (pool_of(1), Random::from_environment());
    let large = Blob(vec![7; 50 << 20]);
    for round in 0..10 {
        let doomed = match round % 2 {
            0 => echo.bind(large.clone()).on(&pool).spawn(),
            _ => bytes.bind(50 << 20).on(&pool).spawn(),
        };
        thread::sleep(random.span(ms(40)));
        doomed.cancel();
        assert_eq!(square.bind(round).on(&pool).run().expect("the link is whole, or new"), round * round);
    }
}

fn cancel_13_finished_false_and_twice_true() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let finished = square.bind(2).on(&pool).spawn();
    assert!(finished.wait_timeout(ms(20_000)));
    assert!(!finished.cancel());
    assert_eq!(finished.join().expect("not touched"), 4);
    let held = meet.bind(gate.clone(), 0).on(&pool).spawn();
    let queued = square.bind(3).on(&pool).spawn();
    assert!(queued.cancel());
    assert!(!queued.cancel(), "it is finished: it was cancelled");
    gate.open();
    held.join().expect("not touched");
    fails(queued.join(), ErrorKind::Cancelled);
}
