//! Initializers that fail, each in its own way, and what those are told who wait for a worker.

use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use loky::prelude::*;
use loky::{Call, Error, ErrorKind, Pool};
use loky_tests::tasks::{Death, add, die, meet, sleep_for, spin, square};
use loky_tests::thorn::{Fault, Moment, Thorn};
use loky_tests::{Case, Gate, Program, cases, eventually, fails, ms, procfs, program, programs, soon, stays};
use nix::sys::signal::Signal;

pub(crate) const CASES: &[Case] = cases![
    init_02_all_who_wait_are_told_and_later_calls_too,
    init_04_each_way_to_fail_has_its_own_error,
    init_04_only_those_who_wait_are_told,
    init_05_it_is_not_tried_for_ever,
    init_05_and_the_pool_heals,
    init_12_the_program_goes_on_and_nothing_is_left,
    init_19_after_one_that_fails_none_runs,
    init_20_one_that_never_returns_ends_with_the_pool,
    init_21_a_call_that_had_run_is_told_so,
    init_27_the_last_reason_is_told,
    init_28_the_last_words_before_an_answer_are_told,
    timeout_07_limits_on_initializers,
];

pub(crate) const PROGRAMS: &[Program] = programs![has_an_initializer_that_fails];

#[loky::task]
fn fail_after(span: Duration, gate: Gate) -> Result<(), String> {
    gate.arrive("here");
    thread::sleep(span);
    Err("the database\nis down".to_string())
}

fn failing(error: Result<impl std::fmt::Debug, Error>) -> Error {
    let error = fails(error, ErrorKind::Initializer);
    assert!(!error.may_have_run() && error.pid().is_some_and(|pid| pid != process::id()), "{error:?}");
    error
}

fn init_02_all_who_wait_are_told_and_later_calls_too() {
    let gate = Gate::new("gate");
    let pool = Pool::builder().workers(2).initializer(fail_after.bind(ms(100), gate)).build().expect("a pool");
    let waiting: Vec<_> = (0..6).map(|x| square.bind(x).on(&pool).spawn()).collect();
    for handle in waiting {
        let error = failing(handle.join());
        let text = error.to_string();
        assert!(text.contains("fail_after") && text.contains(r"returned an error: the database\nis down"), "{text}");
        assert!(error.task().is_some_and(|task| task.ends_with("square")), "the call's own task: {error:?}");
    }
    failing(square.bind(1).on(&pool).run());
    assert!((0..3_u64).par_map(square).on(&pool).all(|result| result.is_err_and(|e| !e.may_have_run())));
    pool.shutdown();
}

#[loky::task]
fn panic_at_start() {
    eprintln!("it looks for a licence");
    panic!("no licence");
}

#[loky::task]
fn last_words_and_death(death: Death) {
    eprintln!("the library says goodbye");
    die(death);
}

#[loky::task]
fn be_stung(_thorn: Thorn) {}

#[loky::task]
fn fail_with_a_thorn(fault: Fault) -> Result<(), Prickly> {
    Err(Prickly(fault))
}

/// An error that misbehaves when it is shown.
#[derive(serde::Serialize, serde::Deserialize)]
struct Prickly(Fault);

impl std::fmt::Display for Prickly {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("an error like {:?}", self.0)
    }
}

fn of<I: loky::InitializerResult>(call: Call<I>) -> Error {
    let pool = Pool::builder().workers(1).initializer(call).build().expect("a pool");
    let error = failing(add.bind(1, 2).on(&pool).run());
    pool.shutdown();
    error
}

fn init_04_each_way_to_fail_has_its_own_error() {
    let says = |error: &Error, words: &str| assert!(error.to_string().contains(words), "{words}: {error}");
    let returned = of(fail_after.bind(ms(0), Gate::new("gate")));
    says(&returned, "it returned an error: ");
    let panicked = of(panic_at_start.bind());
    says(&panicked, "panicked at ");
    assert_eq!(panicked.panic_message(), Some("no licence"));
    assert_eq!(panicked.stderr_tail().map(str::trim_end), Some("it looks for a licence"));
    assert!(panicked.panic_location().is_some_and(|place| place.contains("initializer_faults.rs:")), "{panicked:?}");
    let exited = of(last_words_and_death.bind(Death::Exit(3)));
    says(&exited, "the worker exited with code 3 while running it");
    assert_eq!((exited.exit_code(), exited.signal()), (Some(3), None));
    assert_eq!(exited.stderr_tail().map(str::trim_end), Some("the library says goodbye"));
    says(&of(last_words_and_death.bind(Death::Exit(0))), "the worker exited with code 0 while running it");
    for signal in [Signal::SIGKILL, Signal::SIGTERM] {
        let killed = of(last_words_and_death.bind(Death::Signal(signal as i32)));
        says(&killed, &format!("the worker was killed by {signal} while running it"));
        assert_eq!((killed.exit_code(), killed.signal()), (None, Some(signal as i32)));
    }
    let late = of(speak_and_rest.bind(Duration::from_secs(3600)).timeout(ms(1500)));
    assert_eq!(late.stderr_tail().map(str::trim_end), Some("good night"));
    says(&late, "it ran longer than its limit of 1.5s");
    let undecodable = of(be_stung.bind(Thorn { moment: Moment::Decode, fault: Fault::Error }));
    says(&undecodable, "its arguments cannot be decoded there");
    says(&of(fail_with_a_thorn.bind(Fault::Error)), "it returned an error: it panicked: an error like Error");
}

