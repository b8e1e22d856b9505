//! What a task says of itself, as the error of a call that was cut short has it.

use std::thread;
use std::time::Duration;

use loky::ErrorKind;
use loky::prelude::*;
use loky_tests::tasks::Death;
use loky_tests::{Case, Gate, cases, fails, ms, pool_of};

pub(crate) const CASES: &[Case] = cases![
    prog_08_the_error_of_a_dead_call_says_how_far_it_had_come,
    progress_21_a_call_that_is_ended_says_how_far_it_had_come,
    progress_22_it_counts_for_the_item_that_runs,
    progress_23_what_cannot_be_is_not_shown,
    progress_24_elsewhere_it_does_nothing,
    progress_25_it_is_told_from_any_thread_and_costs_little,
];

#[loky::task]
fn come_so_far(fraction: Option<f64>, message: &str) {
    fraction.into_iter().for_each(loky::progress);
    if !message.is_empty() {
        loky::progress_message(message);
    }
    loky_tests::tasks::die(Death::Abort);
}

fn prog_08_the_error_of_a_dead_call_says_how_far_it_had_come() {
    let pool = pool_of(1);
    let said = |fraction: Option<f64>, message: &str| {
        let why = fails(come_so_far.bind(fraction, message).on(&pool).run(), ErrorKind::Crash);
        let progress = why.progress().cloned();
        let (fraction, message) = progress.as_ref().map_or((None, None), |said| (said.fraction(), said.message()));
        (fraction, message.map(ToOwned::to_owned), why.to_string())
    };
    let (fraction, message, text) = said(Some(0.75), "page 3 of 4");
    assert_eq!((fraction, message.as_deref()), (Some(0.75), Some("page 3 of 4")));
    assert!(text.contains("it had come to: 75 %, page 3 of 4"), "{text}");
    assert_eq!(said(Some(0.5), "").1, None);
    assert_eq!(said(None, "only words").0, None);
    let (fraction, message, text) = said(None, "");
    assert!(fraction.is_none() && message.is_none() && !text.contains("had come"), "{text}");
    pool.shutdown();
}

#[loky::task]
fn come_and_stay(gate: Gate) {
    loky::progress(0.5);
    gate.arrive("it");
    thread::sleep(Duration::from_secs(1000));
}

fn progress_21_a_call_that_is_ended_says_how_far_it_had_come() {
    let pool = pool_of(1);
    let gate = Gate::new("cancelled");
    let cancelled = come_and_stay.bind(gate.clone()).on(&pool).spawn();
    gate.await_arrivals(1);
    cancelled.cancel();
    let cancelled = fails(cancelled.join(), ErrorKind::Cancelled);
    let limited = fails(come_and_stay.bind(Gate::new("limited")).on(&pool).timeout(ms(500)).run(), ErrorKind::Timeout);
    for why in [cancelled, limited] {
        assert_eq!(why.progress().and_then(loky::Progress::fraction), Some(0.5), "{why}");
    }
    pool.shutdown();
}

#[loky::task]
fn come_and_die_at(number: u64) {
    if number == 7 {
        loky_tests::tasks::die(Death::Abort);
    }
    loky::progress(0.5);
    loky::progress_message(format!("number {number}"));
    if number == 3 {
        loky_tests::tasks::die(Death::Abort);
    }
}

fn progress_22_it_counts_for_the_item_that_runs() {
    let pool = pool_of(1);
    let results: Vec<_> = (0..10).par_map(come_and_die_at).on(&pool).chunk_size(10).collect();
    let message = |item: usize| {
        let why = results[item].as_ref().expect_err("it dies");
        why.progress().and_then(|progress| progress.message()).map(ToOwned::to_owned)
    };
    assert_eq!((message(3).as_deref(), message(7)), (Some("number 3"), None), "not what an item before it has said");
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 8);
    pool.shutdown();
}

fn progress_23_what_cannot_be_is_not_shown() {
    let pool = pool_of(1);
    let said = |fraction, message: &str| {
        let why = fails(come_so_far.bind(Some(fraction), message).on(&pool).run(), ErrorKind::Crash);
        why.progress().map(ToString::to_string).unwrap_or_default()
    };
    assert_eq!(said(7.0, ""), "100 %");
    assert_eq!(said(-7.0, ""), "0 %");
    assert_eq!(said(f64::NAN, ""), "");
    assert_eq!(said(f64::INFINITY, "first\nsecond"), "100 %, first");
    assert_eq!(said(0.999, &"ü".repeat(1000)), format!("99 %, {}", "ü".repeat(64)));
    assert_eq!(said(0.1, "a\x1b[2Jb"), "10 %, a\u{fffd}[2Jb");
    pool.shutdown();
}

fn progress_24_elsewhere_it_does_nothing() {
    loky::progress(0.5);
    loky::progress_message("nobody hears it");
}

#[loky::task]
fn tell_from_threads(count: u32) {
    let tell = move |thread: u32| {
        move || {
            for number in 0..count {
                loky::progress(f64::from(number) / f64::from(count));
                loky::progress_message(format!("{thread}"));
            }
        }
    };
    let threads: Vec<_> = (0..4).map(|number| thread::spawn(tell(number))).collect();
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    loky_tests::tasks::die(Death::Abort);
}

fn progress_25_it_is_told_from_any_thread_and_costs_little() {
    let pool = pool_of(1);
    let why = fails(tell_from_threads.bind(50_000).on(&pool).run(), ErrorKind::Crash);
    let progress = why.progress().expect("it has said something");
    assert!(progress.fraction().is_some_and(|fraction| fraction > 0.0), "{progress}");
    assert!(progress.message().is_some_and(|message| message.parse::<u32>().is_ok_and(|thread| thread < 4)));
    pool.shutdown();
}
