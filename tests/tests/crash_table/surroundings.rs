//! What is around the call that is struck: its neighbors, and what the pool is doing. All of that goes well.

use std::sync::mpsc::{self, Receiver};
use std::thread;

use loky::prelude::*;
use loky::{Error, ErrorKind, JoinHandle, Pool};
use loky_tests::tasks::{meet, square};
use loky_tests::{Gate, eventually, fails, pool_of};

use crate::dimensions::{Place, State};
use crate::row::Row;

/// See the module.
pub(crate) struct Surroundings {
    /// What a callback hears of the neighbor that runs.
    held: Option<Receiver<Result<u64, Error>>>,
    waiting: Vec<JoinHandle<u64>>,
    shutdown: Option<thread::JoinHandle<()>>,
}

/// How many calls wait behind the two that run.
const WAITING: u64 = 3;

impl Surroundings {
    /// One neighbor runs, but where the pool is fresh.
    pub(crate) fn of(row: Row, pool: &Pool) -> Self {
        let held = (row.state != State::Fresh).then(|| hear(meet.bind(gate(), 1).on(pool).spawn()));
        if held.is_some() {
            gate().await_arrivals(1);
        }
        Self { held, waiting: Vec::new(), shutdown: None }
    }

    /// The worker of the neighbor that runs.
    pub(crate) fn worker() -> Option<u32> {
        gate().arrivals().first().map(|pid| pid.parse().expect("a pid"))
    }

    /// Brings the pool into the state of the row, now that the call is on its way.
    pub(crate) fn change(&mut self, row: Row, pool: &Pool) {
        // With calls that wait, no worker is idle.
        let waiting = if matches!(row.state, State::Fresh) || row.place == Place::Idle { 0 } else { WAITING };
        let mut crowd = || self.waiting.extend((0..waiting).map(|x| square.bind(x).on(pool).spawn()));
        match row.state {
            State::Fresh | State::Busy | State::Nested => crowd(),
            State::Resizing => {
                pool.resize(4);
                crowd();
                pool.resize(2);
            }
            State::ShuttingDown => {
                crowd();
                self.shutdown = Some(begin_shutdown(pool));
            }
        }
    }

    /// The neighbors have their results, and the pool, or another one after its shutdown, serves a fresh call.
    pub(crate) fn have_gone_on(self, pool: &Pool) {
        gate().open();
        if let Some(held) = self.held {
            assert_eq!(held.recv().expect("its callback is called").expect("it ran in another worker"), 1);
        }
        let results = loky::join_all(self.waiting).expect("they only waited");
        assert!((0..).map(square).zip(results).all(|(expected, result)| expected == result));
        if let Some(shutdown) = self.shutdown {
            shutdown.join().expect("it ends");
            fails(square.bind(3).on(pool).run(), ErrorKind::Shutdown);
            let next = pool_of(1);
            assert_eq!(square.bind(3).on(&next).run().expect("another pool can be had"), 9);
            return next.shutdown();
        }
        let fresh = hear(square.bind(3).on(pool).spawn());
        assert_eq!(fresh.recv().expect("its callback is called").expect("the pool goes on"), 9);
    }
}

fn gate() -> Gate {
    Gate::of_the_case("neighbors")
}

fn hear(call: JoinHandle<u64>) -> Receiver<Result<u64, Error>> {
    let (tell, heard) = mpsc::channel();
    call.on_done(move |result| tell.send(result).expect("it is awaited"));
    heard
}

/// Somebody waits for a graceful shutdown, and the pool has heard of it.
fn begin_shutdown(pool: &Pool) -> thread::JoinHandle<()> {
    let ending = pool.clone();
    let shutdown = thread::spawn(move || ending.shutdown());
    let is_refused = || {
        let call = square.bind(0).on(pool).spawn();
        call.is_finished() && call.join().is_err_and(|error| error.kind() == ErrorKind::Shutdown)
    };
    eventually("the shutdown has begun", is_refused);
    shutdown
}
