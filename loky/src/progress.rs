//! How far a task had come, in its own words. Nothing here knows where it said so.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How far a task has come, as it has said itself: by [`loky::progress`](crate::progress()) and
/// [`loky::progress_message`](crate::progress_message).
///
/// An [`Error`](crate::Error) has that of a call whose worker died.
///
/// # Examples
///
/// ```
/// use loky::prelude::*;
///
/// #[loky::task]
/// fn convert(pages: Vec<String>) {
///     for (number, page) in pages.iter().enumerate() {
///         loky::progress(number as f64 / pages.len() as f64);
///         loky::progress_message(page);
///         if page == "bad" {
///             std::process::abort(); // as a C library may do
///         }
///     }
/// }
///
/// # loky::main! { fn main() {
/// let why = convert.run(["good", "bad"].map(String::from).to_vec()).unwrap_err();
/// let progress = why.progress().expect("it has said how far it was");
/// assert_eq!((progress.fraction(), progress.message()), (Some(0.5), Some("bad")));
/// # } }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    fraction: Option<f64>,
    message: Option<String>,
}

impl Progress {
    /// From 0 to 1, if the task has said that.
    pub fn fraction(&self) -> Option<f64> {
        self.fraction
    }

    /// The message, if the task has said one.
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// What was said, by a worker that may say anything; `None` if it is nothing.
    pub(crate) fn new(fraction: f64, text: &[u8]) -> Option<Self> {
        let fraction = Some(fraction).filter(|fraction| (0.0..=1.0).contains(fraction));
        let text = String::from_utf8_lossy(text);
        let message: String =
            text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect();
        let message = Some(message).filter(|message| !message.is_empty());
        (fraction.is_some() || message.is_some()).then_some(Self { fraction, message })
    }
}

impl fmt::Display for Progress {
    /// `37 %, reading b.png`, or the part of that which was said.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nothing is done before all of it is.
        let percent = self.fraction.map(|fraction| (fraction * 100.0).floor());
        match (percent, &self.message) {
            (Some(percent), Some(message)) => write!(f, "{percent} %, {message}"),
            (Some(percent), None) => write!(f, "{percent} %"),
            (None, Some(message)) => f.write_str(message),
            (None, None) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_was_said_is_shown_on_one_line() {
        let shown = |fraction, text: &[u8]| Progress::new(fraction, text).map(|progress| progress.to_string());
        assert_eq!(shown(0.379, b"reading b.png").as_deref(), Some("37 %, reading b.png"));
        assert_eq!(shown(1.0, b"").as_deref(), Some("100 %"));
        assert_eq!(shown(f64::NAN, b"a\nb\x1b[2J\xff").as_deref(), Some("a\u{fffd}b\u{fffd}[2J\u{fffd}"));
        assert_eq!((shown(f64::NAN, b""), shown(7.0, b""), shown(-0.1, b"")), (None, None, None));
    }
}
