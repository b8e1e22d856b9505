//! Threads: the bound for a pool that protects from nothing. A crash would end the program, so there are none here.

use std::any::Any;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::{Pending, System};
use crate::absent::Measured;
use crate::tasks;

pub(crate) struct Rayon(ThreadPool);

impl System for Rayon {
    const HAS_PROCESSES: bool = false;

    fn start(workers: usize) -> Measured<Self> {
        Ok(Self(ThreadPoolBuilder::new().num_threads(workers).build()?))
    }

    fn stop(self) {}

    fn next(&self, x: u64) -> Measured<u64> {
        Ok(self.0.install(|| tasks::next(x)))
    }

    fn next_each(&self, calls: u64) -> Measured<u64> {
        // It has no handles; a place for all results is the nearest.
        let sum = AtomicU64::new(0);
        let sum_ref = &sum;
        self.0.in_place_scope(|scope| {
            for x in 0..calls {
                scope.spawn(move |_| {
                    sum_ref.fetch_add(tasks::next(x), Ordering::Relaxed);
                });
            }
        });
        Ok(sum.into_inner())
    }

    fn next_mapped(&self, calls: u64) -> Measured<u64> {
        Ok(self.0.install(|| (0..calls).into_par_iter().map(tasks::next).sum()))
    }

    fn visits(&self, gate: &str, visits: usize) -> Measured<Pending<'_>> {
        let (sender, done) = mpsc::channel();
        for _ in 0..visits {
            let (gate, sender) = (gate.to_owned(), sender.clone());
            self.0.spawn(move || {
                tasks::visit(gate);
                drop(sender);
            });
        }
        drop(sender);
        Ok(Box::new(move || {
            // Ends with the last sender.
            done.iter().for_each(|()| {});
            Ok(())
        }))
    }

    fn echo(&self, values: Vec<f64>) -> Measured<Vec<f64>> {
        Ok(self.0.install(move || tasks::echo(values)))
    }

    fn burn_all(&self, nanoseconds: &[u64]) -> Measured<()> {
        self.0.install(|| nanoseconds.par_iter().with_max_len(1).for_each(|time| tasks::burn(*time)));
        Ok(())
    }

    fn burn_mapped(&self, nanoseconds: &[u64]) -> Measured<()> {
        self.0.install(|| nanoseconds.par_iter().for_each(|time| tasks::burn(*time)));
        Ok(())
    }

    fn backlog(&self, calls: usize) -> Measured<Box<dyn Any>> {
        (0..calls as u64).for_each(|x| {
            self.0.spawn(move || {
                std::hint::black_box(tasks::next(x));
            });
        });
        Ok(Box::new(()))
    }
}
