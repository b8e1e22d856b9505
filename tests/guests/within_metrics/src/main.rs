//! A program that has a recorder: what pools tell it is compared with what they have done.

mod recorder;

use loky::Pool;
use loky::prelude::*;

use self::recorder::Kept;

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

loky::main! {
    fn main() {
        let told = Kept::default();
        metrics::set_global_recorder(told.clone()).expect("there is no other one");
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

        let task = "pool=counted,task=within_metrics::square";
        assert_eq!(told.counter(&format!("loky_calls_total{{{task},outcome=ok}}")), 8);
        assert_eq!(told.counter("loky_calls_total{pool=counted,task=within_metrics::refuse,outcome=panic}"), 1);
        assert_eq!(told.counter("loky_calls_total{pool=counted,task=within_metrics::abort,outcome=crash}"), 1);
        assert_eq!(told.counter("loky_worker_launches_total{pool=counted}"), stats.launches);
        assert_eq!(told.counter("loky_worker_deaths_total{pool=counted,cause=crash}"), 1);
        assert_eq!(told.counter("loky_worker_deaths_total{pool=counted,cause=shutdown}"), 1);
        assert_eq!(told.counter("loky_sent_bytes_total{pool=counted}"), stats.bytes_sent);
        assert_eq!(told.counter("loky_received_bytes_total{pool=counted}"), stats.bytes_received);
        for name in ["loky_call_queue_seconds", "loky_call_run_seconds"] {
            let values = told.histogram(&format!("{name}{{{task}}}"));
            assert!(values.len() == 8 && values.iter().all(|seconds| (0.0..60.0).contains(seconds)), "{values:?}");
        }
        assert_eq!(told.histogram("loky_worker_start_up_seconds{pool=counted}").len(), 2);
        for name in ["loky_calls_queued", "loky_calls_running", "loky_workers", "loky_workers_idle"] {
            assert_eq!(told.gauge(&format!("{name}{{pool=counted}}")), 0.0, "{name} after the end");
        }
        let names = told.names();
        assert!(!names.iter().any(|name| name.contains("silent")), "{names:#?}");
        println!("all was told");
    }
}
