//! What an error claims: `may_have_run` to the letter, for every kind and at every moment at which it can come.
//!
//! Each task leaves a word when it begins. Where an error promises that it did not run, there must be none.

use std::fs;

use loky::prelude::*;
use loky::{Call, Error, ErrorKind, Pool};
use loky_tests::sys::signal;
use loky_tests::tasks::{Death, arrive_and_die, die, meet, spin, square};
use loky_tests::thorn::{Fault, Moment, Thorn};
use loky_tests::{Case, Gate, cases, eventually, fails, finish, ms, pool_of, scratch, stays};
use nix::sys::signal::Signal;

pub(crate) const CASES: &[Case] = cases![
    claim_of_a_call_that_waits,
    claim_of_a_call_that_lies_ready,
    claim_of_a_call_that_runs,
    claim_of_a_call_between_two_tries,
    claim_of_a_call_that_no_worker_can_be_started_for,
    claim_of_values_that_cannot_travel,
    claim_of_a_call_that_came_to_no_pool,
    claim_of_a_poison_call_names_it,
    claim_of_each_item_of_a_chunk,
];

/// Arrives when it begins, and stays.
#[loky::task]
fn begin(words: Gate) {
    spin(words);
}

/// Holds the claim against what the task itself has left.
#[track_caller]
fn assert_claim(error: &Error, words: &Gate) {
    let has_begun = !words.arrivals().is_empty();
    assert_eq!(error.may_have_run(), has_begun, "{error:?}");
    assert_eq!(error.attempt().is_some(), has_begun, "an attempt is one that may have begun: {error:?}");
}

