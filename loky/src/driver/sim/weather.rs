//! What a world is like: its pool's settings, and how often what goes wrong there. All of it is drawn from the seed.
//!
//! Half of the faults do not occur in a given world: were every fault everywhere, few worlds would live long enough for
//! the rarer ones to meet.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::{ENTRY, YOUNG, YOUNGER};
use crate::config::{Interrupt, Output, Settings};
use crate::driver::order::Limits;
use crate::errand::{Errand, Finalizer, Initializer};
use crate::ids::TaskId;
use crate::task::TaskRef;
use crate::transport::payload::Payload;
use crate::worlds::Dice;

/// Waits are in milliseconds unless their names say otherwise, and the longest that occur; the odds of faults are in a
/// thousand.
#[derive(Debug)]
pub(super) struct Weather {
    /// How many things the users do before they ask for the shutdown.
    pub(super) deeds: u64,
    pub(super) gap_us: u64,
    /// How many calls are submitted at once, at most.
    pub(super) crowd: u64,
    pub(super) chunks: u64,
    pub(super) limits: u64,
    pub(super) retries: u64,
    pub(super) cancels: u64,
    pub(super) asks: u64,
    pub(super) lets_go: u64,
    /// How often somebody wants to know where the outcome will land, or waits for a call without driving.
    pub(super) watches: u64,
    pub(super) resizes: u64,
    pub(super) waiters: u64,
    /// How often a call encloses segments, and how little room there is for their descriptors.
    pub(super) encloses: u64,
    pub(super) is_narrow: bool,
    /// Whether some arguments and results are longer than a ring.
    pub(super) is_fat: bool,
    pub(super) launch_ms: u64,
    pub(super) launch_fails: u64,
    pub(super) says_no_hello: u64,
    pub(super) step_us: u64,
    pub(super) run_us: u64,
    /// How long a thread of the driver takes to wake, or to come to the lock.
    pub(super) latency_us: u64,
    pub(super) kill_ms: u64,
    pub(super) survives_kill: u64,
    pub(super) fails: u64,
    /// At any step of a worker.
    pub(super) dies: u64,
    pub(super) dies_running: u64,
    pub(super) cut: u64,
    pub(super) hangs: u64,
    pub(super) stops: u64,
    pub(super) closes_link: u64,
    pub(super) talks_nonsense: u64,
    pub(super) wears: u64,
    pub(super) loses_bells: u64,
    pub(super) ignores_stop: u64,
    /// How many values of finalizers were handed over, or what became of them.
    pub(super) finalized: Arc<AtomicU32>,
    /// What there is in [young](YOUNG) worlds only. How often a call has a long row, and answers with one.
    pub(super) rows: u64,
    /// How often a result says within itself what it encloses of its call.
    pub(super) of_readers: u64,
    /// How often calls are timed, and how often a worker lies about that.
    pub(super) timings: u64,
    pub(super) false_times: u64,
    /// How often nonsense is something that would make sense at another time.
    pub(super) untimely: u64,
    /// What there is in [younger](YOUNGER) worlds only: how often a worker leaves the last items of a chunk alone.
    pub(super) breaks_off: u64,
}

/// The arguments of what a worker runs first, and last.
const FIRST: &[u8] = b"first";
pub(super) const LAST: &[u8] = b"last";

impl Weather {
    pub(super) fn draw(dice: &mut Dice, seed: u64) -> Self {
        let old = Self::draw_old(dice);
        if seed < YOUNG {
            return old;
        }
        let young = Self {
            rows: if dice.chance(700) { dice.between(100, 900) } else { 0 },
            of_readers: odds(dice) * 3,
            timings: dice.between(0, 1000),
            false_times: odds(dice),
            untimely: dice.between(0, 1000),
            ..old
        };
        if seed < YOUNGER {
            return young;
        }
        Self { breaks_off: dice.between(1, 500), chunks: dice.between(200, 1000), ..young }
    }

