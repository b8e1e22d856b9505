//! What simulations have in common: dice, worlds that are grown from numbers, and a count of what was seen in them.
//!
//! `LOKY_SIM_SEED=n` grows one world and tells its story; `LOKY_SIM_WORLDS=n` sets how many are grown.

mod dice;
mod tally;

use std::env;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

pub(crate) use self::dice::Dice;
pub(crate) use self::tally::{Sights, Tally, sights};

/// The one world to be told of, if somebody asks for one.
pub(crate) fn told() -> Option<u64> {
    number("LOKY_SIM_SEED")
}

/// Grows the worlds of the numbers from 0 to `usual`, or to as many as are asked for, on all processors. Unless fewer are
/// asked for, everything has to be seen in them.
pub(crate) fn grow_many<S: Sights>(usual: u64, grow: impl Fn(u64) -> Tally<S> + Sync) {
    let worlds = number("LOKY_SIM_WORLDS").unwrap_or(usual);
    let next = AtomicU64::new(0);
    let work = || {
        let mut sum = Tally::default();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= worlds {
                return sum;
            }
            sum.add(&grow(number));
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let sum = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut sum = Tally::default();
        for worker in workers {
            sum.add(&worker.join().expect("a world broke a promise; its seed is above"));
        }
        sum
    });
    println!("{worlds} worlds:\n{}", sum.table());
    assert!(worlds < usual || sum.missing().is_empty(), "never seen in these worlds: {:?}", sum.missing());
}

fn number(name: &str) -> Option<u64> {
    let value = env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is a number, not {value:?}")))
}
