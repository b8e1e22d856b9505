//! A `par_map` as a stream.

use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::{Stream, StreamExt};
use loky::prelude::*;
use loky::{ErrorKind, Pool};
use loky_tests::tasks::{meet, square};
use loky_tests::{Case, Gate, cases, eventually, fails, pool_of};

use crate::{BOTH, ticked};

pub(crate) const CASES: &[Case] = cases![
    async_11_a_stream_yields_what_the_iterator_yields,
    async_12_a_stream_leaves_the_thread_alone,
    async_13_input_is_pulled_when_it_is_polled_and_as_far_as_the_window,
    async_14_a_dropped_stream_cancels_what_is_left,
    async_15_a_full_queue_does_not_block_a_stream,
    async_16_whoever_polls_last_is_woken,
    async_17_a_crash_costs_one_item_of_a_stream,
];

fn async_11_a_stream_yields_what_the_iterator_yields() {
    for runtime in BOTH {
        runtime.block_on(|_| async {
            let pool = pool_of(2);
            let expected: Vec<_> = (0..5000).map(|number| number * number).collect();
            let stream = (0..5000).par_map(square).on(&pool).into_stream();
            assert_eq!(stream.size_hint(), (5000, Some(5000)));
            let ordered: Vec<_> = stream.map(|result| result.expect("a call")).collect().await;
            assert_eq!(ordered, expected);
            let unordered = (0..5000).par_map(square).on(&pool).unordered().into_stream();
            let mut unordered: Vec<_> =
                unordered.map(|(place, result)| (place, result.expect("a call"))).collect().await;
            unordered.sort_unstable();
            assert_eq!(unordered, expected.into_iter().enumerate().collect::<Vec<_>>());
            let mut empty = (0..0).par_map(square).on(&pool).into_stream();
            assert!(empty.next().await.is_none() && empty.next().await.is_none());
            pool.shutdown();
        });
    }
}

fn async_12_a_stream_leaves_the_thread_alone() {
    for runtime in BOTH {
        let gate = Gate::new(&format!("{runtime:?}"));
        runtime.block_on(|spawner| async move {
            let (pool, ticks) = (pool_of(1), spawner.tick());
            let items: Vec<_> = (0..4).map(|number| (gate.clone(), number)).collect();
            let mut stream = items.into_iter().par_map(meet).on(&pool).chunk_size(1).into_stream();
            let (first, ()) = futures_util::future::join(stream.next(), async {
                ticked(&ticks, 10_000).await;
                gate.open();
            })
            .await;
            assert_eq!(first.expect("an item").expect("a call"), 0);
            let rest: Vec<_> = stream.map(|result| result.expect("a call")).collect().await;
            assert_eq!(rest, [1, 2, 3]);
            pool.shutdown();
        });
    }
}

fn async_13_input_is_pulled_when_it_is_polled_and_as_far_as_the_window() {
    for runtime in BOTH {
        runtime.block_on(|spawner| async move {
            let (pool, ticks, pulled) = (pool_of(1), spawner.tick(), Rc::new(Cell::new(0)));
            let counting = Rc::clone(&pulled);
            // Neither `Send` nor finite.
            let input = (0..).inspect(move |_| counting.set(counting.get() + 1));
            let mut stream = input.par_map(square).on(&pool).window(4).into_stream();
            ticked(&ticks, 100).await;
            assert_eq!(pulled.get(), 0, "nothing runs before the first poll");
            for number in 0..100 {
                assert_eq!(stream.next().await.expect("an item").expect("a call"), number * number);
                assert!(pulled.get() <= number + 1 + 4);
            }
            let before = pulled.get();
            ticked(&ticks, 1000).await;
            assert_eq!(pulled.get(), before, "nor without one");
            drop(stream);
            pool.shutdown();
        });
    }
}

fn async_14_a_dropped_stream_cancels_what_is_left() {
    for runtime in BOTH {
        let gate = Gate::new(&format!("{runtime:?}"));
        let items: Vec<_> = (0..10).map(|number| (gate.clone(), number)).collect();
        let pool = pool_of(1);
        let mut stream = items.into_iter().par_map(meet).on(&pool).chunk_size(1).into_stream();
        let (polled, gate_of_it) = (&mut stream, &gate);
        runtime.block_on(|spawner| async move {
            let ticks = spawner.tick();
            let waiting = pin!(polled.next());
            let other = pin!(async {
                while gate_of_it.arrivals().is_empty() {
                    ticked(&ticks, 10).await;
                }
            });
            assert!(matches!(
                futures_util::future::select(waiting, other).await,
                futures_util::future::Either::Right(_)
            ));
        });
        drop(stream);
        eventually("nothing is left", || pool.stats().queued == 0 && pool.stats().running == 0);
        gate.open();
        assert_eq!(gate.arrivals().len(), 1, "nobody else has begun");
        pool.shutdown();
    }
}

fn async_15_a_full_queue_does_not_block_a_stream() {
    for runtime in BOTH {
        let gate = Gate::new(&format!("{runtime:?}"));
        runtime.block_on(|spawner| async move {
            let ticks = spawner.tick();
            let pool = Pool::builder().workers(1).queue_limit_bytes(1).build().expect("a pool");
            let running = meet.bind(gate.clone(), 1).on(&pool).spawn();
            let queued = meet.bind(gate.clone(), 2).on(&pool).spawn_async().await;
            let mut stream = (0..10).par_map(square).on(&pool).chunk_size(1).into_stream();
            let (first, ()) = futures_util::future::join(stream.next(), async {
                ticked(&ticks, 10_000).await;
                gate.open();
            })
            .await;
            assert_eq!(first.expect("an item").expect("a call"), 0);
            assert_eq!(stream.map(Result::unwrap).collect::<Vec<_>>().await, [1, 4, 9, 16, 25, 36, 49, 64, 81]);
            assert!(running.await.is_ok() && queued.await.is_ok());
            pool.shutdown();
        });
    }
}

#[derive(Default)]
struct Counting(AtomicU32);

impl Wake for Counting {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn async_16_whoever_polls_last_is_woken() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let mut stream = [(gate.clone(), 7)].into_iter().par_map(meet).on(&pool).into_stream();
    let wakers = [(); 2].map(|()| Arc::new(Counting::default()));
    for waker in wakers.iter().flat_map(|waker| [waker; 100]) {
        let waker = Waker::from(Arc::clone(waker));
        assert!(stream.poll_next_unpin(&mut Context::from_waker(&waker)).is_pending());
    }
    gate.open();
    eventually("it is woken", || wakers[1].0.load(Ordering::Relaxed) > 0);
    assert!(wakers.iter().all(|waker| waker.0.load(Ordering::Relaxed) <= 1), "each once, however often it has polled");
    let last = stream.poll_next_unpin(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(last, Poll::Ready(Some(Ok(7)))));
    pool.shutdown();
}

#[loky::task]
fn die_at(number: u64, at: u64) -> u64 {
    if number == at {
        std::process::abort();
    }
    number
}

fn async_17_a_crash_costs_one_item_of_a_stream() {
    for runtime in BOTH {
        runtime.block_on(|_| async {
            let pool = pool_of(2);
            let items = (0..100).map(|number| (number, 42));
            let results: Vec<_> = items.par_map(die_at).on(&pool).chunk_size(10).into_stream().collect().await;
            for (number, result) in (0..).zip(results) {
                match result {
                    Ok(value) => assert_eq!(value, number),
                    Err(why) => {
                        assert_eq!(number, 42);
                        fails::<u64>(Err(why), ErrorKind::Crash);
                    }
                }
            }
            pool.shutdown();
        });
    }
}
