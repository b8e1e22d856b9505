//! `async fn`: runs to its end in the worker, whoever wakes it.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use loky::ErrorKind;
use loky::prelude::*;
use loky_tests::{Case, cases, fails, finish};

/// The cases of this file.
pub(crate) const CASES: &[Case] = cases![
    async_01_a_future_runs_to_its_end_in_the_worker,
    async_02_what_it_borrows_is_lent_until_then,
    async_03_it_waits_for_others,
    async_04_it_panics_and_times_out_like_any_task,
    async_05_it_spawns_and_awaits_tasks,
];

/// Ready at once.
#[loky::task]
async fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// A future that came from elsewhere, behind a plain function's `async` block.
#[loky::task]
async fn sum_slowly(numbers: Vec<u64>) -> u64 {
    let mut sum = 0;
    for number in numbers {
        yield_now().await;
        sum += number;
    }
    sum
}

/// Pending once, and woken at once.
async fn yield_now() {
    let mut has_yielded = false;
    poll_fn(|context| {
        context.waker().wake_by_ref();
        if std::mem::replace(&mut has_yielded, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// Called here it is a future, run there it is a value.
fn async_01_a_future_runs_to_its_end_in_the_worker() {
    drop(add(1, 2));
    assert_eq!(add.run(1, 2).expect("in dot form"), 3);
    assert_eq!(add::run(1, 2).expect("in path form"), 3);
    assert_eq!(sum_slowly.spawn((0..100).collect()).join().expect("it yields"), 4950);
    let sums: Vec<i64> = vec![(1, 2), (3, 4)].par_map(add).unwrap_all();
    assert_eq!(sums, [3, 7]);
    finish();
}

/// Borrows across an `await`.
#[loky::task]
async fn longest(texts: &[String], least: &str) -> Option<String> {
    yield_now().await;
    texts.iter().filter(|text| text.len() >= least.len()).max_by_key(|text| text.len()).cloned()
}

/// The worker's own copies live as long as the future.
fn async_02_what_it_borrows_is_lent_until_then() {
    let texts = ["a".to_string(), "bcd".to_string()];
    assert_eq!(longest.run(&texts, "xx").expect("in dot form"), Some("bcd".to_string()));
    assert_eq!(longest::run(&texts, "xxxx").expect("in path form"), None);
    finish();
}

/// Something that another thread will fill.
#[derive(Default)]
struct Slot {
    /// What it will be.
    value: Option<u64>,
    /// Whom to tell.
    waker: Option<Waker>,
}

/// A future that a thread completes, some time after it was first polled.
fn from_a_thread(value: u64) -> impl Future<Output = u64> {
    let slot = Arc::new(Mutex::new(Slot::default()));
    let theirs = Arc::clone(&slot);
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(5));
        let mut slot = theirs.lock().unwrap_or_else(PoisonError::into_inner);
        slot.value = Some(value);
        slot.waker.take().map(Waker::wake)
    });
    poll_fn(move |context| {
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        slot.waker = Some(context.waker().clone());
        slot.value.map_or(Poll::Pending, Poll::Ready)
    })
}

/// Waits for several, one after the other.
#[loky::task]
async fn wait_for_threads(many: u64) -> Result<u64, String> {
    let mut sum = 0;
    for value in 0..many {
        sum += from_a_thread(value).await;
    }
    if sum > 3 { Err(format!("{sum} is too much")) } else { Ok(sum) }
}

/// A waker may be called on any thread, before or after the worker sleeps.
fn async_03_it_waits_for_others() {
    assert_eq!(wait_for_threads.run(3).expect("it ran"), Ok(3));
    assert_eq!(wait_for_threads.run(4).expect("it ran"), Err("6 is too much".to_string()));
    finish();
}

/// Panics after it has waited.
#[loky::task]
async fn fail_late(message: String) {
    yield_now().await;
    panic!("{message}");
}

/// Never ready, and never woken.
#[loky::task(timeout = "200ms")]
async fn never() {
    std::future::pending::<()>().await;
}

/// The limits and the evidence are those of every task.
fn async_04_it_panics_and_times_out_like_any_task() {
    let error = fails(fail_late.run("late".to_string()), ErrorKind::Panic);
    assert_eq!(error.panic_message(), Some("late"));
    assert!(error.panic_location().is_some_and(|place| place.contains("futures.rs:")), "{error}");
    fails(never.run(), ErrorKind::Timeout);
    assert_eq!(add.run(1, 1).expect("the pool goes on"), 2);
    finish();
}

/// Awaits the handles of calls that run below this worker.
#[loky::task]
async fn spread(numbers: Vec<i64>) -> Result<i64, loky::Error> {
    let handles: Vec<_> = numbers.into_iter().map(|number| add.spawn(number, 1)).collect();
    let mut sum = 0;
    for handle in handles {
        let handle: Pin<Box<dyn Future<Output = _>>> = Box::pin(handle);
        sum += handle.await?;
    }
    Ok(sum)
}

/// A handle is a future like any other.
fn async_05_it_spawns_and_awaits_tasks() {
    assert_eq!(spread.run(vec![1, 2, 3]).expect("it ran").expect("and so did all below"), 9);
    finish();
}
