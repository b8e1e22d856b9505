//! Futures of calls in futures of a program: chains, awaits that are given up, and awaits within awaits.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use loky::prelude::*;
use loky::{Error, ErrorKind, JoinHandle};
use loky_tests::tasks::{meet, panic_with, pid, spin, square};
use loky_tests::{Case, Gate, cases, fails, finish, ms, pool_of, procfs, soon};
use serde::de::DeserializeOwned;

pub(crate) const CASES: &[Case] = cases![
    fut_14_an_await_that_is_given_up_can_stop_its_worker,
    fut_15_awaits_within_awaits,
    fut_15_a_chain_ends_at_its_first_failure,
    fut_15_an_async_task_awaits_calls_of_its_own,
];

/// Wakes the thread that blocks.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn waker() -> Waker {
    Waker::from(Arc::new(Unpark(thread::current())))
}

fn block_on<F: Future>(future: F) -> F::Output {
    let (mut future, waker) = (pin!(future), waker());
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// What a program writes that wants a call to end with whoever awaits it.
struct CancelOnDrop<R>(JoinHandle<R>);

impl<R> Drop for CancelOnDrop<R> {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl<R: DeserializeOwned> Future for CancelOnDrop<R> {
    type Output = Result<R, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context)
    }
}

fn fut_14_an_await_that_is_given_up_can_stop_its_worker() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    assert_eq!(block_on(CancelOnDrop(square.bind(3).on(&pool).spawn())).expect("nobody gives it up"), 9);
    let mut awaiting = Box::pin(async { CancelOnDrop(spin.bind(gate.clone()).on(&pool).spawn()).await });
    assert!(awaiting.as_mut().poll(&mut Context::from_waker(&waker())).is_pending());
    let worker: u32 = gate.await_arrivals(1)[0].parse().expect("a pid");
    drop(awaiting);
    soon("its worker is dead", ms(1000), || !procfs::is_alive(worker));
    assert_ne!(pid.bind().on(&pool).run().expect("another one serves"), worker);
}

fn fut_15_awaits_within_awaits() {
    async fn deep(levels: u64) -> Result<u64, Error> {
        match levels {
            0 => square.spawn(1).await,
            _ => {
                let (inner, own) = (Box::pin(deep(levels - 1)), square.spawn(levels));
                Ok(inner.await? + own.await?)
            }
        }
    }
    assert_eq!(block_on(deep(30)).expect("no deadlock"), (1..=30).map(square).sum::<u64>() + 1);
    let flattened = block_on(async {
        let later = async { Ok::<_, Error>(square.spawn(square.spawn(2).await?)) };
        later.await?.await
    });
    assert_eq!(flattened.expect("a handle from an await is awaited in turn"), 16);
    finish();
}

fn fut_15_a_chain_ends_at_its_first_failure() {
    let (pool, gate) = (pool_of(2), Gate::new("gate"));
    let chain = async {
        let four = square.bind(2).on(&pool).spawn().await?;
        panic_with.bind(&format!("at {four}")).on(&pool).spawn().await?;
        meet.bind(gate.clone(), 0).on(&pool).spawn().await
    };
    assert_eq!(fails(block_on(chain), ErrorKind::Panic).panic_message(), Some("at 4"));
    assert!(gate.arrivals().is_empty(), "what comes behind it does not begin");
    let mended = block_on(async { panic_with.bind("x").on(&pool).spawn().await.or(Ok::<_, Error>(7)) });
    assert_eq!(mended.expect("a failure may become a value"), 7);
}

#[loky::task]
async fn sum_of_squares(numbers: Vec<u64>) -> Result<u64, Error> {
    let handles: Vec<_> = numbers.into_iter().map(|x| square.spawn(x)).collect();
    let mut sum = 0;
    for handle in handles {
        sum += handle.await?;
    }
    Ok(sum)
}

fn fut_15_an_async_task_awaits_calls_of_its_own() {
    let both = async {
        let [one, other] = [vec![1, 2, 3], vec![4, 5]].map(|numbers| sum_of_squares.spawn(numbers));
        Ok::<_, Error>((one.await??, other.await??))
    };
    assert_eq!(block_on(both).expect("each in its worker"), (14, 41));
    finish();
}
