//! This library.

use std::any::Any;
use std::time::Duration;

use loky::prelude::*;
use loky::{JoinHandle, Pool, Shared};

use super::{Crash, Pending, SharedNumbers, System};
use crate::absent::{Measured, failed};
use crate::tasks;

pub(crate) struct Loky(Pool);

impl Loky {
    fn burn(&self, nanoseconds: &[u64]) -> Vec<JoinHandle<()>> {
        nanoseconds.iter().map(|time| tasks::burn.bind(*time).on(&self.0).spawn()).collect()
    }
}

impl System for Loky {
    fn start(workers: usize) -> Measured<Self> {
        // The pool that everybody gets, so that it can be gotten again; each cell is a new program.
        Ok(Self(loky::reusable(Pool::builder().workers(workers))?))
    }

    fn start_copies(workers: usize) -> Measured<Self> {
        Ok(Self(Pool::builder().workers(workers).zygote(true).build()?))
    }

    fn stop(self) {
        self.0.shutdown();
    }

    fn next(&self, x: u64) -> Measured<u64> {
        Ok(tasks::next.bind(x).on(&self.0).run()?)
    }

    fn next_each(&self, calls: u64) -> Measured<u64> {
        let handles: Vec<_> = (0..calls).map(|x| tasks::next.bind(x).on(&self.0).spawn()).collect();
        let results = handles.into_iter().map(JoinHandle::join);
        Ok(results.sum::<Result<u64, _>>()?)
    }

    fn next_mapped(&self, calls: u64) -> Measured<u64> {
        Ok((0..calls).par_map(tasks::next).on(&self.0).sum::<Result<u64, _>>()?)
    }

    fn visits(&self, gate: &str, visits: usize) -> Measured<Pending<'_>> {
        let spawn = |_| tasks::visit.bind(gate.to_owned()).on(&self.0).spawn();
        let handles: Vec<_> = (0..visits).map(spawn).collect();
        Ok(Box::new(move || Ok(loky::join_all(handles).map(drop)?)))
    }

    fn echo(&self, values: Vec<f64>) -> Measured<Vec<f64>> {
        Ok(tasks::echo.bind(values).on(&self.0).run()?)
    }

    fn share(&self, values: &[f64]) -> Measured<Box<dyn SharedNumbers + '_>> {
        Ok(Box::new((&self.0, Shared::try_from_slice(values)?)))
    }

    fn burn_all(&self, nanoseconds: &[u64]) -> Measured<()> {
        Ok(loky::join_all(self.burn(nanoseconds)).map(drop)?)
    }

    fn burn_mapped(&self, nanoseconds: &[u64]) -> Measured<()> {
        Ok(nanoseconds.iter().par_map(tasks::burn).on(&self.0).collect::<Result<(), _>>()?)
    }

    fn crash(&self, burns: &[u64], last_words: &str) -> Measured<Crash> {
        let (before, after) = burns.split_at(burns.len() / 2);
        let mut others = self.burn(before);
        let fatal = tasks::die.bind(last_words.to_owned()).on(&self.0).spawn();
        others.extend(self.burn(after));
        if fatal.join().is_ok() {
            return failed("nothing has died");
        }
        let seen = tasks::now();
        let lost = others.into_iter().map(JoinHandle::join).filter(Result::is_err).count();
        Ok(Crash { seen, lost })
    }

    fn hang(&self, limit: Duration) -> Measured<()> {
        match tasks::sleep.bind(HOURS).on(&self.0).timeout(limit).run() {
            Err(why) if why.is_timeout() => Ok(()),
            Err(why) => Err(why.into()),
            Ok(()) => failed("it has returned"),
        }
    }

    fn backlog(&self, calls: usize) -> Measured<Box<dyn Any>> {
        let spawn = |x| tasks::next.bind(x).on(&self.0).spawn();
        Ok(Box::new((0..calls as u64).map(spawn).collect::<Vec<_>>()))
    }

    fn again(&self) -> Measured<()> {
        drop(std::hint::black_box(loky::pool()));
        Ok(())
    }

    fn resize(&self, workers: usize) -> Measured<()> {
        self.0.resize(workers);
        Ok(())
    }
}

impl SharedNumbers for (&Pool, Shared<f64>) {
    fn echo(&self) -> Measured<()> {
        drop(tasks::echo_shared.bind(self.1.clone()).on(self.0).run()?);
        Ok(())
    }

    fn sum(&self) -> Measured<f64> {
        Ok(tasks::sum_shared.bind(self.1.clone()).on(self.0).run()?)
    }

    fn values(&self) -> &[f64] {
        &self.1
    }
}

const HOURS: Duration = Duration::from_secs(10_000);
