//! What a client is told: a status and some JSON, whatever has become of its image.
//!
//! | status | when | `kind` |
//! |---|---|---|
//! | 200 | it was decoded | |
//! | 400 | the decoder says that something is wrong with it, being truncated for instance | `bad_image` |
//! | 413 | it is too long, or needs more memory than a worker may use | `too_long`, `memory_limit` |
//! | 422 | the decoder crashed on it, or panicked | `crash`, `panic` |
//! | 504 | the decoder did not come to an end in time | `timeout` |
//! | 404, 405 | it was sent elsewhere, or nothing was sent | `not_found`, `method` |
//! | 503 | the service is ending | `shutdown` |
//! | 500 | anything else: nothing that the image could be blamed for | `other` |

use loky::{Error, ErrorKind};
use serde_json::{Value, json};

use crate::decode::Summary;

/// See the module.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn refusal(status: u16, kind: &str, message: &str) -> Self {
        Self { status, body: json!({ "kind": kind, "message": message }) }
    }

    /// The outer error is the worker's end, the inner one the decoder's word.
    pub(crate) fn to(outcome: Result<Result<Summary, String>, Error>) -> Self {
        match outcome {
            Ok(Ok(summary)) => Self { status: 200, body: json!(summary) },
            Ok(Err(why)) => Self::refusal(400, "bad_image", &why),
            Err(error) => Self::of_failure(&error),
        }
    }

    fn of_failure(error: &Error) -> Self {
        let (status, kind) = match error.kind() {
            ErrorKind::Crash => (422, "crash"),
            ErrorKind::Panic => (422, "panic"),
            ErrorKind::Timeout => (504, "timeout"),
            ErrorKind::MemoryLimit => (413, "memory_limit"),
            ErrorKind::Shutdown | ErrorKind::Cancelled => (503, "shutdown"),
            _ => (500, "other"),
        };
        // To strangers a service would tell less; here the point is what is known.
        let body = json!({
            "kind": kind,
            "message": error.to_string(),
            "signal": error.signal(),
            "exit_code": error.exit_code(),
            "last_words": error.stderr_tail(),
        });
        Self { status, body }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_decoded_is_told() {
        let answer = Answer::to(Ok(Ok(Summary { width: 2, height: 3, mean: [1, 2, 3] })));
        assert_eq!((answer.status, answer.body), (200, json!({ "width": 2, "height": 3, "mean": [1, 2, 3] })));
    }

    #[test]
    fn what_is_wrong_with_an_image_is_told() {
        let answer = Answer::to(Ok(Err("truncated".to_string())));
        assert_eq!((answer.status, answer.body), (400, json!({ "kind": "bad_image", "message": "truncated" })));
    }
}
