//! The command line.

use std::ffi::OsString;
use std::time::Duration;

use lexopt::prelude::*;

pub(crate) const HELP: &str = "\
untrusted: decodes images that strangers send, and survives them

    untrusted [ADDRESS] [--timeout MILLISECONDS] [--workers COUNT] [--without-sandbox]

ADDRESS            where to listen [127.0.0.1:8080]; port 0 takes any that is free
--timeout          how long a worker may take for an image [250]
--workers          how many images are decoded at once [the number of processors, at least 2]
--without-sandbox  workers may use the network and change files: for kernels without Landlock

It ends when its standard input ends, by Ctrl-C and by SIGTERM.
";

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) address: String,
    pub(crate) timeout: Duration,
    pub(crate) workers: usize,
    pub(crate) has_sandbox: bool,
}

/// `None`: help is wanted.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Option<Options>, lexopt::Error> {
    let mut options = Options {
        address: "127.0.0.1:8080".to_string(),
        timeout: Duration::from_millis(250),
        workers: loky::cpu_count().max(2),
        has_sandbox: true,
    };
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("timeout") => options.timeout = Duration::from_millis(parser.value()?.parse()?),
            Long("workers") => options.workers = parser.value()?.parse()?,
            Long("without-sandbox") => options.has_sandbox = false,
            Short('h') | Long("help") => return Ok(None),
            Value(address) => options.address = address.string()?,
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(options))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_understood() {
        let of = |words: &[&str]| parse(words.iter().map(OsString::from));
        let options = of(&["[::1]:0", "--timeout", "100", "--workers=3", "--without-sandbox"]).unwrap().unwrap();
        let timeout = Duration::from_millis(100);
        assert_eq!(options, Options { address: "[::1]:0".to_string(), timeout, workers: 3, has_sandbox: false });
        assert!(of(&[]).unwrap().unwrap().has_sandbox);
        assert_eq!(of(&["--help"]).unwrap(), None);
        assert!(of(&["--nonsense"]).is_err() && of(&["--timeout", "soon"]).is_err());
    }
}
