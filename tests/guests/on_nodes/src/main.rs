//! A program that says where each of its calls ran. It does not know how it was started: `tests/cluster` starts it in all
//! the ways there are, and breaks what it runs on.
//!
//!     on_nodes CALLS MILLISECONDS [CODE]

use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use loky::prelude::*;

/// What could be read on the wire if it were not encrypted.
const SENTINEL: &str = "none-but-us-may-read-this";

/// Where a call has run.
type Place = (String, u32, String);

#[loky::task]
fn place(number: u64, pause: u64, text: &str) -> (u64, Place) {
    assert_eq!(of_launchers(), [""; 0], "what a task starts would take itself for a rank, or an agent");
    std::thread::sleep(Duration::from_millis(pause));
    (number * number, (host(), std::process::id(), text.to_uppercase()))
}

/// Variables that are for this program alone.
fn of_launchers() -> Vec<String> {
    let names = std::env::vars().map(|(name, _)| name);
    names.filter(|name| ["PMI_", "PMIX_", "LOKY_INVITATION"].iter().any(|part| name.starts_with(part))).collect()
}

/// Makes this another build.
#[cfg(feature = "other")]
#[loky::task]
fn unknown() {}

fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").expect("it has a name").trim().to_owned()
}

fn argument(at: usize, default: u64) -> u64 {
    std::env::args().nth(at).map_or(default, |text| text.parse().expect("a number"))
}

/// At once, since whoever breaks something waits for these lines.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("somebody listens");
}

loky::main! {
    fn main() -> ExitCode {
        let (calls, pause, code) = (argument(1, 100), argument(2, 20), argument(3, 0));
        say(&format!("main on {} as pid {}", host(), std::process::id()));
        let begin = Instant::now();
        let mut right = 0;
        let inputs = (0..calls).map(|number| (number, pause, SENTINEL.to_owned()));
        for (number, result) in inputs.par_map(place).chunk_size(1).retries(3).unordered() {
            match result {
                Ok((square, (host, pid, text))) if square == (number as u64).pow(2) && text == SENTINEL.to_uppercase() => {
                    right += 1;
                    say(&format!("call {number} on {host} in {pid}"));
                }
                Ok(wrong) => say(&format!("call {number} is wrong: {wrong:?}")),
                Err(why) => say(&format!("call {number} failed: {why}")),
            }
        }
        say(&format!("right: {right} of {calls} in {} ms", begin.elapsed().as_millis()));
        ExitCode::from(u8::try_from(code).expect("a code"))
    }
}
