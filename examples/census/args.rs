//! The command line: what may be asked, and the defaults. Knows nothing of what is done with it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::*;

use crate::problem::Problem;

pub(crate) const HELP: &str = "\
Counts what is in every `.rs` file below some folders: each file is parsed in a worker
process, so that a file which kills the parser costs one row and nothing else.

Usage: cargo run --release --example census -- [OPTIONS] [FOLDER]...

  FOLDER...         where to look (a file will do, too); symbolic links are not followed
                    [default: the sources of all crates in cargo's registry on this machine]
  --workers N       worker processes [default: one per CPU this process may use]
  --limit SECS      time limit for one file [default: 20]
  --hostile         add generated files that kill a parser: they overflow its stack, or
                    keep it busy for minutes
  --top N           crates to list, largest first [default: 20]
  --all             list all crates and all failures
  --json FILE       write everything to FILE as JSON, too
  --help            print this

The exit code is 0 if every file is accounted for, whatever became of it; 2 if the
arguments are wrong; 1 if the census could not be taken.
";

/// What to do.
#[derive(Debug, PartialEq)]
pub(crate) struct Options {
    /// Empty: the registry of cargo.
    pub(crate) folders: Vec<PathBuf>,
    pub(crate) workers: usize,
    pub(crate) limit: Duration,
    pub(crate) hostile: bool,
    /// `None`: all rows.
    pub(crate) top: Option<usize>,
    pub(crate) json: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            folders: Vec::new(),
            workers: loky::cpu_count(),
            // The slowest honest file of a registry takes well under a second on an idle machine; the rest is for
            // machines that are not, and for builds without `--release`.
            limit: Duration::from_secs(20),
            hostile: false,
            top: Some(20),
            json: None,
        }
    }
}

/// Reads the arguments, program name excluded. `None` asks for the help text.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Option<Options>, Problem> {
    let mut options = Options::default();
    let mut parser = lexopt::Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Short('h') | Long("help") => return Ok(None),
            Long("workers") => options.workers = whole_number("--workers", &parser.value()?)?,
            Long("top") => options.top = Some(whole_number("--top", &parser.value()?)?),
            Long("all") => options.top = None,
            Long("limit") => options.limit = seconds("--limit", &parser.value()?)?,
            Long("hostile") => options.hostile = true,
            Long("json") => options.json = Some(parser.value()?.into()),
            Value(folder) => options.folders.push(folder.into()),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Some(options))
}

fn whole_number(option: &str, value: &OsString) -> Result<usize, Problem> {
    match value.to_str().and_then(|text| text.parse().ok()) {
        Some(number) if number > 0 => Ok(number),
        _ => Err(refuse(option, "a whole number of at least 1", value)),
    }
}

fn seconds(option: &str, value: &OsString) -> Result<Duration, Problem> {
    let parsed = value.to_str().and_then(|text| text.parse().ok());
    match parsed.and_then(|number| Duration::try_from_secs_f64(number).ok()) {
        Some(duration) if !duration.is_zero() => Ok(duration),
        _ => Err(refuse(option, "a number of seconds above 0", value)),
    }
}

fn refuse(option: &str, wanted: &str, value: &OsString) -> Problem {
    Problem::Usage(format!("{option} wants {wanted}, not `{}`", value.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Option<Options>, Problem> {
        parse(line.split_whitespace().map(OsString::from))
    }

    fn options(line: &str) -> Options {
        parsed(line).expect("valid").expect("not a request for help")
    }

    #[test]
    fn nothing_asked_is_the_default() {
        assert_eq!(options(""), Options::default());
    }

    #[test]
    fn every_option_is_understood() {
        let expected = Options {
            folders: vec!["a".into(), "b".into()],
            workers: 3,
            limit: Duration::from_millis(1500),
            hostile: true,
            top: Some(7),
            json: Some("out.json".into()),
        };
        assert_eq!(options("a --workers 3 --limit=1.5 b --hostile --top 7 --json out.json"), expected);
        assert_eq!(options("--all").top, None);
    }

    #[test]
    fn help_wins() {
        assert_eq!(parsed("--workers 2 --help"), Ok(None));
        assert_eq!(parsed("-h"), Ok(None));
    }

    #[test]
    fn mistakes_name_the_option_and_the_value() {
        for (line, words) in [
            ("--workers 0", ["--workers", "`0`"]),
            ("--workers many", ["--workers", "`many`"]),
            ("--limit -1", ["--limit", "`-1`"]),
            ("--limit NaN", ["--limit", "`NaN`"]),
            ("--limit 1e300", ["--limit", "`1e300`"]),
            ("--top 0", ["--top", "`0`"]),
            ("--wrokers 2", ["--wrokers", "invalid option"]),
            ("--json", ["--json", "missing"]),
            ("--hostile=yes", ["--hostile", "yes"]),
        ] {
            let problem = parsed(line).expect_err(line);
            assert_eq!(problem.exit_code(), 2, "{line}");
            for word in words {
                assert!(problem.to_string().contains(word), "{line}: {problem}");
            }
        }
    }
}
