//! What more workers bring: the same files, on one warm worker and on all of them, in the same run.
//!
//! Not taken from the census itself: that includes the start of the processes, reading files that the kernel has not
//! seen yet, and time limits, and there is no run with one worker to compare it with.

use std::path::Path;
use std::time::{Duration, Instant};

use loky::prelude::*;
use serde::Serialize;

use crate::args::Options;
use crate::count::count;
use crate::progress;

/// A measured speed-up, or the reason why there is none.
pub(crate) type SpeedUp = Result<Measured, String>;

#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Measured {
    pub(crate) files: usize,
    /// Each side was timed this often, in turn; the times are the best of them, as noise only ever adds.
    pub(crate) rounds: usize,
    pub(crate) one_worker_seconds: f64,
    pub(crate) all_workers_seconds: f64,
}

impl Measured {
    pub(crate) fn ratio(&self) -> f64 {
        self.one_worker_seconds / self.all_workers_seconds
    }
}

const FILES_MAX: usize = 600;
const ROUNDS: usize = 3;
/// Of work in the sample: with the rounds and both sides this bounds the whole measurement to some 8 s.
const WORK_MAX: Duration = Duration::from_millis(1500);
/// With less, the time goes to anything but parsing, or to waiting for the one worker that has the largest file.
const WORK_MIN: Duration = Duration::from_millis(300);
const FILES_PER_WORKER_MIN: usize = 8;

/// Times a sample of the files that were parsed; each comes with the microseconds it took. The census itself is taken
/// by then, so a failure here costs no more than this figure.
pub(crate) fn measure(all: &loky::Pool, options: &Options, parsed: &[(&Path, u64)]) -> SpeedUp {
    if options.workers == 1 {
        return Err("there is only one worker".into());
    }
    // More workers than processors stretch each other's times.
    let crowding = (options.workers as f64 / loky::cpu_count() as f64).max(1.0);
    let sample = sample(parsed, crowding);
    if work(&sample).div_f64(crowding) < WORK_MIN || sample.len() < FILES_PER_WORKER_MIN * options.workers {
        return Err("there is too little to parse".into());
    }
    let _line = progress::busy(format!("timing {} files on one worker and on {}", sample.len(), options.workers));
    compare(all, &sample, options.limit).map_err(|error| format!("a {error}"))
}

fn compare(all: &loky::Pool, sample: &[(&Path, u64)], limit: Duration) -> Result<Measured, loky::Error> {
    let one = loky::Pool::builder().workers(1).timeout(limit).build()?;
    // Not timed: starts the processes and lets each of them run through the parser once.
    time(&one, &sample[..sample.len().min(4)])?;
    time(all, sample)?;
    let mut best = [Duration::MAX; 2];
    for _ in 0..ROUNDS {
        best[0] = best[0].min(time(&one, sample)?);
        best[1] = best[1].min(time(all, sample)?);
    }
    let [one_worker_seconds, all_workers_seconds] = best.map(|time| time.as_secs_f64());
    Ok(Measured { files: sample.len(), rounds: ROUNDS, one_worker_seconds, all_workers_seconds })
}

fn time(pool: &loky::Pool, sample: &[(&Path, u64)]) -> Result<Duration, loky::Error> {
    let started = Instant::now();
    for (_, result) in sample.iter().map(|(path, _)| path.to_path_buf()).par_map(count).on(pool).unordered() {
        // A file that has vanished since is no reason to give up; a worker that dies is.
        let _counted_or_refused = result?;
    }
    Ok(started.elapsed())
}

/// Files at equal distances in the list, so that small and large crates have their share, within the bounds above.
fn sample<'a>(parsed: &[(&'a Path, u64)], crowding: f64) -> Vec<(&'a Path, u64)> {
    let picked = every_nth(parsed, FILES_MAX);
    let share = WORK_MAX.as_secs_f64() * crowding / work(&picked).as_secs_f64();
    if share < 1.0 { every_nth(&picked, (picked.len() as f64 * share) as usize) } else { picked }
}

fn every_nth<T: Copy>(items: &[T], wanted: usize) -> Vec<T> {
    let wanted = wanted.min(items.len());
    (0..wanted).map(|n| items[n * items.len() / wanted]).collect()
}

fn work(files: &[(&Path, u64)]) -> Duration {
    Duration::from_micros(files.iter().map(|(_, micros)| micros).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_even_and_bounded() {
        let files = |number: usize, micros: u64| vec![(Path::new("a.rs"), micros); number];
        assert_eq!(sample(&files(50, 1000), 1.0).len(), 50);
        assert_eq!(sample(&files(5000, 1000), 1.0).len(), 600);
        assert_eq!(sample(&files(5000, 100_000), 1.0).len(), 15);
        assert_eq!(sample(&files(5000, 100_000), 4.0).len(), 60);
        assert_eq!(sample(&[], 1.0).len(), 0);
        assert_eq!(every_nth(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 4), [0, 2, 5, 7]);
    }
}
