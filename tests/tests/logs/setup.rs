//! Initializers, finalizers, and subscribers that a worker has of its own.

use std::sync::atomic::{AtomicU32, Ordering};

use loky::prelude::*;
use loky::{Output, Pool};
use loky_tests::{Case, cases};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::prelude::*;

use crate::seen::Seen;

pub(crate) const CASES: &[Case] = cases![
    logs_51_initializers_are_heard,
    logs_52_an_initializer_may_set_a_subscriber_and_a_logger,
    logs_53_a_zygote_s_workers_are_heard,
];

#[loky::task]
fn prepare() {
    tracing::info!("prepared");
}

#[loky::task]
fn clear_up() {
    tracing::info!("cleared up");
}

#[loky::task]
fn say() {
    tracing::info!("said");
    log::info!("logged");
}

fn logs_51_initializers_are_heard() {
    let seen = Seen::everywhere(Level::INFO);
    let pool = Pool::builder()
        .workers(1)
        .initializer(prepare.bind())
        .finalizer(clear_up.bind(), |_| ())
        .build()
        .expect("a pool");
    say.bind().on(&pool).run().expect("a call");
    pool.shutdown();
    assert_eq!(seen.messages(), ["prepared", "said", "logged", "cleared up"]);
    let events = seen.events();
    assert!(events.iter().all(|told| told.field("loky.worker") == "0" && told.fields.contains_key("loky.pid")));
    let has_call = |at: usize| events[at].fields.contains_key("loky.call");
    assert_eq!([0, 1, 2, 3].map(has_call), [false, true, true, false], "what is the pool's own is no call");
}

static COUNT: AtomicU32 = AtomicU32::new(0);

struct Counting;

impl<S: Subscriber> Layer<S> for Counting {
    fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
        COUNT.fetch_add(1, Ordering::Relaxed);
    }
}

impl log::Log for Counting {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, _: &log::Record<'_>) {
        COUNT.fetch_add(10, Ordering::Relaxed);
    }

    fn flush(&self) {}
}

#[loky::task]
fn listen_here() {
    tracing::info!("before");
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Counting)).expect("there is none yet");
    log::set_logger(&Counting).expect("there is none yet");
    log::set_max_level(log::LevelFilter::Info);
}

#[loky::task]
fn say_and_count() -> u32 {
    say();
    COUNT.load(Ordering::Relaxed)
}

fn logs_52_an_initializer_may_set_a_subscriber_and_a_logger() {
    let seen = Seen::everywhere(Level::INFO);
    let pool = Pool::builder().workers(1).initializer(listen_here.bind()).build().expect("a pool");
    assert_eq!(say_and_count.bind().on(&pool).run().expect("a call"), 11);
    pool.shutdown();
    assert_eq!(seen.messages(), ["before"], "from then on its own hear all");
}

fn logs_53_a_zygote_s_workers_are_heard() {
    let seen = Seen::everywhere(Level::INFO);
    let pool = Pool::builder().workers(2).zygote(true).output(Output::Capture).build().expect("a pool");
    pool.warm_up();
    (0..10).for_each(|_| say.bind().on(&pool).run().expect("a call"));
    pool.shutdown();
    assert_eq!(seen.messages(), ["said", "logged"].repeat(10));
}