    fn draw_old(dice: &mut Dice) -> Self {
        let is_fat = dice.chance(60);
        let crowd = [1, 3, 12, 25][dice.below(if is_fat { 2 } else { 4 }) as usize];
        // Segments are descriptors, of which there are not so many.
        let is_narrow = crowd < 12 && dice.chance(150);
        Self {
            deeds: dice.between(4, if is_fat { 12 } else { 30 }),
            gap_us: [10, 300, 3_000, 30_000][dice.below(4) as usize],
            crowd,
            chunks: odds(dice),
            limits: odds(dice),
            retries: dice.between(0, 1000),
            cancels: odds(dice),
            asks: odds(dice) / 2,
            lets_go: odds(dice) / 2,
            watches: odds(dice) * 2,
            resizes: odds(dice) / 4,
            waiters: odds(dice) * 3,
            encloses: if is_narrow { 800 } else { odds(dice) },
            is_narrow,
            is_fat,
            launch_ms: [1, 5, 40][dice.below(3) as usize],
            launch_fails: odds(dice) / 4,
            says_no_hello: odds(dice) / 6,
            step_us: [0, 2, 50, 1_000][dice.below(4) as usize],
            run_us: [5, 200, 5_000, 50_000][dice.below(4) as usize],
            latency_us: [0, 20, 300, 2_000][dice.below(4) as usize],
            kill_ms: dice.below(20),
            survives_kill: odds(dice) / 3,
            fails: odds(dice),
            dies: odds(dice) / 20,
            dies_running: odds(dice) / 3,
            cut: odds(dice) / 3,
            hangs: if dice.chance(250) { odds(dice) / 4 } else { 0 },
            stops: odds(dice) / 10,
            closes_link: odds(dice) / 20,
            talks_nonsense: odds(dice) / 20,
            wears: odds(dice) / 10,
            loses_bells: if dice.chance(250) { odds(dice) / 4 } else { 0 },
            ignores_stop: odds(dice),
            finalized: Arc::default(),
            rows: 0,
            of_readers: 0,
            timings: 0,
            false_times: 0,
            untimely: 0,
            breaks_off: 0,
        }
    }

    /// Whether everything comes to its end by itself, so that nobody has to force it.
    pub(super) const fn is_calm(&self) -> bool {
        self.hangs == 0 && self.loses_bells == 0
    }

    pub(super) fn settings(&self, dice: &mut Dice) -> Settings {
        let workers = dice.between(1, 4) as usize;
        Settings {
            workers,
            spares: dice.below(8).saturating_sub(6) as usize,
            idle_timeout: [None, Some(Duration::ZERO), Some(dice.wait(1, 60)), Some(Duration::from_secs(10))]
                [dice.below(4) as usize],
            max_calls_per_worker: dice.chance(150).then(|| dice.between(1, 6)),
            min_workers: dice.below(6).saturating_sub(4) as usize,
            queue_limit_bytes: dice.chance(100).then(|| dice.between(50, 1_000) as usize),
            queue_limit: dice.chance(150).then(|| dice.between(1, 6) as usize),
            output: if dice.chance(250) { Output::Capture } else { Output::Null },
            on_interrupt: Interrupt::Ignore,
            initializers: (0..dice.below(8).saturating_sub(6)).map(|_| initializer()).collect(),
            finalizers: (0..dice.below(8).saturating_sub(6)).map(|_| self.finalizer()).collect(),
            timings: Some(dice.chance(self.timings)),
            ..Settings::default_for(1)
        }
    }

    fn finalizer(&self) -> Finalizer {
        let finalized = Arc::clone(&self.finalized);
        let told = move |_| _ = finalized.fetch_add(1, Ordering::Relaxed);
        Finalizer { errand: errand(LAST), told: Arc::new(told) }
    }

    pub(super) fn draw_limits(&self, dice: &mut Dice) -> Limits {
        let mut limit = |low, high| dice.chance(self.limits).then(|| dice.wait(low, high));
        let (timeout, queue_timeout, deadline) = (limit(1, 60), limit(0, 100), limit(0, 200));
        let retries = dice.chance(self.retries).then(|| dice.below(4) as u32);
        let priority = if dice.chance(100) { dice.below(3) as i32 - 1 } else { 0 };
        Limits { timeout, queue_timeout, deadline, retries, priority }
    }
}

fn initializer() -> Initializer {
    Initializer { errand: errand(FIRST), judge: |answer| if answer == b"good" { Ok(()) } else { Err("is bad".into()) } }
}

fn errand(arguments: &[u8]) -> Errand {
    Errand::new(task(), Payload::copy(arguments), None)
}

/// The one task there is.
pub(super) fn task() -> TaskRef {
    TaskRef::function(TaskId::registered(0), &ENTRY)
}

fn odds(dice: &mut Dice) -> u64 {
    if dice.chance(500) { 0 } else { dice.between(1, 300) }
}