fn init_04_only_those_who_wait_are_told() {
    let (gate, tries) = (Gate::new("gate"), Gate::new("tries"));
    let builder = Pool::builder().workers(2).initializer(succeed_at_first.bind(tries.clone()));
    let pool = builder.build().expect("a pool");
    let held = meet.bind(gate.clone(), 5).on(&pool).spawn();
    gate.await_arrivals(1);
    let next = square.bind(3).on(&pool).spawn();
    tries.await_arrivals(4);
    stays("there is a worker that will serve it", ms(200), || !next.is_finished());
    gate.open();
    assert_eq!((held.join().expect("held"), next.join().expect("served by the one that works")), (5, 9));
}

#[loky::task]
fn succeed_at_first(tries: Gate) -> Result<(), String> {
    tries.arrive("try");
    if tries.arrivals().len() == 1 { Ok(()) } else { Err("only one may".to_string()) }
}

fn init_05_it_is_not_tried_for_ever() {
    let gate = Gate::new("gate");
    let pool = Pool::builder().workers(1).initializer(fail_after.bind(ms(0), gate.clone())).build().expect("a pool");
    pool.warm_up();
    assert_eq!(gate.arrivals().len(), 3, "a warm-up gives up, too");
    eventually("the last of them is gone", || procfs::workers().is_empty());
    stays("nobody tries again without a call", ms(1500), || gate.arrivals().len() == 3 && procfs::workers().is_empty());
    let calls: Vec<_> = (0..50).map(|x| square.bind(x).on(&pool).spawn()).collect();
    calls.into_iter().for_each(|call| drop(failing(call.join())));
    let tries = gate.arrivals().len();
    assert!((4..=6).contains(&tries), "three for all fifty: {tries}");
    assert_eq!(pool.stats().launches, tries as u64);
}

fn init_05_and_the_pool_heals() {
    let tries = Gate::new("tries");
    let pool = Pool::builder().workers(1).initializer(succeed_when_open.bind(tries.clone())).build().expect("a pool");
    failing(square.bind(1).on(&pool).run());
    std::fs::write(loky_tests::scratch().join("works"), "").expect("the scratch folder is ours");
    eventually("after a while it is tried again", || square.bind(2).on(&pool).run().is_ok_and(|four| four == 4));
}

#[loky::task]
fn succeed_when_open(tries: Gate) -> Result<(), String> {
    tries.arrive("try");
    loky_tests::scratch().join("works").exists().then_some(()).ok_or_else(|| "not yet".to_string())
}

fn has_an_initializer_that_fails() {
    for round in 0..3 {
        let builder = Pool::builder().workers(2).initializer(panic_at_start.bind());
        let error = builder.build().expect("a pool").run_one();
        failing(error);
        assert!(round < 3);
    }
}

/// A pool that runs a single call.
trait RunOne {
    fn run_one(&self) -> Result<u64, Error>;
}

impl RunOne for Pool {
    fn run_one(&self) -> Result<u64, Error> {
        square.bind(2).on(self).run()
    }
}

fn init_12_the_program_goes_on_and_nothing_is_left() {
    let status = program("has_an_initializer_that_fails").status().expect("it can be started");
    assert!(status.success(), "{status}");
    let before = (procfs::threads().len(), procfs::descriptors());
    let pool = Pool::builder().workers(2).initializer(panic_at_start.bind()).build().expect("a pool");
    failing(pool.run_one());
    pool.shutdown();
    assert_eq!((procfs::threads().len(), procfs::descriptors()), before);
    assert_eq!(procfs::children(process::id()), []);
}

fn init_19_after_one_that_fails_none_runs() {
    let (first, second) = (Gate::new("first"), Gate::new("second"));
    let builder = Pool::builder().workers(1).initializer(fail_after.bind(ms(0), first.clone()));
    let pool = builder.initializer(fail_after.bind(ms(0), second.clone())).build().expect("a pool");
    failing(add.bind(1, 2).on(&pool).run());
    pool.shutdown();
    assert_eq!((first.arrivals().len(), second.arrivals().len()), (3, 0));
}

