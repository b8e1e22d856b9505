//! Why one file has no count: the parser's own refusal, or what befell the worker. Decides nothing, only keeps the
//! evidence in a plain form.

use std::time::Duration;

use loky::ErrorKind;
use serde::Serialize;

use crate::count::Refusal;
use crate::format;

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Failure {
    /// `NotRust`, `Unreadable`, …, or the name of the library's [`ErrorKind`].
    pub(crate) kind: String,
    /// A few words, the same for all that failed alike: `killed by SIGABRT`.
    pub(crate) reason: String,
    /// Everything there is to say about this one.
    pub(crate) message: String,
    /// In the source, counted from 1.
    pub(crate) line: Option<usize>,
    pub(crate) column: Option<usize>,
    pub(crate) signal: Option<i32>,
    pub(crate) exit_code: Option<i32>,
    pub(crate) limit_seconds: Option<f64>,
    pub(crate) pid: Option<u32>,
    /// What the worker wrote to its standard error before it died.
    pub(crate) last_words: Option<String>,
}

impl Failure {
    /// The task's own answer.
    pub(crate) fn refused(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unreadable(message) => Self::plain("Unreadable", "cannot be read", message),
            Refusal::TooLarge(bytes) => {
                Self::plain("TooLarge", "is too large", format!("{} bytes", format::thousands(bytes)))
            }
            Refusal::NotUtf8 { valid_up_to } => {
                let message = format!("invalid after byte {}", format::thousands(valid_up_to as u64));
                Self::plain("NotUtf8", "is not UTF-8", message)
            }
            Refusal::NotRust { line, column, message } => {
                Self { line: Some(line), column: Some(column), ..Self::plain("NotRust", "does not parse", message) }
            }
        }
    }

    /// There is no answer: the call itself failed.
    pub(crate) fn of_call(error: &loky::Error, limit: Duration) -> Self {
        let kind = error.kind();
        let limit_seconds = (kind == ErrorKind::Timeout).then_some(limit.as_secs_f64());
        Self {
            signal: error.signal(),
            exit_code: error.exit_code(),
            limit_seconds,
            pid: error.pid(),
            last_words: error.stderr_tail().map(str::to_owned),
            ..Self::plain(&format!("{kind:?}"), &reason(error, limit), error.to_string())
        }
    }

    fn plain(kind: &str, reason: &str, message: String) -> Self {
        Self {
            kind: kind.to_owned(),
            reason: reason.to_owned(),
            message,
            line: None,
            column: None,
            signal: None,
            exit_code: None,
            limit_seconds: None,
            pid: None,
            last_words: None,
        }
    }

    /// True if the file never reached the parser.
    pub(crate) fn is_unreadable(&self) -> bool {
        matches!(self.kind.as_str(), "Unreadable" | "TooLarge" | "NotUtf8")
    }

    /// True if no answer came, as against the task's own refusal.
    pub(crate) fn is_of_call(&self) -> bool {
        !self.is_unreadable() && self.kind != "NotRust"
    }
}

fn reason(error: &loky::Error, limit: Duration) -> String {
    match (error.kind(), error.signal(), error.exit_code()) {
        (ErrorKind::Timeout, _, _) => format!("killed at the time limit of {}", format::seconds(limit)),
        (ErrorKind::Panic, _, _) => "panicked".to_owned(),
        (_, Some(signal), _) => format!("killed by {}", format::signal(signal)),
        (_, _, Some(code)) => format!("exited with code {code}"),
        (kind, None, None) => format!("failed: {kind:?}"),
    }
}
