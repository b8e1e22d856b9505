//! Counts the instructions that a call costs the program which spawns it, and fails if there are more than were
//! recorded.
//!
//! `cargo run --release -p loky-benches --bin guard` compares, and `… --bin guard -- --record` records what is found.
//! Instructions do not depend on what else the machine does, so a few per cent are seen. What they cost in time, and
//! what happens in workers and in other threads, is the business of the benchmark beside this.

mod count;
mod program;
mod recorded;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::{env, fs};

use count::Failure;
use recorded::{Counted, Recorded};

fn main() -> ExitCode {
    loky::main!();
    match env::args().nth(1).as_deref() {
        Some(COUNTED) => {
            program::run();
            ExitCode::SUCCESS
        }
        Some("--record") => guard(record),
        None => guard(compare),
        Some(unknown) => {
            eprintln!("guard: `{unknown}` is not known; there is only `--record`");
            ExitCode::from(2)
        }
    }
}

fn guard(judge: fn(&Recorded) -> ExitCode) -> ExitCode {
    match count::count(Command::new("/proc/self/exe").arg(COUNTED)) {
        Ok((output, counts)) => judge(&Recorded { compiler: compiler(), counts: Counted::all_of(&output, &counts) }),
        Err(Failure::NotPermitted(why)) => {
            println!("SKIPPED: this machine does not let a program be stepped through: {why}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("guard: nothing was counted: {why}");
            ExitCode::FAILURE
        }
    }
}

fn record(found: &Recorded) -> ExitCode {
    print!("{found}");
    match fs::write(path(), found.to_string()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("guard: {}: {why}", path().display());
            ExitCode::FAILURE
        }
    }
}

fn compare(found: &Recorded) -> ExitCode {
    let recorded = fs::read_to_string(path()).unwrap_or_default().parse();
    let recorded: Recorded = match recorded {
        Ok(recorded) => recorded,
        Err(why) => {
            eprintln!("guard: {}: {why}", path().display());
            return ExitCode::FAILURE;
        }
    };
    let comparison = recorded.compare(found);
    print!("{comparison}");
    if comparison.is_worse() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn path() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/guard/recorded.txt"))
}

/// Another compiler writes other instructions, so counts are compared only with those of the same.
fn compiler() -> String {
    let version = Command::new("rustc").arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    format!("{} on {}", String::from_utf8_lossy(&version).trim(), env::consts::ARCH)
}

const COUNTED: &str = "--counted";
