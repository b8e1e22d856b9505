//! The floor of tiny tasks: for each of two processes a ring of numbered arguments, and one of numbered results.

use std::hint;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, SeqCst};
use std::time::Instant;

use super::bare::{Forked, Shared};
use crate::absent::{Measured, failed};
use crate::scale::Scale;
use crate::tasks;

/// Calls per second, with two workers; what is written is shown to the other side after so many.
pub(super) fn rate(scale: Scale, publish_after: u64) -> Measured<f64> {
    let calls = scale.pick(2_000_000, 20_000);
    scale.median_of(3, || {
        let begin = Instant::now();
        let mut seconds = begin.elapsed();
        let sum = run(calls, publish_after, || seconds = begin.elapsed())?;
        let passed = (begin.elapsed() - seconds).as_secs_f64();
        if sum == calls * (calls + 1) / 2 { Ok(calls as f64 / passed) } else { failed("a wrong sum") }
    })
}

/// A ring of one writer and one reader: how far the writer is, a bell for a reader that sleeps, and slots of 16 bytes.
struct Ring<'a>(&'a [AtomicU64]);

impl<'a> Ring<'a> {
    fn of(shared: &'a Shared) -> Self {
        Self(shared.words())
    }

    fn written(&self) -> u64 {
        self.0[0].load(Acquire)
    }

    /// With a full fence before the look at the sleeper, or each could miss the other.
    fn publish(&self, written: u64) {
        self.0[0].store(written, SeqCst);
        if self.0[ASLEEP].load(SeqCst) != 0 {
            self.0[BELL].fetch_add(1, SeqCst);
            Shared::ring(&self.0[BELL]);
        }
    }

    /// The number and the value.
    fn slot(&self, number: u64) -> (&AtomicU64, &AtomicU64) {
        let at = HEADER + (number % SLOTS) as usize * 2;
        (&self.0[at], &self.0[at + 1])
    }

    fn write(&self, number: u64, value: u64) {
        let (name, place) = self.slot(number);
        name.store(number, Relaxed);
        place.store(value, Relaxed);
    }

    fn read(&self, number: u64) -> u64 {
        self.slot(number).1.load(Relaxed)
    }
}

fn serve(arguments: &Ring<'_>, results: &Ring<'_>, publish_after: u64) {
    let mut done = 0;
    loop {
        let written = wait(arguments, done);
        while done < written {
            results.write(done, tasks::next(arguments.read(done)));
            done += 1;
            if done % publish_after == 0 || done == written {
                results.publish(done);
            }
        }
    }
}

/// Until there is more than this; sleeps soon, for there are more processes than processors.
fn wait(ring: &Ring<'_>, seen: u64) -> u64 {
    for _ in 0..200 {
        let written = ring.written();
        if written != seen {
            return written;
        }
        hint::spin_loop();
    }
    loop {
        let bell = ring.0[BELL].load(SeqCst);
        ring.0[ASLEEP].store(1, SeqCst);
        if ring.0[0].load(SeqCst) == seen {
            Shared::sleep(&ring.0[BELL], bell);
        }
        ring.0[ASLEEP].store(0, SeqCst);
        let written = ring.written();
        if written != seen {
            return written;
        }
    }
}

struct Worker<'a> {
    arguments: Ring<'a>,
    results: Ring<'a>,
    sent: u64,
    got: u64,
}

impl Worker<'_> {
    /// Never more than fit the ring of results, so neither ring needs to say how far its reader is.
    fn send(&mut self, next: &mut u64, calls: u64, publish_after: u64) {
        let room = (SLOTS - (self.sent - self.got)).min(calls - *next).min(SLOTS / 2);
        for nth in 1..=room {
            self.arguments.write(self.sent, *next);
            self.sent += 1;
            *next += 1;
            if nth % publish_after == 0 || nth == room {
                self.arguments.publish(self.sent);
            }
        }
    }

    fn receive(&mut self) -> u64 {
        let written = self.results.written();
        let sum = (self.got..written).map(|number| self.results.read(number)).sum();
        self.got = written;
        sum
    }
}

fn run(calls: u64, publish_after: u64, started: impl FnOnce()) -> Measured<u64> {
    let memory = (0..4).map(|_| Shared::new((HEADER + 2 * SLOTS as usize) * 8)).collect::<Result<Vec<_>, _>>()?;
    let rings = |worker: usize| (Ring::of(&memory[2 * worker]), Ring::of(&memory[2 * worker + 1]));
    let mut workers = [0, 1].map(|worker| {
        let (arguments, results) = rings(worker);
        Worker { arguments, results, sent: 0, got: 0 }
    });
    let _processes = workers
        .iter()
        .map(|worker| Forked::begin(|| serve(&worker.arguments, &worker.results, publish_after)))
        .collect::<Result<Vec<_>, _>>()?;
    started();
    let (mut next, mut sum) = (0, 0);
    while workers.iter().map(|worker| worker.got).sum::<u64>() < calls {
        let before = (next, sum);
        for worker in &mut workers {
            worker.send(&mut next, calls, publish_after);
            sum += worker.receive();
        }
        if before == (next, sum) {
            let late = workers.iter().find(|worker| worker.got < worker.sent);
            late.map(|worker| wait(&worker.results, worker.got));
        }
    }
    Ok(sum)
}

const SLOTS: u64 = 4096;
/// In words, each on cache lines of its own, after how far the writer is.
const BELL: usize = 16;
const ASLEEP: usize = 32;
const HEADER: usize = 48;
