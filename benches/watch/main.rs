//! What it costs to be looked at: a `par_map` of tasks of a tenth of a millisecond, plain, and with a progress bar, a
//! subscriber that hears an event of each task, and a trace, all at once.
//!
//! `cargo run --release -p loky-benches --features watch --bin watch`. Both are measured in turns, each in a process of
//! its own, since a trace is asked for before a program starts.

use std::env;
use std::error::Error;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use loky::Pool;
use loky::prelude::*;
use nix::time::{ClockId, clock_gettime};

const TASKS: u64 = 20_000;
const LENGTH: Duration = Duration::from_micros(100);
const ROUNDS: usize = 9;

loky::main! {
    fn main() -> Result<(), Box<dyn Error>> {
        match env::args().nth(1).as_deref() {
            Some("plain") => run(false),
            Some("all") => run(true),
            _ => compare(),
        }
    }
}

fn compare() -> Result<(), Box<dyn Error>> {
    let folder = env::temp_dir().join(format!("watch-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let rounds = (0..ROUNDS).map(|_| Ok((time(&folder, "plain")?, time(&folder, "all")?)));
    let measured: Result<Vec<(f64, f64)>, Box<dyn Error>> = rounds.collect();
    std::fs::remove_dir_all(&folder)?;
    let measured = measured?;
    for (plain, all) in &measured {
        println!("plain {plain:.3} s, with all on {all:.3} s: {:+.1} %", (all / plain - 1.0) * 100.0);
    }
    let ratio = median(measured.iter().map(|(plain, all)| all / plain).collect());
    let [plain, all] = [0, 1].map(|which| median(measured.iter().map(|pair| [pair.0, pair.1][which]).collect()));
    println!("medians: plain {plain:.3} s, with all on {all:.3} s; of the ratios {:+.1} %", (ratio - 1.0) * 100.0);
    Ok(())
}

/// How many seconds a run takes that is looked at like this, as it says itself.
fn time(folder: &Path, how: &str) -> Result<f64, Box<dyn Error>> {
    let mut program = Command::new("/proc/self/exe");
    if how == "all" {
        program.env("LOKY_TRACE", folder.join("trace.json"));
    }
    let output = program.arg(how).stderr(Stdio::null()).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn run(is_watched: bool) -> Result<(), Box<dyn Error>> {
    if is_watched {
        tracing_subscriber::fmt().with_writer(io::sink).init();
    }
    let pool = Pool::builder().workers(2).build()?;
    pool.warm_up();
    let begun = Instant::now();
    let mapped = (0..TASKS).par_map(burn).on(&pool);
    let mapped = if is_watched { mapped.progress("burning") } else { mapped };
    let failed = mapped.filter(Result::is_err).count();
    let length = begun.elapsed();
    assert_eq!(failed, 0, "no task fails");
    pool.shutdown();
    println!("{}", length.as_secs_f64());
    Ok(())
}

/// Uses processor time, not time that passes.
#[loky::task]
fn burn(number: u64) -> u64 {
    let used = || clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from).expect("it is there");
    let end = used() + LENGTH;
    while used() < end {
        (0..200).for_each(|step| _ = std::hint::black_box(step));
    }
    tracing::info!(number, "burnt");
    number
}
