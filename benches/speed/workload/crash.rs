//! W6: what a crash and a hung call cost: themselves, their neighbors, and the next one.

use std::time::{Duration, Instant};

use crate::absent::Measured;
use crate::cell::Notes;
use crate::gate::LastWords;
use crate::scale::{Scale, median};
use crate::system::{Crash, System};
use crate::tasks;

pub(super) fn measure<S: System>(scale: Scale, notes: &Notes) {
    let (mut to_error, mut lost, mut served) = (vec![], vec![], vec![]);
    let crashes: Measured<()> = (0..scale.pick(5, 1)).try_for_each(|_| {
        let crash = crash::<S>(scale)?;
        to_error.push(crash.0);
        lost.push(crash.1);
        served.push(crash.2);
        Ok(())
    });
    match crashes {
        Ok(()) => {
            notes.put("crash_to_error", Ok(median(to_error)));
            notes.put("lost", Ok(lost.into_iter().fold(0.0, f64::max)));
            notes.put("served_after", Ok(median(served)));
        }
        Err(why) => {
            let why = crate::absent::outcome(Err(why));
            ["crash_to_error", "lost", "served_after"].into_iter().for_each(|key| notes.put_outcome(key, &why));
        }
    }
    notes.put("hung_over_limit", scale.median_of(3, || hang::<S>(scale)));
}

/// Until the error was there, how many good calls were lost, and how long the next one took.
fn crash<S: System>(scale: Scale) -> Measured<(f64, f64, f64)> {
    let system = S::start(2)?;
    system.burn_all(&[100_000; 20])?;
    let last_words = LastWords::await_some()?;
    let Crash { seen, lost } = system.crash(&vec![BURN; scale.pick(1000, 100)], last_words.name())?;
    let died = last_words.read()?;
    let begin = Instant::now();
    system.next(7)?;
    let served = begin.elapsed();
    system.stop();
    Ok((seen.saturating_sub(died) as f64, lost as f64, served.as_nanos() as f64))
}

fn hang<S: System>(scale: Scale) -> Measured<f64> {
    let limit = Duration::from_millis(scale.pick(300, 50));
    let system = S::start(2)?;
    system.next(1)?;
    let begin = tasks::now();
    system.hang(limit)?;
    let passed = tasks::now() - begin;
    system.stop();
    Ok(passed as f64 - limit.as_nanos() as f64)
}

/// 50 us.
const BURN: u64 = 50_000;
