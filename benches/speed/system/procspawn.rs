//! procspawn's pool.

use std::any::Any;
use std::collections::VecDeque;
use std::time::Duration;

use procspawn::{JoinHandle, Pool};

use super::{Crash, Pending, System};
use crate::absent::{Absent, Measured, failed};
use crate::tasks;

pub(crate) struct Procspawn(Pool);

impl Procspawn {
    fn burn(&self, nanoseconds: &[u64]) -> Vec<JoinHandle<()>> {
        nanoseconds.iter().map(|time| self.0.spawn(*time, tasks::burn)).collect()
    }

    /// Calls that wait hold descriptors, so not all can be in flight at once.
    fn in_windows<R>(&self, handles: impl Iterator<Item = JoinHandle<R>>, mut take: impl FnMut(R)) -> Measured<()>
    where
        R: serde::Serialize + serde::de::DeserializeOwned,
    {
        let mut window = VecDeque::new();
        for handle in handles {
            window.push_back(handle);
            if window.len() > WINDOW {
                window.pop_front().map(JoinHandle::join).transpose()?.into_iter().for_each(&mut take);
            }
        }
        window.into_iter().try_for_each(|handle| {
            take(handle.join()?);
            Ok(())
        })
    }
}

impl System for Procspawn {
    const BACKLOG_MAX: usize = 4_000;
    const IS_FAST_BY_VALUE: bool = false;

    fn start(workers: usize) -> Measured<Self> {
        Ok(Self(Pool::new(workers)?))
    }

    fn stop(self) {
        self.0.kill();
    }

    fn next(&self, x: u64) -> Measured<u64> {
        Ok(self.0.spawn(x, tasks::next).join()?)
    }

    fn next_each(&self, calls: u64) -> Measured<u64> {
        let mut sum = 0;
        self.in_windows((0..calls).map(|x| self.0.spawn(x, tasks::next)), |y| sum += y)?;
        Ok(sum)
    }

    fn next_mapped(&self, _calls: u64) -> Measured<u64> {
        Err(Absent::NotOffered)
    }

    fn visits(&self, gate: &str, visits: usize) -> Measured<Pending<'_>> {
        let handles: Vec<_> = (0..visits).map(|_| self.0.spawn(gate.to_owned(), tasks::visit)).collect();
        Ok(Box::new(move || Ok(handles.into_iter().try_for_each(JoinHandle::join)?)))
    }

    fn echo(&self, values: Vec<f64>) -> Measured<Vec<f64>> {
        Ok(self.0.spawn(values, tasks::echo).join()?)
    }

    fn burn_all(&self, nanoseconds: &[u64]) -> Measured<()> {
        self.in_windows(nanoseconds.iter().map(|time| self.0.spawn(*time, tasks::burn)), drop)
    }

    fn crash(&self, burns: &[u64], last_words: &str) -> Measured<Crash> {
        let (before, after) = burns.split_at(burns.len() / 2);
        let before = self.burn(before);
        let fatal = self.0.spawn(last_words.to_owned(), tasks::die);
        let after = self.burn(after);
        // In order, for its workers take no other call before the result of their last one is joined.
        let lost =
            |handles: Vec<JoinHandle<()>>| handles.into_iter().map(JoinHandle::join).filter(Result::is_err).count();
        let lost_before = lost(before);
        if fatal.join().is_ok() {
            return failed("nothing has died");
        }
        Ok(Crash { seen: tasks::now(), lost: lost_before + lost(after) })
    }

    fn hang(&self, limit: Duration) -> Measured<()> {
        let mut handle = self.0.spawn(Duration::from_secs(10_000), tasks::sleep);
        match handle.join_timeout(limit) {
            Err(why) if why.is_timeout() => Ok(handle.kill()?),
            Err(why) => Err(why.into()),
            Ok(()) => failed("it has returned"),
        }
    }

    fn backlog(&self, calls: usize) -> Measured<Box<dyn Any>> {
        Ok(Box::new((0..calls as u64).map(|x| self.0.spawn(x, tasks::next)).collect::<Vec<_>>()))
    }
}

const WINDOW: usize = 1000;
