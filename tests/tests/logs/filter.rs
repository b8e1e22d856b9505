//! What nobody wants to hear is not said in the worker.

use loky::prelude::*;
use loky_tests::{Case, Gate, cases, eventually, pool_of};
use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;
use tracing_subscriber::reload;

use crate::seen::Seen;

pub(crate) const CASES: &[Case] = cases![
    logs_31_what_is_below_the_level_is_not_shown_in_the_worker,
    logs_32_a_place_that_is_not_wanted_falls_silent,
    logs_33_a_change_of_the_filter_reaches_workers,
    logs_34_what_is_not_wanted_any_more_is_not_told,
];

/// Counts how often it is shown.
struct Counted<'a>(&'a std::cell::Cell<u32>);

impl std::fmt::Debug for Counted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.set(self.0.get() + 1);
        f.write_str("shown")
    }
}

/// How often what is logged at each level was made into text: for `error`, `info` and `debug`, and for `noisy`.
#[loky::task]
fn say_at_levels() -> [u32; 4] {
    let [a, b, c, d] = [const { std::cell::Cell::new(0) }; 4];
    tracing::error!(value = ?Counted(&a), "error");
    tracing::info!(value = ?Counted(&b), "info");
    tracing::debug!(value = ?Counted(&c), "debug");
    tracing::error!(target: "noisy", value = ?Counted(&d), "noisy");
    [a, b, c, d].map(std::cell::Cell::into_inner)
}

fn logs_31_what_is_below_the_level_is_not_shown_in_the_worker() {
    let seen = Seen::everywhere(Level::INFO);
    let pool = pool_of(1);
    assert_eq!(say_at_levels.bind().on(&pool).run().expect("a call"), [1, 1, 0, 1]);
    assert_eq!(seen.messages(), ["error", "info", "noisy"]);
    pool.shutdown();
}

fn logs_32_a_place_that_is_not_wanted_falls_silent() {
    let seen = Seen::default();
    let targets = Targets::new().with_default(Level::INFO).with_target("noisy", LevelFilter::OFF);
    tracing_subscriber::registry().with(seen.clone().with_filter(targets)).init();
    // For the second worker the place is one that is known already.
    for _ in 0..2 {
        let pool = pool_of(1);
        say_at_levels.bind().on(&pool).run().expect("a call");
        assert_eq!(say_at_levels.bind().on(&pool).run().expect("a call"), [1, 1, 0, 0], "it has heard of that");
        pool.shutdown();
    }
    assert_eq!(seen.messages(), ["error", "info"].repeat(4));
}

fn logs_33_a_change_of_the_filter_reaches_workers() {
    let seen = Seen::default();
    let of = |level, noisy| Targets::new().with_default(level).with_target("noisy", noisy);
    let (filter, handle) = reload::Layer::new(of(LevelFilter::ERROR, LevelFilter::OFF));
    tracing_subscriber::registry().with(seen.clone().with_filter(filter)).init();
    let pool = pool_of(2);
    pool.warm_up();
    let shown = || {
        (0..20).for_each(|_| drop(say_at_levels.bind().on(&pool).run()));
        say_at_levels.bind().on(&pool).run().expect("a call")
    };
    assert_eq!(shown(), [1, 0, 0, 0]);
    handle.reload(of(LevelFilter::DEBUG, LevelFilter::ERROR)).expect("it is there");
    assert_eq!(shown(), [1, 1, 1, 1]);
    handle.reload(of(LevelFilter::INFO, LevelFilter::OFF)).expect("it is there");
    assert_eq!(shown(), [1, 1, 0, 0]);
    handle.reload(of(LevelFilter::OFF, LevelFilter::OFF)).expect("it is there");
    let before = seen.messages().len();
    assert_eq!((shown(), seen.messages().len()), ([0; 4], before));
    pool.shutdown();
}

#[loky::task]
fn say_until(gate: Gate) {
    while gate.arrivals().len() < 2 {
        tracing::info!("on and on");
        std::thread::sleep(loky_tests::ms(1));
    }
}

fn logs_34_what_is_not_wanted_any_more_is_not_told() {
    let seen = Seen::default();
    let (filter, handle) = reload::Layer::new(LevelFilter::INFO);
    tracing_subscriber::registry().with(seen.clone().with_filter(filter)).init();
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let saying = say_until.bind(gate.clone()).on(&pool).spawn();
    eventually("it is heard", || seen.messages().len() > 3);
    handle.modify(|level| *level = LevelFilter::ERROR).expect("it is there");
    let before = seen.messages().len();
    ["one", "two"].iter().for_each(|who| gate.arrive(who));
    saying.join().expect("a call");
    assert_eq!(seen.messages().len(), before, "not even what it says while it has not heard of that");
    pool.shutdown();
}
