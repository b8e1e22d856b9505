//! A program that has a recorder: what pools tell it is compared with what they have done.

use std::collections::BTreeMap;

use loky::Pool;
use loky::prelude::*;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};

#[loky::task]
fn square(x: u64) -> u64 {
    x * x
}

#[loky::task]
fn refuse() {
    panic!("refused");
}

#[loky::task]
fn abort() {
    std::process::abort();
}

/// Everything that was told, by name and labels.
fn told(snapshotter: &Snapshotter) -> BTreeMap<String, DebugValue> {
    let each = snapshotter.snapshot().into_vec().into_iter().map(|(key, _, _, value)| {
        let key = key.key();
        let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        (format!("{}{{{}}}", key.name(), labels.join(",")), value)
    });
    each.collect()
}

loky::main! {
    fn main() {
        let recorder = DebuggingRecorder::new();
        let snapshotter = recorder.snapshotter();
        recorder.install().expect("there is no other one");
        let pool = Pool::builder().workers(1).name("counted").build().expect("a pool");
        for x in 0..7 {
            square.bind(x).on(&pool).run().expect("a call");
        }
        refuse.bind().on(&pool).run().expect_err("it panics");
        abort.bind().on(&pool).run().expect_err("it dies");
        square.bind(9).on(&pool).run().expect("a call in another worker");
        pool.shutdown();
        let stats = pool.stats();
        let silent = Pool::builder().workers(1).name("silent").timings(false).build().expect("a pool");
        square.bind(1).on(&silent).run().expect("a call");
        silent.shutdown();

        let told = told(&snapshotter);
        let counter = |name: &str| match told.get(name) {
            Some(DebugValue::Counter(count)) => *count,
            other => panic!("{name} is {other:?} in {told:#?}"),
        };
        let gauge = |name: &str| match told.get(name) {
            Some(DebugValue::Gauge(value)) => value.into_inner(),
            other => panic!("{name} is {other:?} in {told:#?}"),
        };
        let histogram = |name: &str| match told.get(name) {
            Some(DebugValue::Histogram(values)) => values.iter().map(|value| value.into_inner()).collect::<Vec<_>>(),
            other => panic!("{name} is {other:?} in {told:#?}"),
        };
        let task = "pool=counted,task=within_metrics::square";
        assert_eq!(counter(&format!("loky_calls_total{{{task},outcome=ok}}")), 8);
        assert_eq!(counter("loky_calls_total{pool=counted,task=within_metrics::refuse,outcome=panic}"), 1);
        assert_eq!(counter("loky_calls_total{pool=counted,task=within_metrics::abort,outcome=crash}"), 1);
        assert_eq!(counter("loky_worker_launches_total{pool=counted}"), stats.launches);
        assert_eq!(counter("loky_worker_deaths_total{pool=counted,cause=crash}"), 1);
        assert_eq!(counter("loky_worker_deaths_total{pool=counted,cause=shutdown}"), 1);
        assert_eq!(counter("loky_sent_bytes_total{pool=counted}"), stats.bytes_sent);
        assert_eq!(counter("loky_received_bytes_total{pool=counted}"), stats.bytes_received);
        for name in ["loky_call_queue_seconds", "loky_call_run_seconds"] {
            let values = histogram(&format!("{name}{{{task}}}"));
            assert!(values.len() == 8 && values.iter().all(|seconds| (0.0..60.0).contains(seconds)), "{values:?}");
        }
        assert_eq!(histogram("loky_worker_start_up_seconds{pool=counted}").len(), 2);
        for name in ["loky_calls_queued", "loky_calls_running", "loky_workers", "loky_workers_idle"] {
            assert_eq!(gauge(&format!("{name}{{pool=counted}}")), 0.0, "{name} after the end");
        }
        assert!(!told.keys().any(|name| name.contains("silent")), "{told:#?}");
        println!("all was told");
    }
}
