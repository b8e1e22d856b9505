//! A call as a span of the program, and who hears of it.

use std::thread;

use loky::ErrorKind;
use loky::prelude::*;
use loky_tests::tasks::{Death, add, die, panic_with};
use loky_tests::{Case, cases, eventually, fails, ms, pool_of};
use tracing::Level;
use tracing_subscriber::prelude::*;

use crate::seen::Seen;

pub(crate) const CASES: &[Case] = cases![
    logs_21_a_call_is_a_span,
    logs_22_its_outcome_is_told,
    logs_23_a_chunk_is_a_span,
    logs_24_each_hears_of_the_calls_that_it_has_spawned,
    logs_25_without_a_subscriber_nothing_is_said,
    logs_26_where_calls_are_not_wanted_events_are_in_the_span_around,
];

#[loky::task]
fn nap() -> Vec<u64> {
    thread::sleep(ms(20));
    vec![1; 1000]
}

fn logs_21_a_call_is_a_span() {
    let seen = Seen::everywhere(Level::INFO);
    let pool = pool_of(1);
    pool.warm_up();
    let first = nap.bind().on(&pool).spawn();
    let second = nap.bind().on(&pool).spawn();
    let ids = [first.id(), second.id()].map(|id| id.to_string());
    assert!(first.join().is_ok());
    let second = pollster(second);
    assert!(second.is_ok());
    let spans = seen.spans("call");
    let micros = |span: usize, name: &str| spans[span].fields[name].parse::<u64>().expect("a number");
    for (number, id) in ids.iter().enumerate() {
        let fields = &spans[number].fields;
        assert_eq!(
            ["task", "call", "worker", "attempt", "outcome"].map(|name| &fields[name][..]),
            ["logs::calls::nap", id, "0", "1", "ok"]
        );
        assert!(micros(number, "run_us") >= 20_000 && fields.contains_key("decode_us") && fields.contains_key("pid"));
        assert!(spans[number].is_closed);
    }
    assert!(micros(1, "queue_us") >= micros(0, "queue_us"));
    pool.shutdown();
}

/// Waits for a future on this thread.
fn pollster<T>(future: impl Future<Output = T>) -> T {
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, Wake, Waker};
    struct Unpark(thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

fn logs_22_its_outcome_is_told() {
    let seen = Seen::everywhere(Level::INFO);
    let pool = pool_of(1);
    fails(panic_with.bind("no").on(&pool).run(), ErrorKind::Panic);
    fails(die.bind(Death::Abort).on(&pool).retries(1).run(), ErrorKind::Crash);
    let cancelled = nap.bind().on(&pool).spawn();
    cancelled.cancel();
    fails(cancelled.join(), ErrorKind::Cancelled);
    // Nobody reads what comes of it.
    drop(add.bind(1, 2).on(&pool).spawn());
    pool.shutdown();
    eventually("all are closed", || seen.spans("call").iter().all(|span| span.is_closed));
    let outcomes = seen.spans("call").into_iter().map(|span| span.fields["outcome"].clone()).collect::<Vec<_>>();
    assert_eq!(outcomes, ["Panic", "Crash", "Cancelled", "ok"]);
    assert_eq!(seen.spans("call")[1].fields["attempt"], "2");
}

fn logs_23_a_chunk_is_a_span() {
    let seen = Seen::everywhere(Level::INFO);
    let pool = pool_of(1);
    let items = (0..100).map(|number| (number, 1));
    assert_eq!(items.par_map(add).chunk_size(25).on(&pool).unwrap_all().len(), 100);
    let spans = seen.spans("call");
    assert!(spans.len() == 4 && spans.iter().all(|span| span.is_closed && span.fields["outcome"] == "ok"));
    pool.shutdown();
}

#[loky::task]
fn say(word: &str) {
    tracing::info!("{word}");
}

fn logs_24_each_hears_of_the_calls_that_it_has_spawned() {
    let pool = pool_of(2);
    thread::scope(|scope| {
        for name in ["a", "b", "c"] {
            let pool = &pool;
            scope.spawn(move || {
                let seen = Seen::default();
                let _guard = tracing_subscriber::registry().with(seen.clone()).set_default();
                for number in 0..50 {
                    say.bind(&*format!("{name}{number}")).on(pool).run().expect("a call");
                }
                assert_eq!(seen.messages(), (0..50).map(|number| format!("{name}{number}")).collect::<Vec<_>>());
                assert_eq!(seen.spans("call").len(), 50);
            });
        }
    });
    pool.shutdown();
}

#[loky::task]
fn is_heard() -> bool {
    tracing::enabled!(Level::ERROR) || log::log_enabled!(log::Level::Error)
}

fn logs_25_without_a_subscriber_nothing_is_said() {
    let pool = pool_of(1);
    assert!(!is_heard.bind().on(&pool).run().expect("a call"));
    // One that comes later is heard of with the next call.
    let _seen = Seen::everywhere(Level::ERROR);
    assert!(is_heard.bind().on(&pool).run().expect("a call"));
    pool.shutdown();
}

fn logs_26_where_calls_are_not_wanted_events_are_in_the_span_around() {
    let seen = Seen::default();
    let targets = tracing_subscriber::filter::Targets::new()
        .with_default(Level::INFO)
        .with_target("loky", tracing::level_filters::LevelFilter::OFF);
    tracing_subscriber::registry().with(seen.clone().with_filter(targets)).init();
    let pool = pool_of(1);
    tracing::info_span!("around").in_scope(|| say.bind("word").on(&pool).run()).expect("a call");
    assert!(seen.spans("call").is_empty());
    let events = seen.events();
    assert_eq!(
        (&events[0].within[..], events[0].field("loky.task")),
        (&["around".to_string()][..], "logs::calls::say")
    );
    pool.shutdown();
}