/// The ways to end a call early, with the kind of its error; the pool is the call's own, so it may be shut down.
type End = (&'static str, ErrorKind, fn(Call<()>) -> Call<()>, fn(&Pool, &loky::JoinHandle<()>));

fn untouched(call: Call<()>) -> Call<()> {
    call
}

const ENDS: [End; 5] = [
    ("cancel", ErrorKind::Cancelled, untouched, |_, handle| assert!(handle.cancel())),
    ("ask", ErrorKind::Cancelled, untouched, |_, handle| assert!(handle.cancel_within(ms(1)))),
    ("deadline", ErrorKind::Timeout, |call| call.deadline(ms(2000)), |_, _| ()),
    ("forced", ErrorKind::Shutdown, untouched, |pool, _| pool.shutdown_now()),
    ("limit", ErrorKind::Shutdown, untouched, |pool, _| assert!(!pool.shutdown_timeout(ms(20)))),
];

fn claim_of_a_call_that_waits() {
    for (name, kind, limit, end) in ENDS {
        let (pool, gate, words) = (pool_of(1), Gate::new(&format!("{name} gate")), Gate::new(name));
        let held = [(), ()].map(|()| meet.bind(gate.clone(), 1).on(&pool).priority(1).spawn());
        gate.await_arrivals(1);
        let waiting = limit(begin.bind(words.clone()).on(&pool)).spawn();
        end(&pool, &waiting);
        assert_claim(&fails(waiting.join(), kind), &words);
        assert_eq!(words.arrivals().len(), 0, "{name}");
        gate.open();
        held.into_iter().for_each(drop);
    }
    let (pool, gate, words) = (pool_of(1), Gate::new("queue gate"), Gate::new("queue"));
    let held = meet.bind(gate.clone(), 1).on(&pool).spawn();
    gate.await_arrivals(1);
    assert_claim(
        &fails(begin.bind(words.clone()).on(&pool).queue_timeout(ms(50)).run(), ErrorKind::QueueTimeout),
        &words,
    );
    gate.open();
    held.join().expect("held");
}

fn claim_of_a_call_that_lies_ready() {
    for (name, kind, limit, end) in ENDS {
        let (pool, gate, words) = (pool_of(1), Gate::new(&format!("{name} gate")), Gate::new(name));
        assert_eq!((0..500).par_map(square).on(&pool).chunk_size(1).unwrap_all().len(), 500);
        let held = meet.bind(gate.clone(), 1).on(&pool).spawn();
        let ready = limit(begin.bind(words.clone()).on(&pool)).spawn();
        gate.await_arrivals(1);
        end(&pool, &ready);
        assert_claim(&fails(ready.join(), kind), &words);
        assert_eq!(words.arrivals().len(), 0, "{name}");
        gate.open();
        drop(held);
    }
}

fn claim_of_a_call_that_runs() {
    for (name, kind, limit, end) in ENDS {
        let (pool, words) = (pool_of(1), Gate::new(name));
        pool.warm_up();
        let running = limit(begin.bind(words.clone()).on(&pool)).spawn();
        words.await_arrivals(1);
        end(&pool, &running);
        let error = fails(running.join(), kind);
        assert_claim(&error, &words);
        assert_eq!((error.attempt(), error.pid().map(|pid| pid.to_string())), (Some(1), words.arrivals().pop()));
    }
    let (pool, words) = (pool_of(1), Gate::new("run"));
    let error = fails(begin.bind(words.clone()).on(&pool).timeout(ms(200)).run(), ErrorKind::Timeout);
    // On a machine that stalls it may be ended before it has left its word.
    assert!(error.may_have_run() && error.attempt() == Some(1) && words.arrivals().len() <= 1, "{error:?}");
    let words = Gate::new("killed");
    let running = begin.bind(words.clone()).on(&pool).spawn();
    signal(words.await_arrivals(1)[0].parse().expect("a pid"), Signal::SIGKILL);
    assert_claim(&fails(running.join(), ErrorKind::Crash), &words);
    let words = Gate::new("panic");
    assert_claim(&fails(arrive_and_panic.bind(words.clone()).on(&pool).run(), ErrorKind::Panic), &words);
}

#[loky::task]
fn arrive_and_panic(words: Gate) {
    words.arrive("begun");
    panic!("as the case wants it");
}

/// It has begun once, its worker is dead, and it waits for its next try behind a call that is more urgent.
fn claim_of_a_call_between_two_tries() {
    for (name, kind, limit, end) in ENDS {
        let (pool, gate, words) = (pool_of(1), Gate::new(&format!("{name} gate")), Gate::new(name));
        pool.warm_up();
        let tried = limit(begin.bind(words.clone()).on(&pool).retries(3)).spawn();
        let worker = words.await_arrivals(1)[0].parse().expect("a pid");
        let urgent = meet.bind(gate.clone(), 1).on(&pool).priority(9).spawn();
        signal(worker, Signal::SIGKILL);
        gate.await_arrivals(1);
        end(&pool, &tried);
        let error = fails(tried.join(), kind);
        assert_claim(&error, &words);
        assert_eq!((error.attempt(), words.arrivals().len()), (Some(1), 1), "{name}: the one that it has had");
        gate.open();
        drop(urgent);
    }
    let (pool, gate, words) = (pool_of(1), Gate::new("queue gate"), Gate::new("queue"));
    pool.warm_up();
    let tried = meet.bind(words.clone(), 2).on(&pool).retries(1).queue_timeout(ms(1000)).spawn();
    let worker = words.await_arrivals(1)[0].parse().expect("a pid");
    let urgent = meet.bind(gate.clone(), 1).on(&pool).priority(9).spawn();
    signal(worker, Signal::SIGKILL);
    gate.await_arrivals(1);
    stays("who has begun once has left the queue for good", ms(1200), || !tried.is_finished());
    gate.open();
    words.open();
    assert_eq!(tried.join().expect("its second try"), 2);
    urgent.join().expect("urgent");
}

/// Takes the directory away in which the next worker would start, and dies.
#[loky::task]
fn saw_off(place: std::path::PathBuf, words: Gate) {
    words.arrive("begun");
    fs::remove_dir(place).expect("it is empty");
    die(Death::Abort);
}

fn claim_of_a_call_that_no_worker_can_be_started_for() {
    let place = scratch().join("place");
    fs::create_dir(&place).expect("room");
    let pool = Pool::builder().workers(1).current_dir(&place).build().expect("a pool");
    let (words, never) = (Gate::new("words"), Gate::new("never"));
    let begun = saw_off.bind(place, words.clone()).on(&pool).retries(1).spawn();
    let behind = begin.bind(never.clone()).on(&pool).spawn();
    assert_claim(&fails(begun.join(), ErrorKind::Launch), &words);
    assert_claim(&fails(behind.join(), ErrorKind::Launch), &never);
    assert_eq!((words.arrivals().len(), never.arrivals().len()), (1, 0));
}

#[loky::task]
fn take(words: Gate, _thorn: Thorn) {
    words.arrive("begun");
}

fn claim_of_values_that_cannot_travel() {
    let pool = pool_of(1);
    for fault in [Fault::Error, Fault::Panic] {
        for (moment, kind) in [(Moment::Encode, ErrorKind::Encode), (Moment::Decode, ErrorKind::Decode)] {
            let words = Gate::new(&format!("argument {moment:?} {fault:?}"));
            let call = take.bind(words.clone(), Thorn::new(moment, fault)).on(&pool);
            let error = fails(call.run(), kind);
            assert!(!error.may_have_run() && words.arrivals().is_empty(), "{error:?}");
            let words = Gate::new(&format!("result {moment:?} {fault:?}"));
            let error = fails(give.bind(words.clone(), moment, fault).on(&pool).run(), kind);
            assert!(error.may_have_run() && words.arrivals().len() == 1, "{error:?}");
        }
    }
}

#[loky::task]
fn give(words: Gate, moment: Moment, fault: Fault) -> Thorn {
    words.arrive("begun");
    Thorn::new(moment, fault)
}

fn claim_of_a_call_that_came_to_no_pool() {
    let (pool, words) = (pool_of(1), Gate::new("words"));
    pool.shutdown();
    assert_claim(&fails(begin.bind(words.clone()).on(&pool).run(), ErrorKind::Shutdown), &words);
    assert_claim(
        &fails(begin.bind(words.clone()).on(&pool).try_spawn().expect("no room").join(), ErrorKind::Shutdown),
        &words,
    );
    let deep = too_deep.bind(words.clone(), 9).run().expect("the first level");
    assert_eq!(deep, Some(("Depth".to_owned(), false)));
    assert!(words.arrivals().is_empty());
    finish();
}

/// Goes down so many levels more, and begins the task one level too deep.
#[loky::task]
fn too_deep(words: Gate, levels: u32) -> Option<(String, bool)> {
    match levels {
        0 => begin.run(words).err().map(|error| (format!("{:?}", error.kind()), error.may_have_run())),
        _ => too_deep.run(words, levels - 1).expect("not yet too deep"),
    }
}

fn claim_of_a_poison_call_names_it() {
    for retries in [0, 1, 4] {
        let (pool, words) = (pool_of(2), Gate::new(&format!("words {retries}")));
        let handle = arrive_and_die.bind(words.clone(), Death::NullWrite).on(&pool).retries(retries).spawn();
        let error = fails(handle.join(), ErrorKind::Crash);
        assert_claim(&error, &words);
        assert_eq!(words.arrivals().len(), retries as usize + 1, "so often it was tried, and no more");
        assert_eq!(error.attempt(), Some(retries + 1));
        assert!(error.task().is_some_and(|task| task.ends_with("arrive_and_die")), "{error:?}");
        let told = format!("attempt {0} of {0}", retries + 1);
        assert!(error.to_string().contains(&told) && error.to_string().contains("arrive_and_die"), "{error}");
        eventually("the pool heals", || square.bind(2).on(&pool).run().is_ok());
    }
}

#[loky::task]
fn die_at(words: Gate, number: u32, deadly: u32) -> u32 {
    words.arrive(&number.to_string());
    if number == deadly {
        die(Death::Abort);
    }
    number
}

fn claim_of_each_item_of_a_chunk() {
    let (pool, words) = (pool_of(1), Gate::new("words"));
    let items = (0..6).map(|number| (words.clone(), number, 3));
    let results: Vec<_> = items.par_map(die_at).on(&pool).chunk_size(6).collect();
    for (number, result) in results.into_iter().enumerate() {
        match number {
            3 => assert!(fails(result, ErrorKind::Crash).may_have_run()),
            _ => assert_eq!(result.expect("not touched"), number as u32),
        }
    }
    assert_eq!(words.arrivals(), ["0", "1", "2", "3", "4", "5"], "each has begun once");
}
