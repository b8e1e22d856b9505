//! Spans that tasks open, as spans of the program.

use loky::ErrorKind;
use loky::prelude::*;
use loky_tests::tasks::Death;
use loky_tests::{Case, cases, eventually, fails, pool_of};
use tracing::Level;

use crate::seen::Seen;

pub(crate) const CASES: &[Case] = cases![
    logs_11_spans_of_a_task_are_below_its_call,
    logs_12_a_span_that_is_cut_short_is_closed,
    logs_13_a_span_may_outlive_its_call,
];

#[loky::task]
fn work(depth: u32) {
    let span = tracing::info_span!("work", depth, found = tracing::field::Empty);
    span.in_scope(|| {
        if depth > 0 {
            work(depth - 1);
        }
        tracing::info!(depth, "done");
    });
    span.record("found", "something");
    tracing::info!(parent: &span, "still of it");
    tracing::info!(parent: None, "of nobody");
    let _elsewhere = tracing::debug_span!("not wanted").entered();
    tracing::info!("within what is not wanted");
}

fn logs_11_spans_of_a_task_are_below_its_call() {
    let seen = Seen::everywhere(Level::INFO);
    let pool = pool_of(1);
    tracing::info_span!("request").in_scope(|| work.bind(1).on(&pool).run()).expect("a call");
    let [outer, inner] = &seen.spans("work")[..] else { panic!("{:?}", seen.spans("work")) };
    assert_eq!((&outer.fields["depth"][..], &inner.fields["depth"][..]), ("1", "0"));
    assert_eq!((&outer.fields["found"][..], outer.is_closed, inner.is_closed), ("something", true, true));
    assert_eq!(
        (&outer.within[..], &inner.within[..]),
        (&["request", "call"].map(String::from)[..], &["request", "call", "work"].map(String::from)[..])
    );
    let within: Vec<_> =
        seen.events().into_iter().map(|told| (told.message().to_owned(), told.within.join(":"))).collect();
    let expected = [
        ("done", "request:call:work:work"),
        ("still of it", "request:call:work:work"),
        ("of nobody", ""),
        ("within what is not wanted", "request:call:work"),
        ("done", "request:call:work"),
        ("still of it", "request:call:work"),
        ("of nobody", ""),
        ("within what is not wanted", "request:call"),
    ];
    assert_eq!(within, expected.map(|(message, within)| (message.to_owned(), within.to_owned())));
    assert!(!seen.spans("request").is_empty() && seen.spans("not wanted").is_empty());
    pool.shutdown();
}

#[loky::task]
fn open_and_die() {
    let _span = tracing::info_span!("cut short").entered();
    loky_tests::tasks::die(Death::Abort);
}

fn logs_12_a_span_that_is_cut_short_is_closed() {
    let seen = Seen::everywhere(Level::INFO);
    let pool = pool_of(1);
    fails(open_and_die.bind().on(&pool).run(), ErrorKind::Crash);
    eventually("they are closed", || ["cut short", "call"].iter().all(|name| seen.spans(name)[0].is_closed));
    pool.shutdown();
}

#[loky::task]
fn leave_open(is_last: bool) {
    use std::sync::Mutex;
    static OPEN: Mutex<Option<tracing::Span>> = Mutex::new(None);
    let mut open = OPEN.lock().expect("no panic");
    if is_last {
        open.take().expect("it was left").in_scope(|| tracing::info!("later"));
    } else {
        *open = Some(tracing::info_span!("long"));
    }
}

fn logs_13_a_span_may_outlive_its_call() {
    let seen = Seen::everywhere(Level::INFO);
    let pool = pool_of(1);
    leave_open.bind(false).on(&pool).run().expect("a call");
    assert!(!seen.spans("long")[0].is_closed);
    leave_open.bind(true).on(&pool).run().expect("a call");
    assert_eq!(seen.events()[0].within, ["call", "long"]);
    assert!(seen.spans("long")[0].is_closed);
    pool.shutdown();
}
