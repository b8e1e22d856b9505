//! A C library that is not safe for threads, used on all processors at once: netCDF, in which much of the world's weather is
//! kept.
//!
//! It needs the library and its headers: `apt-get install libnetcdf-dev`, then
//! `cargo run --release -p loky-examples --features netcdf --example netcdf`. Files of measurements are written and read back
//! by workers, of which each has a copy of the library to itself. In the end the same is tried with threads, in a worker as
//! well, so that it costs no more than one call.

mod nc;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use loky::prelude::*;

const VALUES: usize = 20_000;
/// As likely as a crash is that threads wait for each other for ever.
const LIMIT: Duration = Duration::from_secs(20);

/// The measurement at one moment in one file.
fn value(file: usize, moment: usize) -> f64 {
    (moment as f64 / 100.0 + file as f64).sin()
}

#[loky::task]
fn write(path: &Path, file: usize) -> Result<(), String> {
    nc::write(path, &(0..VALUES).map(|moment| value(file, moment)).collect::<Vec<_>>())
}

/// Returns the mean.
#[loky::task]
fn read(path: &Path) -> Result<f64, String> {
    let values = nc::read(path)?;
    Ok(values.iter().sum::<f64>() / values.len() as f64)
}

/// What must not be done.
#[loky::task]
fn read_in_threads(paths: &[PathBuf]) -> Vec<Result<f64, String>> {
    thread::scope(|scope| {
        let read_often = |path| (0..200).try_fold(0.0, |_, _| read(path));
        let threads: Vec<_> = paths.iter().map(|path| scope.spawn(move || read_often(path))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    })
}

loky::main! {
    fn main() -> Result<(), Box<dyn Error>> {
        let count = std::env::args().nth(1).map_or(Ok(200), |count| count.parse())?;
        let folder = tempfile::tempdir()?;
        let paths: Vec<_> = (0..count).map(|file| folder.path().join(format!("{file}.nc"))).collect();

        let begin = Instant::now();
        paths.iter().cloned().zip(0..).par_map(write).try_for_each(|written| Ok::<_, Box<dyn Error>>(written??))?;
        let means: Vec<f64> = paths.iter().par_map(read).map(|mean| Ok(mean??)).collect::<Result<_, Box<dyn Error>>>()?;
        println!("{count} files written and read by {} workers in {:.0?}", loky::pool().workers(), begin.elapsed());
        let error = means.iter().enumerate().map(|(file, mean)| (mean - expected(file)).abs()).fold(0.0, f64::max);
        println!("the means are right, to within {error:.1e}");
        assert!(error < 1e-9);

        match read_in_threads.bind(&paths[..8.min(paths.len())]).timeout(LIMIT).run() {
            Ok(means) => println!("8 threads in one process: {} of 8 got a result", means.iter().flatten().count()),
            Err(died) => println!("8 threads in one process: {died}"),
        }
        Ok(())
    }
}

fn expected(file: usize) -> f64 {
    (0..VALUES).map(|moment| value(file, moment)).sum::<f64>() / VALUES as f64
}
