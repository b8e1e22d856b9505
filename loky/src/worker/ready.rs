//! What runs the items of one call: a function as it is, or a closure with its captures.
//!
//! Everything that users wrote runs under the guard here. Nothing here knows of links or of the order of items.

use super::guard;
use crate::task::{Code, Entry, Fault, Opened, Run};
use crate::wire::message::Verdict;

/// See the module.
pub(super) enum Ready {
    Function(Run),
    Closure(Opened),
    /// Nothing can run; each item is answered with this.
    Not(Verdict),
}

impl Ready {
    pub(super) fn new(entry: Option<&Entry>, captures: &[u8]) -> Self {
        match entry.map(|entry| entry.code) {
            Some(Code::Function(_, run)) => Self::Function(run),
            Some(Code::Closure(open)) => match guard::guarded(|| open(captures)) {
                Ok(Ok(opened)) => Self::Closure(opened),
                Ok(Err(fault)) => Self::Not(told(fault)),
                Err(evidence) => Self::Not(Verdict::Panicked(evidence)),
            },
            Some(Code::Generic) | None => Self::Not(Verdict::CannotDecode("this worker has no such task".to_string())),
        }
    }

    /// What came of one item, and its result, if there is one.
    pub(super) fn run(&self, arguments: &[u8]) -> (Verdict, Vec<u8>) {
        let mut result = Vec::new();
        let outcome = match self {
            Self::Function(run) => guard::guarded(|| run(arguments, &mut result)),
            Self::Closure(opened) => guard::guarded(|| opened(arguments, &mut result)),
            Self::Not(verdict) => return (verdict.clone(), Vec::new()),
        };
        match outcome {
            Ok(Ok(())) => (Verdict::Value, result),
            Ok(Err(fault)) => (told(fault), Vec::new()),
            Err(evidence) => (Verdict::Panicked(evidence), Vec::new()),
        }
    }

    /// Drops what a closure has captured. Its items have been answered, so a panic of that is nobody's.
    pub(super) fn close(self) {
        let _ = guard::guarded(|| drop(self));
    }
}

fn told(fault: Fault) -> Verdict {
    match fault {
        Fault::Decode(why) => Verdict::CannotDecode(why),
        Fault::Encode(why) => Verdict::CannotEncode(why),
    }
}
