//! Events as they arrive: whole, with the words who has logged them, and in time.

use std::thread;

use loky::prelude::*;
use loky::{ErrorKind, Pool};
use loky_tests::sys::in_a_fork;
use loky_tests::tasks::Death;
use loky_tests::{Case, Gate, cases, eventually, fails, pool_of};
use tracing::Level;

use crate::seen::Seen;

pub(crate) const CASES: &[Case] = cases![
    prog_06_records_arrive_with_level_place_and_labels,
    logs_01_values_keep_their_types,
    logs_02_events_are_seen_before_the_result,
    logs_03_what_a_crashed_worker_said_arrives,
    logs_04_events_are_seen_while_the_call_runs,
    logs_05_threads_of_a_task_are_heard,
    logs_06_workers_of_workers_are_heard,
    logs_07_a_forked_child_is_not_heard,
    logs_08_long_texts_are_cut,
    logs_09_however_much_was_logged_it_is_seen_before_the_result,
];

#[loky::task]
fn say_all(word: &str) -> (u32, u64, u32) {
    tracing::error!(word, "of tracing");
    tracing::warn!(target: "elsewhere", "a target of its own");
    log::info!("of log, {word}");
    let worker = loky::worker().expect("a worker");
    (worker.pid, worker.call.to_string().parse().expect("a number"), line!())
}

fn prog_06_records_arrive_with_level_place_and_labels() {
    let seen = Seen::everywhere(Level::TRACE);
    let pool = pool_of(1);
    let (pid, call, line) = say_all.bind("word").on(&pool).run().expect("a call");
    let events = seen.events();
    let [error, warning, info] = &events[..] else { panic!("{events:?}") };
    assert_eq!([error, warning, info].map(|told| told.level), [Level::ERROR, Level::WARN, Level::INFO]);
    assert_eq!(
        [error, warning, info].map(|told| told.target.as_str()),
        ["logs::records", "elsewhere", "logs::records"]
    );
    assert_eq!(
        [error, warning, info].map(|told| told.message()),
        ["of tracing", "a target of its own", "of log, word"]
    );
    assert_eq!(error.field("word"), "word");
    for (told, before) in [error, warning, info].into_iter().zip([4, 3, 2]) {
        assert!(told.file.as_ref().is_some_and(|file| file.ends_with("logs/records.rs")), "{told:?}");
        assert_eq!(told.line, Some(line - before));
        let labels = ["loky.worker", "loky.pid", "loky.task", "loky.call", "loky.attempt"].map(|name| told.field(name));
        assert_eq!(labels, ["0", &pid.to_string(), "logs::records::say_all", &call.to_string(), "1"]);
    }
    pool.shutdown();
}

#[loky::task]
fn say_values() {
    let why = std::io::Error::other("the cause");
    tracing::info!(
        truth = true,
        small = -7_i64,
        large = u64::MAX,
        huge = u128::MAX,
        real = 0.5,
        text = "a \"word\"",
        shown = ?Some("x"),
        error = &why as &dyn std::error::Error,
    );
}

fn logs_01_values_keep_their_types() {
    let seen = Seen::everywhere(Level::INFO);
    let pool = pool_of(1);
    say_values.bind().on(&pool).run().expect("a call");
    say_values();
    let events = seen.events();
    let [there, here] = &events[..] else { panic!("{events:?}") };
    assert!(here.fields.iter().all(|(name, value)| there.field(name) == value), "{there:?}\n{here:?}");
    assert_eq!(there.fields.len(), here.fields.len() + 5, "and who has said it");
    pool.shutdown();
}

#[loky::task]
fn count(number: u64) -> u64 {
    tracing::info!(number, "begin");
    tracing::info!(number, "end");
    number
}

fn logs_02_events_are_seen_before_the_result() {
    let seen = Seen::everywhere(Level::INFO);
    let pool = pool_of(2);
    for number in 0..100 {
        assert_eq!(count.bind(number).on(&pool).run().expect("a call"), number);
        assert_eq!(seen.events().len() as u64, 2 * (number + 1));
    }
    let handles: Vec<_> = (100..200).map(|number| count.bind(number).on(&pool).spawn()).collect();
    for handle in handles {
        let number = handle.join().expect("a call").to_string();
        assert_eq!(seen.events().iter().filter(|told| told.field("number") == number).count(), 2);
    }
    for (number, result) in (200..500).par_map(count).on(&pool).unordered() {
        let number = (200 + number).to_string();
        assert!(result.is_ok());
        assert_eq!(seen.events().iter().rev().filter(|told| told.field("number") == number).count(), 2);
    }
    for worker in ["0", "1"] {
        let events: Vec<_> = seen.events().into_iter().filter(|told| told.field("loky.worker") == worker).collect();
        let pairs = events.chunks(2).map(|pair| [pair[0].message(), pair[1].message()]);
        assert!(pairs.into_iter().all(|pair| pair == ["begin", "end"]), "in the order in which they were logged");
    }
    pool.shutdown();
}

#[loky::task]
fn say_and_die(words: usize) {
    (0..words).for_each(|number| tracing::warn!(number, "before the end"));
    loky_tests::tasks::die(Death::Abort);
}

