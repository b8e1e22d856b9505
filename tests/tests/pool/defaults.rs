//! Which of several settings holds, and that a task is the same function wherever it runs.

use std::error::Error as _;
use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use loky::prelude::*;
use loky::{Error, ErrorKind, Pool};
use loky_tests::tasks::{add, attempt, panic_with, pid, sleep_for, square, survive_from};
use loky_tests::{Case, Gate, cases, eventually, fails, finish, ms, pool_of, procfs};

pub(crate) const CASES: &[Case] = cases![
    config_01_what_is_said_closest_to_the_call_holds,
    config_05_a_pool_without_workers_is_refused,
    config_06_here_or_there_is_the_same,
    config_07_errors_and_handles_are_those_of_the_language,
    config_08_a_plain_call_spawns_where_its_caller_would,
    config_09_pools_and_handles_can_be_shown,
    config_10_what_cannot_be_honored_is_refused_and_not_forgotten,
];

#[loky::task(timeout = "100ms", retries = 1)]
fn impatient(span: Duration) {
    std::thread::sleep(span);
}

#[loky::task(retries = 1)]
fn survive_by_its_own(from: u32, gate: Gate) -> u32 {
    survive_from(from, gate)
}

fn config_01_what_is_said_closest_to_the_call_holds() {
    let patient = Pool::builder().workers(1).timeout(ms(30_000)).retries(3).build().expect("a pool");
    let hasty = Pool::builder().workers(1).timeout(ms(100)).build().expect("a pool");
    let (long, endless) = (ms(300), ms(10_000));
    fails(impatient.bind(endless).on(&patient).run(), ErrorKind::Timeout);
    impatient.bind(long).on(&patient).timeout(ms(30_000)).run().expect("the call outdoes its task");
    fails(sleep_for.bind(endless).on(&hasty).run(), ErrorKind::Timeout);
    sleep_for.bind(long).on(&hasty).timeout(ms(30_000)).run().expect("the call outdoes its pool");
    sleep_for.bind(long).on(&pool_of(1)).run().expect("there is none where nobody said so");
    let tried = |name: &str, call: fn(Gate) -> loky::Call<u32>, pool: &Pool| {
        let gate = Gate::new(name);
        (call(gate.clone()).on(pool).run().is_ok(), gate.arrivals().len())
    };
    assert_eq!(tried("pool", |gate| survive_from.bind(4, gate), &patient), (true, 4));
    assert_eq!(tried("task", |gate| survive_by_its_own.bind(3, gate), &patient), (false, 2));
    assert_eq!(tried("call", |gate| survive_by_its_own.bind(3, gate).retries(2), &patient), (true, 3));
    assert_eq!(tried("none", |gate| survive_from.bind(2, gate), &hasty), (false, 1));
}

fn config_05_a_pool_without_workers_is_refused() {
    fails(Pool::builder().workers(0).build(), ErrorKind::Config);
    fails(loky::reusable(Pool::builder().workers(0)), ErrorKind::Config);
    fails(loky::keyed("none", Pool::builder().workers(0)), ErrorKind::Config);
    fails(Pool::builder().workers(2).min_workers(3).build(), ErrorKind::Config);
    assert_eq!(procfs::children(std::process::id()), []);
}

#[loky::task]
fn halve(x: i64) -> Result<i64, String> {
    match x {
        0 => panic!("nothing to halve"),
        _ if x % 2 == 0 => Ok(x / 2),
        _ => Err(format!("{x} is odd")),
    }
}

fn config_06_here_or_there_is_the_same() {
    let pool = pool_of(1);
    for x in [2, 3, -4] {
        assert_eq!(halve.bind(x).on(&pool).run().expect("its own result is inside"), halve(x));
    }
    let there = fails(halve.bind(0).on(&pool).run(), ErrorKind::Panic);
    let here = std::panic::catch_unwind(|| halve(0)).expect_err("the same panic");
    assert_eq!(there.panic_message(), here.downcast_ref::<&str>().copied());
}

/// Goes on in whatever way an error of any library does.
fn passes_it_on(pool: &Pool) -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
    Ok(panic_with.bind("passed on").on(pool).run()?)
}

fn config_07_errors_and_handles_are_those_of_the_language() {
    let pool = pool_of(1);
    let boxed = passes_it_on(&pool).expect_err("it panics");
    let error = boxed.downcast_ref::<Error>().expect("it is found again by its type");
    assert!(error.is_panic() && boxed.to_string().contains("passed on"), "{boxed}");
    let wrapped = std::io::Error::other(error.clone());
    assert_eq!(wrapped.to_string(), error.to_string());
    assert!(error.source().is_none_or(|source| !source.to_string().is_empty()));
    let mut handle = sleep_for.bind(ms(50)).on(&pool).spawn();
    let mut context = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut handle).poll(&mut context).is_pending());
    eventually("any executor sees that it is ready", || {
        matches!(Pin::new(&mut handle).poll(&mut context), Poll::Ready(Ok(_)))
    });
    let (sender, receiver) = mpsc::channel();
    square.bind(4).on(&pool).spawn().on_done(move |result| sender.send(result).expect("it is awaited"));
    let told = receiver.recv_timeout(Duration::from_secs(15)).expect("a channel of the language waits for it");
    assert_eq!(told.expect("a result"), 16);
}

/// Spawns a call of its own.
#[loky::task]
fn nested() -> (u32, u32) {
    (std::process::id(), pid.run().expect("a worker of whoever this is"))
}

fn config_08_a_plain_call_spawns_where_its_caller_would() {
    let pool = loky::reusable(Pool::builder().workers(1).env("DRESS", "blue")).expect("a pool");
    let worker = pid.run().expect("a worker");
    assert_eq!(nested(), (std::process::id(), worker), "called as it is, it uses the pool of its caller");
    let (outer, inner) = nested.run().expect("a call");
    assert!(outer == worker && inner != worker, "spawned, it uses that of its worker");
    drop(pool);
    finish();
}

fn config_09_pools_and_handles_can_be_shown() {
    let pool = Pool::builder().workers(2).name("gallery").build().expect("a pool");
    add.bind(1, 2).on(&pool).run().expect("a call");
    let shown = format!("{pool:?}");
    for part in ["Pool", "gallery", "target: 2", "live: 1", "succeeded: 1"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let stats = pool.stats().to_string();
    assert!(stats.contains("gallery: 1 of 2 workers") && stats.contains("1 succeeded"), "{stats}");
    let builder = format!("{:?}", Pool::builder().workers(3).name("drawn"));
    assert!(builder.contains("drawn") && builder.contains('3'), "{builder}");
    let (call, handle) = (add.bind(1, 2), add.bind(1, 2).on(&pool).spawn());
    assert!(format!("{call:?}").contains("add") && format!("{handle:?}").contains("JoinHandle"));
    handle.join().expect("a call");
}

fn config_10_what_cannot_be_honored_is_refused_and_not_forgotten() {
    let other = pool_of(1);
    let errands = [
        attempt_call().on(&other),
        attempt_call().retries(1),
        attempt_call().priority(1),
        attempt_call().queue_timeout(ms(10)),
    ];
    for call in errands {
        let error = fails(Pool::builder().initializer(call).build(), ErrorKind::Config);
        assert!(error.to_string().contains("initializer"), "{error}");
    }
    fails(Pool::builder().writable("/tmp").build(), ErrorKind::Config);
    assert_eq!(attempt.bind().on(&other).retries(1).priority(1).run().expect("to a call they can be said"), 1);
}

#[loky::task]
fn prepare() {}

fn attempt_call() -> loky::Call<()> {
    prepare.bind()
}
