//! The command line.

use std::path::PathBuf;

use lexopt::prelude::*;

/// What to measure, and where to put it.
pub(crate) struct Options {
    /// Names of workloads, in the order of the table.
    pub(crate) workloads: Vec<&'static str>,
    pub(crate) quick: bool,
    pub(crate) rounds: usize,
    pub(crate) json: Option<PathBuf>,
    pub(crate) markdown: bool,
    pub(crate) update_docs: bool,
}

/// `None` if only help was asked for.
pub(crate) fn parse() -> Result<Option<Options>, lexopt::Error> {
    let mut options =
        Options { workloads: vec![], quick: false, rounds: 0, json: None, markdown: false, update_docs: false };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("quick") => options.quick = true,
            Long("rounds") => options.rounds = parser.value()?.parse()?,
            Long("json") => options.json = Some(parser.value()?.into()),
            Long("markdown") => options.markdown = true,
            Long("update-docs") => options.update_docs = true,
            // What cargo tells every benchmark.
            Long("bench") => {}
            Long("help") => {
                print!("{HELP}");
                return Ok(None);
            }
            Value(name) => options.workloads.push(known(&name.string()?)?),
            other => return Err(other.unexpected()),
        }
    }
    if options.rounds == 0 {
        options.rounds = if options.quick { 1 } else { ROUNDS };
    }
    if options.workloads.is_empty() {
        options.workloads = WORKLOADS.to_vec();
    }
    Ok(Some(options))
}

fn known(name: &str) -> Result<&'static str, lexopt::Error> {
    let found = WORKLOADS.iter().find(|known| known.eq_ignore_ascii_case(name));
    found.copied().ok_or_else(|| format!("no workload `{name}`; there are {}", WORKLOADS.join(", ")).into())
}

const WORKLOADS: [&str; 9] = ["W1", "W2", "W3", "W4", "W5", "W6", "W7", "W8", "W9"];
const ROUNDS: usize = 5;
const HELP: &str = "\
Measures what a call costs, and compares it with the floor, with rayon and with procspawn.

    cargo bench -p loky-benches -- [OPTIONS] [W1 .. W9]

    --quick          small sizes and one round: is everything alive?
    --rounds N       how often each cell is measured; 5
    --json FILE      write every figure of every round
    --markdown       print the tables as they stand in docs/performance.md
    --update-docs    put them there
";