fn logs_03_what_a_crashed_worker_said_arrives() {
    let seen = Seen::everywhere(Level::INFO);
    let pool = pool_of(1);
    fails(say_and_die.bind(100).on(&pool).retries(1).run(), ErrorKind::Crash);
    let events = seen.events();
    assert_eq!(events.len(), 200, "all that it had said, in both attempts");
    assert!(events.iter().enumerate().all(|(at, told)| told.field("loky.attempt") == (1 + at / 100).to_string()));
    pool.shutdown();
}

#[loky::task]
fn say_and_wait(gate: Gate) {
    tracing::info!("here I am");
    gate.pass();
}

fn logs_04_events_are_seen_while_the_call_runs() {
    let seen = Seen::everywhere(Level::INFO);
    let pool = pool_of(1);
    let gate = Gate::new("gate");
    // Nobody waits for it.
    let waiting = say_and_wait.bind(gate.clone()).on(&pool).spawn();
    eventually("it is heard", || seen.messages() == ["here I am"]);
    gate.open();
    waiting.join().expect("a call");
    // Somebody waits for it.
    let gate = Gate::new("another");
    let waiting = thread::spawn({
        let (pool, gate) = (pool.clone(), gate.clone());
        move || say_and_wait.bind(gate).on(&pool).run()
    });
    eventually("it is heard", || seen.events().len() == 2);
    gate.open();
    waiting.join().expect("no panic").expect("a call");
    pool.shutdown();
}

#[loky::task]
fn say_in_threads() {
    let say = |number: u64| move || tracing::info!(number, "in a thread");
    let threads: Vec<_> = (0..8).map(|number| thread::spawn(say(number))).collect();
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
}

fn logs_05_threads_of_a_task_are_heard() {
    let seen = Seen::everywhere(Level::INFO);
    let pool = pool_of(1);
    say_in_threads.bind().on(&pool).run().expect("a call");
    let events = seen.events();
    assert!(events.len() == 8 && events.iter().all(|told| told.field("loky.task") == "logs::records::say_in_threads"));
    pool.shutdown();
}

#[loky::task]
fn delegate() -> u32 {
    let pool = pool_of(1);
    tracing::info!("outside");
    let pid = say_inside.bind().on(&pool).run().expect("a call");
    pool.shutdown();
    pid
}

#[loky::task]
fn say_inside() -> u32 {
    tracing::info!("inside");
    std::process::id()
}

fn logs_06_workers_of_workers_are_heard() {
    let seen = Seen::everywhere(Level::INFO);
    let pool = pool_of(1);
    let pid = delegate.bind().on(&pool).run().expect("a call").to_string();
    let events = seen.events();
    assert_eq!(seen.messages(), ["outside", "inside"]);
    assert_eq!((events[1].field("loky.pid"), events[1].field("loky.task")), (&*pid, "logs::records::say_inside"));
    assert_ne!(events[0].field("loky.pid"), pid);
    pool.shutdown();
}

#[loky::task]
fn say_in_a_fork() -> Option<i32> {
    tracing::info!("before");
    let code = in_a_fork(|| {
        tracing::info!("in the child");
        log::info!("in the child");
        7
    });
    tracing::info!("after");
    code
}

fn logs_07_a_forked_child_is_not_heard() {
    let seen = Seen::everywhere(Level::INFO);
    let pool = pool_of(1);
    assert_eq!(say_in_a_fork.bind().on(&pool).run().expect("a call"), Some(7));
    assert_eq!(seen.messages(), ["before", "after"]);
    pool.shutdown();
}

#[loky::task]
fn say_much(len: usize) {
    let text = "ü".repeat(len);
    tracing::info!(text, "{text}");
    tracing::info!(a = text, b = text, c = text, d = text, "more");
    log::info!("{text}");
}

fn logs_08_long_texts_are_cut() {
    let seen = Seen::everywhere(Level::INFO);
    let pool = Pool::builder().workers(1).build().expect("a pool");
    say_much.bind(1 << 20).on(&pool).run().expect("a call");
    let events = seen.events();
    assert_eq!(events.len(), 3);
    assert_eq!([events[0].message(), events[0].field("text"), events[2].message()].map(str::len), [16 << 10; 3]);
    assert_eq!(
        ["a", "b", "c", "d"].map(|name| events[1].field(name).len()).iter().sum::<usize>(),
        (32 << 10) - "more".len()
    );
    pool.shutdown();
}

#[loky::task]
fn say_often(count: u64) {
    (0..count).for_each(|number| tracing::info!(number, "one of many"));
}

fn logs_09_however_much_was_logged_it_is_seen_before_the_result() {
    const EACH: usize = 3000;
    let seen = Seen::everywhere(Level::INFO);
    let pool = pool_of(1);
    for round in 1..=5 {
        let call = say_often.bind(EACH as u64).on(&pool).spawn();
        let id = call.id().to_string();
        call.join().expect("a call");
        let events = seen.events();
        assert_eq!(events.len(), round * EACH);
        assert!(events[(round - 1) * EACH..].iter().all(|told| told.field("loky.call") == id), "each is its call's");
    }
    pool.shutdown();
}
