//! A census of Rust source: every `.rs` file below some folders is parsed, each in a worker process, and what the
//! parser cannot survive costs one row of the report.
//!
//! `cargo run --release --example census -- --help` lists the options. Read on in this order: `count` is the task,
//! [`count_all`] below is the one `par_map` that everything is about, and the rest prepares its input (`args`,
//! `sources`, `hostile`) or tells what came of it (`failure`, `survey`, `progress`, `speed`, `report`, `json`).

mod args;
mod count;
mod failure;
mod format;
mod hostile;
mod json;
mod problem;
mod progress;
mod report;
mod sources;
mod speed;
mod survey;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use loky::prelude::*;

use crate::args::Options;
use crate::failure::Failure;
use crate::hostile::Hostile;
use crate::problem::Problem;
use crate::progress::Progress;
use crate::report::Report;
use crate::sources::Sources;
use crate::survey::Survey;

loky::main! {
    fn main() -> ExitCode {
        match census() {
            Ok(()) => ExitCode::SUCCESS,
            Err(problem) => {
                eprintln!("census: {problem}");
                ExitCode::from(problem.exit_code())
            }
        }
    }
}

fn census() -> Result<(), Problem> {
    let Some(options) = args::parse(std::env::args_os().skip(1))? else {
        return report::print(args::HELP);
    };
    let mut sources = Sources::find(&options.folders)?;
    // Opened before the work begins: nobody should learn after minutes that the name was wrong.
    let json_file = options.json.as_deref().map(json::create).transpose()?;
    // Held to the end, for the folder goes with it.
    let hostile = if options.hostile { Some(Hostile::generate()?) } else { None };
    if let Some(hostile) = &hostile {
        sources.mix_in("hostile (generated)", hostile.folder(), hostile.files());
    }

    let pool = loky::Pool::builder().workers(options.workers).timeout(options.limit).build()?;
    let (survey, wall) = count_all(&pool, &sources, &options);
    let speed_up = speed::measure(&pool, &options, &survey.parsed(&sources));

    let report = Report { options: &options, sources: &sources, survey: &survey, wall, speed_up };
    if let Some(file) = json_file {
        json::write(file, &report)?;
    }
    report::print(&report.to_string())?;
    survey.check()
}

/// Counts every file in a worker. This cannot fail as a whole: whatever happens to a file is that file's own row.
fn count_all(pool: &loky::Pool, sources: &Sources, options: &Options) -> (Survey, Duration) {
    let started = Instant::now();
    let mut survey = Survey::of(sources);
    let progress = Progress::start(sources.files.len());
    let paths = sources.files.iter().map(|file| &file.path);
    for (index, result) in paths.par_map(count::count).on(pool).timeout(options.limit).unordered() {
        let outcome = match result {
            Ok(Ok(counted)) => Ok(counted),
            Ok(Err(refusal)) => Err(Failure::refused(refusal).into()),
            Err(error) => Err(Failure::of_call(&error, options.limit).into()),
        };
        progress.step(&outcome);
        survey.record(index, outcome);
    }
    progress.finish();
    (survey, started.elapsed())
}
