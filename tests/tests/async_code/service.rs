//! A service: calls that wait for room, and handles that are awaited, dropped and cancelled.

use std::cell::RefCell;
use std::rc::Rc;

use loky::prelude::*;
use loky::{ErrorKind, JoinHandle, Pool};
use loky_tests::tasks::{add, leave_word, meet};
use loky_tests::{Case, Gate, cases, eventually, fails, pool_of};

use crate::{BOTH, ticked};

pub(crate) const CASES: &[Case] = cases![
    async_01_a_full_queue_does_not_block_the_thread,
    async_02_what_is_refused_is_refused_at_once,
    async_03_a_handle_that_is_awaited_leaves_the_thread_alone,
    async_04_a_dropped_future_detaches_its_call,
    async_05_a_dropped_spawn_has_not_started,
    async_06_the_first_call_of_a_pool_does_not_wait_for_a_worker,
    async_07_a_thousand_requests_on_one_thread,
];

/// One worker, which is held up, and room for one more call.
fn full_pool(name: &str) -> (Pool, Gate, JoinHandle<u64>, JoinHandle<u64>) {
    let pool = Pool::builder().workers(1).queue_limit(1).build().expect("a pool");
    let gate = Gate::new(name);
    let running = meet.bind(gate.clone(), 1).on(&pool).spawn();
    gate.await_arrivals(1);
    let queued = meet.bind(gate.clone(), 2).on(&pool).spawn();
    (pool, gate, running, queued)
}

fn async_01_a_full_queue_does_not_block_the_thread() {
    for runtime in BOTH {
        let (pool, gate, running, queued) = full_pool(&format!("{runtime:?}"));
        runtime.block_on(|spawner| async move {
            let ticks = spawner.tick();
            let sums = Rc::new(RefCell::new(Vec::new()));
            for number in 0..5 {
                let (pool, sums) = (pool.clone(), Rc::clone(&sums));
                spawner.spawn(async move {
                    let handle = add.bind(number, 1).on(&pool).spawn_async().await;
                    let sum = handle.await.expect("a call");
                    sums.borrow_mut().push(sum);
                });
            }
            ticked(&ticks, 10_000).await;
            assert!(sums.borrow().is_empty(), "there is no room yet");
            gate.open();
            while sums.borrow().len() < 5 {
                ticked(&ticks, 1).await;
            }
            let mut sums = sums.take();
            sums.sort_unstable();
            assert_eq!(sums, [1, 2, 3, 4, 5]);
            assert_eq!((running.await.expect("a call"), queued.await.expect("a call")), (1, 2));
            pool.shutdown();
        });
    }
}

fn async_02_what_is_refused_is_refused_at_once() {
    for runtime in BOTH {
        let (pool, gate, running, queued) = full_pool(&format!("{runtime:?}"));
        runtime.block_on(|spawner| async move {
            let ticks = spawner.tick();
            let mut call = add.bind(1, 1).on(&pool);
            for _ in 0..100 {
                call = call.try_spawn().expect_err("the queue is full");
                ticked(&ticks, 10).await;
            }
            gate.open();
            let handle = loop {
                match call.try_spawn() {
                    Ok(handle) => break handle,
                    Err(refused) => call = refused,
                }
                ticked(&ticks, 10).await;
            };
            assert_eq!(handle.await.expect("a call"), 2);
            assert!(running.await.is_ok() && queued.await.is_ok());
            pool.shutdown();
        });
    }
}

fn async_03_a_handle_that_is_awaited_leaves_the_thread_alone() {
    for runtime in BOTH {
        let (pool, gate) = (pool_of(1), Gate::new(&format!("{runtime:?}")));
        runtime.block_on(|spawner| async move {
            let ticks = spawner.tick();
            let waiting = meet.bind(gate.clone(), 7).on(&pool).spawn();
            let opening = async {
                ticked(&ticks, 10_000).await;
                gate.open();
            };
            let (result, ()) = futures_util::future::join(waiting, opening).await;
            assert_eq!(result.expect("a call"), 7);
            pool.shutdown();
        });
    }
}

fn async_04_a_dropped_future_detaches_its_call() {
    for runtime in BOTH {
        let pool = pool_of(1);
        let gate = Gate::new(&format!("{runtime:?}"));
        runtime.block_on(|spawner| {
            let (pool, gate) = (pool.clone(), gate.clone());
            async move {
                let ticks = spawner.tick();
                let waiting = meet.bind(gate.clone(), 1).on(&pool).spawn();
                // As `select!` does: the other one is first, and the handle is dropped while it is awaited.
                let other = Box::pin(ticked(&ticks, 100));
                assert!(matches!(
                    futures_util::future::select(waiting, other).await,
                    futures_util::future::Either::Right(_)
                ));
                // What is to end with its future is cancelled by name.
                let unwanted = leave_word.bind(gate.clone(), "never").on(&pool).spawn();
                assert!(unwanted.cancel());
                fails(unwanted.await, ErrorKind::Cancelled);
                drop(leave_word.bind(gate, "the call behind it").on(&pool).spawn());
            }
        });
        gate.open();
        eventually("it goes on", || gate.arrivals().last().is_some_and(|last| last == "the call behind it"));
        assert_eq!(gate.arrivals().len(), 2, "what was dropped has begun, what was cancelled has not");
        pool.shutdown();
    }
}

fn async_05_a_dropped_spawn_has_not_started() {
    for runtime in BOTH {
        let (pool, gate, running, queued) = full_pool(&format!("{runtime:?}"));
        let said = gate.clone();
        runtime.block_on(|spawner| async move {
            let ticks = spawner.tick();
            let spawning = Box::pin(leave_word.bind(gate.clone(), "never").on(&pool).spawn_async());
            let other = Box::pin(ticked(&ticks, 100));
            assert!(matches!(
                futures_util::future::select(spawning, other).await,
                futures_util::future::Either::Right(_)
            ));
            gate.open();
            assert!(running.await.is_ok() && queued.await.is_ok());
            pool.shutdown();
        });
        assert!(!said.arrivals().contains(&"never".to_owned()));
    }
}

fn async_06_the_first_call_of_a_pool_does_not_wait_for_a_worker() {
    for runtime in BOTH {
        let gate = Gate::new(&format!("{runtime:?}"));
        runtime.block_on(|spawner| async move {
            let ticks = spawner.tick();
            // A worker that is not ready before the gate opens.
            let pool = Pool::builder().workers(1).initializer(pass.bind(gate.clone())).build().expect("a pool");
            let handle = add.bind(1, 1).on(&pool).spawn_async().await;
            ticked(&ticks, 10_000).await;
            assert!(!handle.is_finished());
            gate.open();
            assert_eq!(handle.await.expect("a call"), 2);
            pool.shutdown();
        });
    }
}

#[loky::task]
fn pass(gate: Gate) {
    gate.pass();
}

fn async_07_a_thousand_requests_on_one_thread() {
    for runtime in BOTH {
        runtime.block_on(|_| async move {
            let pool = Pool::builder().workers(2).queue_limit(10).build().expect("a pool");
            let request = |number: i64| {
                let pool = pool.clone();
                async move { add.bind(number, 1).on(&pool).spawn_async().await.await }
            };
            let sums = futures_util::future::join_all((0..1000).map(request)).await;
            assert!(sums.into_iter().zip(1..).all(|(sum, expected)| sum.expect("a call") == expected));
            pool.shutdown();
        });
    }
}
