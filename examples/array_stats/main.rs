//! Statistics of a large file of measurements, chunk by chunk, in worker processes and in threads of this process: the same
//! function, the same file, the same result to the bit.
//!
//! `cargo run --release --example array_stats -- --help` lists the options. The file is mapped by every process and read
//! by none: what travels to a worker is where its chunk lies. Read on in this order: `stats` is the task, [`compare`]
//! below the two ways to run it, `data` where the file comes from, `args` the command line.

mod args;
mod data;
mod stats;

use std::error::Error;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use loky::prelude::*;
use loky::{Pool, Shared};

use crate::args::Options;
use crate::stats::{Stats, describe};

loky::main! {
    fn main() -> ExitCode {
        match run() {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                eprintln!("array_stats: {why}");
                ExitCode::FAILURE
            }
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let Some(options) = args::parse(env::args_os().skip(1))? else {
        print!("{}", args::HELP);
        return Ok(());
    };
    let path = data::write_once(&options)?;
    // Nobody changes the file while it is mapped: its name says what is in it, and it was complete when it got that.
    let values = Shared::map_file(&path)?;
    let compared = compare(&values, &options);
    if options.delete {
        fs::remove_file(&path)?;
        println!("{} is deleted", path.display());
    }
    compared
}

/// Runs both ways in turns, so that the moods of the machine meet both.
fn compare(values: &Shared<f64>, options: &Options) -> Result<(), Box<dyn Error>> {
    let pool = Pool::builder().workers(options.workers).build()?;
    pool.warm_up();
    let (chunk, mut ratios, mut last) = (options.chunk_mib << 17, Vec::new(), None);
    for round in 1..=options.rounds {
        let (threads, by_threads) = timed(|| in_threads(values, chunk, options.workers));
        let (workers, by_workers) = timed(|| in_workers(values, chunk, &pool));
        let by_workers = by_workers?;
        if !by_workers.is_same(&by_threads) {
            return Err(format!("workers found {by_workers:?}, and threads {by_threads:?}").into());
        }
        let ratio = workers.as_secs_f64() / threads.as_secs_f64();
        println!("round {round}: threads {threads:.1?}, workers {workers:.1?}, ratio {ratio:.2}");
        ratios.push(ratio);
        last = Some(by_workers);
    }
    ratios.sort_by(f64::total_cmp);
    if let Some(stats) = last {
        print!("{stats}");
        println!("the same to the bit; median ratio of workers to threads: {:.2}", ratios[ratios.len() / 2]);
    }
    pool.shutdown();
    Ok(())
}

/// Each item is a part of the shared file; the task borrows it as a slice.
fn in_workers(values: &Shared<f64>, chunk: usize, pool: &Pool) -> Result<Stats, loky::Error> {
    let parts = values.par_chunks(chunk).par_map(describe).on(pool).chunk_size(1);
    parts.collect::<Result<Vec<_>, _>>().map(Stats::of_all)
}

/// The same without the library: threads take the next chunk from a counter.
fn in_threads(values: &[f64], chunk: usize, threads: usize) -> Stats {
    let (chunks, next) = (values.chunks(chunk).collect::<Vec<_>>(), AtomicUsize::new(0));
    let work = || {
        let taken = std::iter::from_fn(|| {
            let at = next.fetch_add(1, Ordering::Relaxed);
            chunks.get(at).map(|chunk| (at, describe(chunk)))
        });
        taken.collect::<Vec<_>>()
    };
    let mut parts: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("to describe numbers never panics")).collect()
    });
    // Added up in the order of the file, as the workers' are: the order decides about the last bits.
    parts.sort_by_key(|(at, _)| *at);
    Stats::of_all(parts.into_iter().map(|(_, part)| part))
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let begin = Instant::now();
    let done = work();
    (begin.elapsed(), done)
}
