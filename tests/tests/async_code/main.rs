//! Async code on one thread, with two runtimes: whatever is waited for, the thread goes on.

mod service;
mod streams;

use std::cell::Cell;
use std::future::Future;
use std::process::ExitCode;
use std::rc::Rc;

loky::main! {
    fn main() -> ExitCode {
        // What this runtime keeps for the process, a timer has it made: it is there before anything is counted.
        let hour = std::time::Duration::from_secs(3600);
        smol::block_on(smol::future::poll_once(smol::Timer::after(hour)));
        loky_tests::run(&[service::CASES, streams::CASES], &[])
    }
}

/// Runs `future` on this thread beside others, on either runtime.
#[derive(Clone, Copy, Debug)]
enum Runtime {
    Tokio,
    Smol,
}

/// Starts futures beside the one that runs.
#[derive(Clone)]
enum Spawner {
    Tokio,
    Smol(Rc<smol::LocalExecutor<'static>>),
}

const BOTH: [Runtime; 2] = [Runtime::Tokio, Runtime::Smol];

impl Runtime {
    fn block_on<F: Future>(self, body: impl FnOnce(Spawner) -> F) -> F::Output {
        match self {
            Self::Tokio => {
                let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
                tokio::task::LocalSet::new().block_on(&runtime, body(Spawner::Tokio))
            }
            Self::Smol => {
                let executor = Rc::new(smol::LocalExecutor::new());
                smol::block_on(executor.run(body(Spawner::Smol(Rc::clone(&executor)))))
            }
        }
    }
}

impl Spawner {
    fn spawn(&self, future: impl Future<Output = ()> + 'static) {
        match self {
            Self::Tokio => drop(tokio::task::spawn_local(future)),
            Self::Smol(executor) => executor.spawn(future).detach(),
        }
    }

    /// Counts how often the thread had time for it.
    fn tick(&self) -> Rc<Cell<u64>> {
        let ticks = Rc::new(Cell::new(0));
        let counting = Rc::clone(&ticks);
        self.spawn(async move {
            loop {
                counting.set(counting.get() + 1);
                smol::future::yield_now().await;
            }
        });
        ticks
    }
}

/// Waits until the thread has had time so often more.
async fn ticked(ticks: &Cell<u64>, more: u64) {
    let until = ticks.get() + more;
    while ticks.get() < until {
        smol::future::yield_now().await;
    }
}
