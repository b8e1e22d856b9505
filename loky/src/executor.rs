//! Runs a future to its end on the calling thread: what makes an `async fn` a task.
//!
//! With the feature `tokio` it runs within a tokio runtime, so timers, sockets and `tokio::spawn` work in it.
//! Without, the thread sleeps until the future's waker is called, which is all that a future needs that brings its
//! own runtime.

use std::future::Future;

#[cfg(not(feature = "tokio"))]
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    parked::block_on(future)
}

#[cfg(feature = "tokio")]
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    within_tokio::block_on(future)
}

#[cfg(any(not(feature = "tokio"), test))]
mod parked {
    use std::future::Future;
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, Wake, Waker};
    use std::thread::{self, Thread};

    /// Wakes the thread; a wake-up before it sleeps is remembered by it.
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    pub(super) fn block_on<F: Future>(future: F) -> F::Output {
        let mut future = pin!(future);
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        loop {
            match future.as_mut().poll(&mut context) {
                Poll::Ready(output) => return output,
                Poll::Pending => thread::park(),
            }
        }
    }
}

#[cfg(feature = "tokio")]
mod within_tokio {
    use std::future::Future;
    use std::sync::OnceLock;

    use tokio::runtime::{Builder, Runtime};

    /// One for all calls, so that what a task has left running goes on. One thread beside the task's own: workers
    /// times threads shall not exceed the processors.
    fn runtime() -> &'static Runtime {
        static RUNTIME: OnceLock<Runtime> = OnceLock::new();
        RUNTIME.get_or_init(|| {
            let built = Builder::new_multi_thread().worker_threads(1).thread_name("loky-tokio").enable_all().build();
            built.unwrap_or_else(|why| {
                panic!("the tokio runtime for `async` tasks cannot be started in this worker: {why}")
            })
        })
    }

    pub(super) fn block_on<F: Future>(future: F) -> F::Output {
        runtime().block_on(future)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::task::{Poll, Waker};
    use std::thread;

    use super::*;

    #[test]
    fn a_future_that_is_ready_needs_no_waking() {
        assert_eq!(parked::block_on(async { 1 + 1 }), 2);
        assert_eq!(block_on(std::future::ready(3)), 3);
    }

    #[test]
    fn a_future_is_polled_again_when_it_was_woken() {
        let (send, wakers) = mpsc::channel::<Waker>();
        let waking = thread::spawn(move || wakers.into_iter().for_each(Waker::wake));
        let mut left = 100;
        let count_down = std::future::poll_fn(|context| {
            left -= 1;
            send.send(context.waker().clone()).unwrap();
            if left == 0 { Poll::Ready(left) } else { Poll::Pending }
        });
        assert_eq!(parked::block_on(count_down), 0);
        drop(send);
        waking.join().unwrap();
    }

    #[cfg(feature = "tokio")]
    #[test]
    fn timers_and_spawned_tasks_work_within_tokio() {
        let waited = block_on(async {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            tokio::spawn(async { 7 }).await.unwrap()
        });
        assert_eq!(waited, 7);
    }
}
