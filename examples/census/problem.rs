//! Why the census as a whole cannot go on, and with which exit code it then ends.
//!
//! What happens to a single file is not a problem but a result: see `failure`.

use std::fmt;

/// A reason to end at once.
#[derive(Debug, PartialEq)]
pub(crate) enum Problem {
    /// The command line asks for something that cannot be.
    Usage(String),
    /// The machine or the pool would not do it.
    Failure(String),
}

impl Problem {
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Failure(_) => 1,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) => write!(f, "{message}\nTry `--help`."),
            Self::Failure(message) => f.write_str(message),
        }
    }
}

impl From<lexopt::Error> for Problem {
    fn from(error: lexopt::Error) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<loky::Error> for Problem {
    fn from(error: loky::Error) -> Self {
        Self::Failure(error.to_string())
    }
}

impl From<std::io::Error> for Problem {
    fn from(error: std::io::Error) -> Self {
        Self::Failure(error.to_string())
    }
}
