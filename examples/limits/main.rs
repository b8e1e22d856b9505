//! Time limits, deadlines and cancelling: two algorithms race to factor a number, and the loser is stopped.
//!
//! `cargo run --release --example limits [NUMBER]…` factors the numbers that it is given, or some of its own. Trial division
//! is quick with small primes, and Pollard's rho with products of large ones; nobody knows before which it is. So each number is given to
//! both, the first answer counts, and the other call is cancelled: it is asked to end, and killed if it does not.

mod factor;

use std::error::Error;
use std::time::{Duration, Instant};

use loky::prelude::*;

use crate::factor::{by_rho, by_trial};

/// For one number, whoever answers.
const LIMIT: Duration = Duration::from_secs(2);
/// So long a task that was asked to end has for that.
const GRACE: Duration = Duration::from_millis(100);

/// Two products of large primes; a prime, of which rho never finds an end; and a prime beyond the reach of both.
const NUMBERS: [u128; 4] = [
    3 * 1_000_000_007 * 1_000_000_009,
    4_294_967_291 * 4_294_967_279,
    1_000_000_000_039,
    170_141_183_460_469_231_731_687_303_715_884_105_727,
];

loky::main! {
    fn main() -> Result<(), Box<dyn Error>> {
        let given: Vec<u128> = std::env::args().skip(1).map(|number| number.parse()).collect::<Result<_, _>>()?;
        for number in if given.is_empty() { NUMBERS.to_vec() } else { given } {
            let begin = Instant::now();
            let found = race(number);
            println!("{number}: {found} ({:.1} ms)", begin.elapsed().as_secs_f64() * 1e3);
        }
        Ok(())
    }
}

fn race(number: u128) -> String {
    let racers = ["trial division", "Pollard's rho"];
    let calls = [by_trial.bind(number), by_rho.bind(number)];
    let mut answers = loky::as_completed(calls.map(|call| call.deadline(LIMIT).spawn()));
    let mut failed = Vec::new();
    while let Some((index, answer)) = answers.next() {
        match answer {
            Ok(Some(factor)) => {
                answers.cancel_within(GRACE);
                return format!("{factor} × {}, found by {}", number / factor, racers[index]);
            }
            Ok(None) => {
                answers.cancel_within(GRACE);
                return format!("is prime, found by {}", racers[index]);
            }
            Err(why) if why.is_timeout() => failed.push(format!("{} took too long", racers[index])),
            Err(why) => failed.push(why.to_string()),
        }
    }
    failed.join(", ")
}