fn init_20_one_that_never_returns_ends_with_the_pool() {
    for (name, is_forced) in [("forced", true), ("graceful", false)] {
        let gate = Gate::new(name);
        let pool = Pool::builder().workers(1).initializer(spin.bind(gate.clone())).build().expect("a pool");
        let waiting = is_forced.then(|| square.bind(1).on(&pool).spawn());
        let warming = thread::spawn({
            let pool = pool.clone();
            move || pool.warm_up()
        });
        gate.await_arrivals(1);
        stays("it takes all the time that it likes", ms(100), || !warming.is_finished());
        let before = Instant::now();
        if is_forced {
            pool.shutdown_now()
        } else {
            pool.shutdown()
        }
        assert!(before.elapsed() < ms(3000), "{:?}", before.elapsed());
        waiting.into_iter().for_each(|call| assert!(!fails(call.join(), ErrorKind::Shutdown).may_have_run()));
        soon("the warm-up is over", ms(2000), || warming.is_finished());
        warming.join().expect("no panic");
        assert_eq!(procfs::children(process::id()), []);
    }
}

fn init_21_a_call_that_had_run_is_told_so() {
    let tries = Gate::new("tries");
    let pool = Pool::builder().workers(1).initializer(succeed_at_first.bind(tries)).build().expect("a pool");
    let error = fails(die.bind(Death::Abort).on(&pool).retries(1).run(), ErrorKind::Initializer);
    assert!(error.may_have_run(), "its first attempt has: {error:?}");
}

#[loky::task(timeout = "40ms")]
fn sleep_briefly(span: Duration) {
    thread::sleep(span);
}

#[loky::task]
fn speak_and_rest(span: Duration) {
    eprintln!("good night");
    thread::sleep(span);
}

fn init_27_the_last_reason_is_told() {
    let launches = AtomicU32::new(0);
    let fails_later = move |_: usize| match launches.fetch_add(1, Ordering::Relaxed) {
        0 => Vec::new(),
        _ => panic!("no more of them"),
    };
    let builder = Pool::builder().workers(1).env_per_worker(fails_later).initializer(panic_at_start.bind());
    let error = fails(square.bind(2).on(&builder.build().expect("a pool")).run(), ErrorKind::Launch);
    assert!(error.to_string().contains("`env_per_worker` panicked"), "{error}");
}

/// An argument that talks while it is decoded, and then cannot be.
#[derive(serde::Serialize)]
struct Talkative;

impl<'de> serde::Deserialize<'de> for Talkative {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        eprintln!("{}the last word", "something\n".repeat(3000));
        Err(serde::de::Error::custom("it was too long"))
    }
}

#[loky::task]
fn listen(_talkative: Talkative) {}

/// What it writes and what it answers come on two ways; many tries, since either may be the faster one.
fn init_28_the_last_words_before_an_answer_are_told() {
    for _ in 0..20 {
        let tail = of(listen.bind(Talkative)).stderr_tail().map(str::to_owned).unwrap_or_default();
        assert!(tail.ends_with("the last word\n"), "{tail:?}");
    }
}

#[loky::task]
fn rest(span: Duration) {
    thread::sleep(span);
}

fn timeout_07_limits_on_initializers() {
    let waits = |pool: Pool, limit: &str| {
        let text = failing(sleep_for.bind(ms(0)).on(&pool).run()).to_string();
        assert!(text.contains(&format!("ran longer than its limit of {limit}")), "{text}");
        assert!((0..3_u64).par_map(square).on(&pool).all(|result| result.is_err()));
    };
    let hour = Duration::from_secs(3600);
    waits(Pool::builder().workers(1).initializer(rest.bind(hour).timeout(ms(10))).build().expect("a pool"), "10ms");
    waits(Pool::builder().workers(1).initializer(sleep_briefly.bind(hour)).build().expect("a pool"), "40ms");
    let of_the_pool = Pool::builder().workers(1).timeout(ms(30)).initializer(rest.bind(hour));
    waits(of_the_pool.build().expect("a pool"), "30ms");
    let second = Pool::builder().workers(1).initializer(rest.bind(ms(0))).initializer(rest.bind(hour).timeout(ms(20)));
    waits(second.build().expect("a pool"), "20ms");
    for limit in [Duration::from_secs(100), Duration::MAX] {
        let call = sleep_briefly.bind(ms(80)).timeout(limit);
        let pool = Pool::builder().workers(1).timeout(ms(20_000)).initializer(call).build().expect("a pool");
        assert_eq!(square.bind(3).on(&pool).run().expect("in time"), 9);
        assert_eq!((0..3_u64).par_map(square).on(&pool).unwrap_all(), [0, 1, 4]);
    }
}
