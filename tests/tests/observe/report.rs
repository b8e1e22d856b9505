//! Reports: the numbers that a page has in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use loky_tests::{Case, Gate, cases, scratch};
use serde_json::Value;

use crate::programs::{CALLS, LAST_WORDS, SUCCEEDED, run, showing, shown};

pub(crate) const CASES: &[Case] = cases![
    report_01_its_numbers_are_those_of_the_run,
    report_02_failures_come_with_their_last_words_and_as_text,
    report_03_of_many_calls_it_shows_the_sums,
    report_04_each_end_of_a_program_writes_it,
    report_05_pools_and_workers_have_their_places,
    report_06_it_needs_nothing_from_elsewhere,
];

/// What the page's script reads.
pub(crate) fn data(path: &Path) -> Value {
    let page = fs::read_to_string(path).expect("there is a page");
    let (_, rest) = page.split_once(r#"id="data">"#).expect("it has a place for numbers");
    let (data, _) = rest.split_once("</script>").expect("which ends");
    serde_json::from_str(data).unwrap_or_else(|why| panic!("{why}: {data}"))
}

fn mixed() -> Value {
    let _tries = Gate::new("tries");
    let mut data = data(&shown("mixed", "LOKY_REPORT", "run.html"));
    data["pools"][0].take()
}

fn sum(of: &Value, part: &str) -> f64 {
    of.as_array().expect("a list").iter().map(|each| each[part].as_f64().expect("a number")).sum()
}

fn report_01_its_numbers_are_those_of_the_run() {
    let pool = mixed();
    let outcomes: BTreeMap<String, u64> = serde_json::from_value(pool["outcomes"].clone()).expect("numbers");
    let one = ["cancelled", "crash", "panic", "timeout"].map(|name| (name.to_string(), 1));
    assert_eq!(outcomes, one.into_iter().chain([("ok".to_string(), SUCCEEDED)]).collect());
    assert_eq!((&pool["name"], &pool["lost"]), (&"mixed <pool>".into(), &0.into()));
    assert_eq!(sum(&pool["lanes"], "calls") as u64, CALLS + 1, "and one that was tried again");
    assert_eq!(sum(&pool["lanes"], "launches"), pool["launches"].as_f64().expect("a number"));
    let deaths: BTreeMap<String, u64> = serde_json::from_value(pool["deaths"].clone()).expect("numbers");
    assert_eq!((deaths["crash"], deaths["timeout"], deaths["cancelled"]), (2, 1, 1));
    assert_eq!(deaths.values().sum::<u64>(), pool["launches"].as_u64().expect("a number"));
    let (busy, served, span) = (sum(&pool["lanes"], "busy"), sum(&pool["lanes"], "served"), pool["span"].as_f64());
    assert!(busy >= 100_000.0 && busy <= served && served <= 3.0 * span.expect("a number"), "{busy} of {served}");
    let length = |slice: &Value| slice["run"][5].as_f64().zip(slice["run"][4].as_f64()).map(|(end, begin)| end - begin);
    let lengths: Vec<_> = pool["slices"].as_array().expect("a list").iter().filter_map(length).collect();
    let longest = lengths.iter().copied().fold(0.0, f64::max);
    assert_eq!(length(&pool["slowest"][0]), Some(longest));
    assert!(longest >= 30_000.0, "one ran into its limit: {lengths:?}");
    assert_eq!(pool["slices"].as_array().map(Vec::len), Some(CALLS as usize + 1));
    let tasks = pool["tasks"].as_array().expect("a list");
    let squares = tasks.iter().find(|task| task["name"].as_str().is_some_and(|name| name.ends_with("square")));
    assert_eq!(squares.expect("it has run")["run"]["count"], 12);
}

fn report_02_failures_come_with_their_last_words_and_as_text() {
    let pool = mixed();
    let failures = pool["failures"].as_array().expect("a list");
    let of = |outcome: &str| failures.iter().find(|failure| failure["call"]["outcome"] == outcome).expect("it is told");
    assert!(of("crash")["tail"].as_str().is_some_and(|tail| tail.contains(LAST_WORDS)), "{}", of("crash"));
    assert!(of("panic")["text"].as_str().is_some_and(|text| text.contains("<b>it</b>")), "{}", of("panic"));
    assert_eq!(failures.len() as u64, CALLS - SUCCEEDED);
    let page = fs::read_to_string(scratch().join("run.html")).expect("there is a page");
    assert!(!page.contains("<img") && !page.contains("<b>it") && !page.contains("mixed <pool>"), "as text only");
}

fn report_03_of_many_calls_it_shows_the_sums() {
    let mut data = data(&shown("many", "LOKY_REPORT", "run.html"));
    let pool = data["pools"][0].take();
    assert_eq!((&pool["outcomes"]["ok"], &pool["slices"], &pool["lost"]), (&8000.into(), &Value::Null, &0.into()));
    for lane in pool["lanes"].as_array().expect("a list") {
        let amounts = lane["busyness"]["amounts"].as_array().expect("a list");
        let busy: f64 = amounts.iter().map(|amount| amount.as_f64().expect("a number")).sum();
        assert!((busy / 1000.0 - lane["busy"].as_f64().expect("a number")).abs() < 1.0, "{lane}");
    }
    let most = pool["queue"]["amounts"].as_array().expect("a list").iter().filter_map(Value::as_u64).max();
    assert!(most.is_some_and(|most| (100..=1000).contains(&most)), "{most:?}");
}

fn report_04_each_end_of_a_program_writes_it() {
    for name in ["without_shutdown", "ends_by_exit"] {
        let data = data(&shown(name, "LOKY_REPORT", &format!("{name}.html")));
        assert_eq!(data["pools"][0]["outcomes"]["ok"], 10, "{name}");
    }
    let gate = Gate::new("gate");
    gate.open();
    let path = scratch().join("killed.html");
    run(&mut showing("aborts", "LOKY_REPORT", &path));
    assert_eq!(data(&path)["pools"].as_array().map(Vec::len), Some(0), "a page that says that there is nothing yet");
}

fn report_05_pools_and_workers_have_their_places() {
    let pools = data(&shown("two_pools", "LOKY_REPORT", "two.html"));
    let pools = pools["pools"].as_array().expect("a list");
    assert_eq!((&pools[0]["name"], &pools[1]["name"], pools.len()), (&"first".into(), &"second".into(), 2));
    let output = run(&mut showing("nested", "LOKY_REPORT", &scratch().join("nested.html")));
    let worker = String::from_utf8_lossy(&output.stdout).trim().to_string();
    let own = data(&scratch().join(format!("nested.{worker}.html")));
    assert_eq!((&own["pools"][0]["name"], &own["pools"][0]["outcomes"]["ok"]), (&"inner".into(), &3.into()));
}

fn report_06_it_needs_nothing_from_elsewhere() {
    let _tries = Gate::new("tries");
    let page = fs::read_to_string(shown("mixed", "LOKY_REPORT", "run.html")).expect("there is a page");
    for part in ["http:", "https:", " src=", "<link", "@import", "url("] {
        let own = page.replace(r"\u003cimg src=x", "");
        assert!(!own.contains(part), "{part}");
    }
}
