//! What a world is like: its pool's rules, and how often what goes wrong there.
//!
//! All of it is drawn from the seed. Half of the faults do not occur in a given world: were every fault everywhere,
//! few worlds would live long enough for the rarer ones to meet.

use crate::worlds::Dice;
use std::time::{Duration, Instant};

use super::super::{Rules, Terms};

/// How the world ends, once its users have done all that they wanted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// A forced shutdown.
    Forced,
    /// A graceful one; a forced one when patience is at its end.
    Patience,
    /// A shutdown, forced or not, after which nothing happens any more but deaths and time.
    Silence { forced: bool },
}

/// Waits are in milliseconds unless their names say otherwise, and the longest that occur; the odds of faults are in
/// a thousand.
#[derive(Debug)]
pub(super) struct Weather {
    pub(super) rules: Rules,
    pub(super) ending: Ending,
    /// Whether a shutdown that is not forced is an interrupt.
    pub(super) is_interrupted: bool,
    /// How many things the users do before they ask for the shutdown, and after it.
    pub(super) deeds: u64,
    pub(super) deeds_after: u64,
    pub(super) gap_ms: u64,
    pub(super) cancels: u64,
    pub(super) resizes: u64,
    pub(super) warm_ups: u64,
    pub(super) strays: u64,
    pub(super) limits: u64,
    pub(super) launch_ms: u64,
    pub(super) run_us: u64,
    pub(super) latency_us: u64,
    /// How many calls are submitted at once, at most.
    pub(super) crowd: u64,
    pub(super) leave_ms: u64,
    pub(super) kill_ms: u64,
    /// How late the driver may notice that a timer has come.
    pub(super) late_ms: u64,
    pub(super) launch_fails: u64,
    pub(super) says_no_hello: u64,
    pub(super) closes_before_hello: u64,
    pub(super) dies_idle: u64,
    pub(super) dies_before_it_begins: u64,
    pub(super) dies_while_it_runs: u64,
    pub(super) dies_after_its_answer: u64,
    pub(super) freezes: u64,
    pub(super) hangs: u64,
    pub(super) closes_link: u64,
    pub(super) makes_progress: u64,
    pub(super) ignores_stop: u64,
    pub(super) survives_kill: u64,
    /// How many things a worker does before it serves, and before it leaves.
    pub(super) errands: u32,
    pub(super) errand_ms: u64,
    pub(super) errand_fails: u64,
    pub(super) errand_hangs: u64,
    /// Whether calls are of many items.
    pub(super) has_chunks: bool,
}

/// What came later than the worlds that are kept: there it would change what happens, so those have none of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Novelties {
    pub(super) spares: usize,
    pub(super) min_workers: usize,
    pub(super) errands: u32,
    pub(super) has_chunks: bool,
    pub(super) is_interrupted: bool,
}

impl Novelties {
    pub(super) fn of(seed: u64) -> Self {
        Self {
            spares: [0, 0, 0, 0, 0, 0, 1, 0, 2, 3, 0][(seed % 11) as usize],
            errands: [0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 1, 0][(seed % 13) as usize],
            min_workers: [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 3][(seed % 17) as usize],
            has_chunks: matches!(seed % 19, 6 | 8 | 10 | 16),
            is_interrupted: seed % 13 == 4,
        }
    }
}

impl Weather {
    /// What the worlds of old did not have is not drawn: the dice shall be thrown in the order in which they always
    /// were.
    pub(super) fn draw(dice: &mut Dice, novelties: Novelties) -> Self {
        let Novelties { spares, min_workers, errands, has_chunks, is_interrupted } = novelties;
        Self {
            rules: Rules { spares, min_workers, ..draw_rules(dice) },
            errands,
            errand_ms: 100,
            errand_fails: 60,
            errand_hangs: 60,
            has_chunks,
            ending: draw_ending(dice),
            is_interrupted,
            deeds: dice.between(5, 65),
            deeds_after: dice.below(6),
            gap_ms: [1, 10, 40, 80][dice.below(4) as usize],
            cancels: odds(dice),
            resizes: odds(dice) / 3,
            warm_ups: odds(dice) / 3,
            strays: odds(dice),
            limits: odds(dice),
            launch_ms: [2, 30, 150][dice.below(3) as usize],
            run_us: [50, 2_000, 20_000, 80_000][dice.below(4) as usize],
            latency_us: [0, 20, 500, 5_000][dice.below(4) as usize],
            crowd: [3, 3, 3, 15][dice.below(4) as usize],
            leave_ms: dice.below(60),
            kill_ms: dice.below(60),
            late_ms: if dice.chance(300) { 10 } else { 0 },
            launch_fails: odds(dice) / 2,
            says_no_hello: odds(dice) / 2,
            closes_before_hello: odds(dice) / 2,
            dies_idle: odds(dice),
            dies_before_it_begins: odds(dice),
            dies_while_it_runs: odds(dice),
            dies_after_its_answer: odds(dice),
            freezes: odds(dice) / 3,
            hangs: odds(dice) / 3,
            closes_link: odds(dice),
            makes_progress: odds(dice),
            ignores_stop: odds(dice),
            survives_kill: odds(dice),
        }
    }

    /// The terms of a call that is submitted now.
    pub(super) fn terms(&self, dice: &mut Dice, now: Instant) -> Terms {
        Terms {
            priority: if dice.chance(300) { dice.below(4) as i32 - 1 } else { 0 },
            retries: if dice.chance(300) { dice.below(4) as u32 } else { 0 },
            run_limit: dice.chance(self.limits).then(|| dice.wait(0, 100)),
            queue_deadline: dice.chance(self.limits).then(|| now + dice.wait(0, 200)),
            deadline: dice.chance(self.limits).then(|| now + dice.wait(0, 300)),
            items: if self.has_chunks { dice.between(1, 3) as u32 } else { 1 },
        }
    }
}

fn draw_rules(dice: &mut Dice) -> Rules {
    Rules {
        target: dice.below(5) as usize,
        spares: 0,
        min_workers: 0,
        idle_timeout: match dice.below(4) {
            0 => None,
            1 => Some(Duration::ZERO),
            2 => Some(dice.wait(1, 60)),
            _ => Some(Duration::from_secs(10)),
        },
        calls_per_worker_max: dice.chance(300).then(|| dice.below(5)),
        credit: [1, 2, 3, 8, 256][dice.below(5) as usize],
        hello_limit: dice.wait(20, 200),
        launch_failures_max: dice.between(1, 4) as u32,
        launch_pause: dice.wait(5, 300),
        stop_grace: dice.wait(1, 100),
        kill_grace: dice.wait(1, 100),
    }
}

fn draw_ending(dice: &mut Dice) -> Ending {
    match dice.below(4) {
        0 => Ending::Forced,
        1 => Ending::Patience,
        2 => Ending::Silence { forced: true },
        _ => Ending::Silence { forced: false },
    }
}

fn odds(dice: &mut Dice) -> u64 {
    if dice.chance(500) { 0 } else { dice.between(1, 300) }
}
