//! Tasks that log more than anybody takes in, and subscribers that do not bear it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use loky::ErrorKind;
use loky::prelude::*;
use loky_tests::tasks::add;
use loky_tests::{Case, Gate, cases, eventually, fails, ms, pool_of};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::prelude::*;

use crate::seen::Seen;

pub(crate) const CASES: &[Case] = cases![
    logs_41_a_flood_arrives_or_is_counted: 120,
    logs_42_who_logs_without_end_can_be_ended,
    logs_43_a_subscriber_that_panics_costs_nothing_else,
    logs_44_a_subscriber_that_is_stuck_keeps_no_result,
    logs_45_too_many_places_are_told_as_one,
];

#[loky::task]
fn say_often(count: u64) {
    (0..count).for_each(|number| tracing::info!(number, "one of many"));
}

fn logs_41_a_flood_arrives_or_is_counted() {
    const EACH: u64 = 100_000;
    let seen = Seen::everywhere(Level::INFO);
    let pool = pool_of(2);
    let calls = [0, 1].map(|_| say_often.bind(EACH).on(&pool).spawn());
    calls.into_iter().for_each(|call| call.join().expect("a call"));
    let lost = |word: String| word.split(' ').next().expect("a word").parse::<u64>().expect("a number");
    let lost: u64 = seen.own_words().into_iter().map(lost).sum();
    assert_eq!(seen.events().len() as u64 + lost, 2 * EACH, "{:?}", seen.own_words());
    pool.shutdown();
}

#[loky::task]
fn say_without_end(gate: Gate) {
    gate.arrive("it");
    loop {
        tracing::info!("without end");
    }
}

/// Takes its time, and keeps nothing.
struct Slow;

impl<S: Subscriber> Layer<S> for Slow {
    fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
        thread::sleep(ms(1) / 10);
    }
}

fn logs_42_who_logs_without_end_can_be_ended() {
    tracing_subscriber::registry().with(Slow).init();
    let (pool, gate) = (pool_of(2), Gate::new("gate"));
    let endless = say_without_end.bind(gate.clone()).on(&pool).spawn();
    gate.await_arrivals(1);
    for number in 0..20 {
        assert_eq!(add.bind(number, 1).on(&pool).run().expect("the other worker serves"), number + 1);
    }
    assert!(endless.cancel());
    fails(endless.join(), ErrorKind::Cancelled);
    fails(say_without_end.bind(gate).on(&pool).timeout(ms(300)).run(), ErrorKind::Timeout);
    assert_eq!(add.bind(1, 1).on(&pool).run().expect("a call"), 2);
    pool.shutdown();
}

struct Fragile;

impl<S: Subscriber> Layer<S> for Fragile {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        assert!(event.metadata().target() == "loky", "a subscriber that this test makes");
    }
}

fn logs_43_a_subscriber_that_panics_costs_nothing_else() {
    let seen = Seen::default();
    tracing_subscriber::registry().with(seen.clone()).with(Fragile).init();
    let pool = pool_of(1);
    say_often.bind(10).on(&pool).run().expect("a call");
    assert_eq!(add.bind(1, 1).on(&pool).run().expect("a call"), 2);
    assert_eq!(seen.spans("call").iter().filter(|span| span.is_closed).count(), 2);
    pool.shutdown();
}

static IS_STUCK: AtomicBool = AtomicBool::new(false);
static MAY_GO_ON: AtomicBool = AtomicBool::new(false);

struct Stuck;

impl<S: Subscriber> Layer<S> for Stuck {
    fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
        IS_STUCK.store(true, Ordering::Relaxed);
        while !MAY_GO_ON.load(Ordering::Relaxed) {
            thread::sleep(ms(1));
        }
    }
}

fn logs_44_a_subscriber_that_is_stuck_keeps_no_result() {
    tracing_subscriber::registry().with(Stuck).init();
    let pool = pool_of(2);
    pool.warm_up();
    thread::scope(|scope| {
        scope.spawn(|| say_often.bind(1).on(&pool).run().expect("a call"));
        eventually("it is stuck", || IS_STUCK.load(Ordering::Relaxed));
        for number in 0..5 {
            assert_eq!(add.bind(number, 1).on(&pool).run().expect("a call"), number + 1);
        }
        MAY_GO_ON.store(true, Ordering::Relaxed);
    });
    pool.shutdown();
}

#[loky::task]
fn say_in_many_places(count: usize) {
    for number in 0..count {
        log::info!(target: &format!("place {number}"), "{number}");
    }
    tracing::info!(answer = 42, "and in one more");
}

fn logs_45_too_many_places_are_told_as_one() {
    const MANY: usize = 5000;
    let seen = Seen::everywhere(Level::INFO);
    let pool = pool_of(1);
    // A worker tells 2048 places apart that a program makes up, and this program 4096 of all its workers together.
    say_in_many_places.bind(MANY).on(&pool).run().expect("a call");
    pool.shutdown();
    let pool = pool_of(1);
    say_in_many_places.bind(MANY).on(&pool).run().expect("a call");
    let events = seen.events();
    assert_eq!(events.len(), 2 * (MANY + 1));
    for (at, told) in events.iter().enumerate().filter(|(at, _)| at % (MANY + 1) < MANY) {
        let number = (at % (MANY + 1)).to_string();
        assert_eq!((told.message(), told.field("loky.attempt")), (&*number, "1"));
        let target = told.fields.get("log.target").or(told.fields.get("loky.target")).unwrap_or(&told.target);
        assert_eq!(*target, format!("place {number}"));
    }
    pool.shutdown();
}
