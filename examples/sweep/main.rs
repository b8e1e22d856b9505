//! A parameter sweep, nested: one task for each temperature, and in each of them one for each replica.
//!
//! `cargo run --release --example sweep [SIDE [STEPS]]` simulates a magnet at temperatures around the one at which it
//! ceases to be one. However deep the pools are nested, there are no more busy processes than processors: a worker's own pool
//! has the processors that its worker has for itself. A bar shows how far it is, and below it each worker says the same of its
//! temperature. The physics is in `ising`, the two `par_map`s are in this file.

mod ising;

use std::error::Error;
use std::time::Instant;

use loky::prelude::*;
use serde::{Deserialize, Serialize};

const TEMPERATURES: usize = 25;
const REPLICAS: u64 = 8;

/// What was found at one temperature: averages over the replicas.
#[derive(Debug, Serialize, Deserialize)]
struct Point {
    magnetization: f64,
    /// How much they differ.
    deviation: f64,
}

#[loky::task]
fn explore(temperature: f64, side: usize, steps: usize) -> Result<Point, loky::Error> {
    loky::progress_message(format!("temperature {temperature:.3}"));
    let replica = loky::closure!(|seed: u64| ising::magnetization(temperature, side, steps, seed));
    let mut done = 0.0;
    let tell = |_: &_| {
        done += 1.0;
        loky::progress(done / REPLICAS as f64);
    };
    let found = (1..=REPLICAS).par_map(replica).inspect(tell).collect::<Result<Vec<f64>, _>>()?;
    let mean = found.iter().sum::<f64>() / found.len() as f64;
    let variance = found.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / found.len() as f64;
    Ok(Point { magnetization: mean, deviation: variance.sqrt() })
}

loky::main! {
    fn main() -> Result<(), Box<dyn Error>> {
        let arguments = std::env::args().skip(1).map(|word| word.parse()).collect::<Result<Vec<usize>, _>>()?;
        let side = arguments.first().copied().unwrap_or(48).max(2);
        let steps = arguments.get(1).copied().unwrap_or(2_000);

        let begin = Instant::now();
        let temperatures: Vec<f64> = (0..TEMPERATURES).map(|step| 1.5 + step as f64 / 12.0).collect();
        let inputs = temperatures.iter().map(|&temperature| (temperature, side, steps));
        let points = inputs.par_map(explore).progress("temperatures");
        let points: Vec<Point> = points.map(|point| Ok(point??)).collect::<Result<_, Box<dyn Error>>>()?;

        println!("temperature  magnetization");
        for (temperature, point) in temperatures.iter().zip(&points) {
            let bar = "#".repeat((point.magnetization * 50.0).round() as usize);
            println!("{temperature:11.3}  {:.3} ± {:.3}  {bar}", point.magnetization, point.deviation);
        }
        println!("of an infinite magnet it ends at {:.3} (Onsager, 1944)", 2.0 / (1.0 + 2_f64.sqrt()).ln());
        let runs = TEMPERATURES * REPLICAS as usize;
        println!("{runs} runs of {steps} steps with {side} × {side} spins took {:.1?}", begin.elapsed());
        Ok(())
    }
}
