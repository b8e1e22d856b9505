//! What runs the items of one call: a function as it is, or a closure with its captures.
//!
//! Everything that users wrote runs under the guard here. Nothing here knows of links or of the order of items.

use super::guard;
use crate::shared::exhaustion;
use crate::shared::passing::Enclosed;
use crate::task::{ArgumentReader, Code, Entry, Fault, Opened, Run, Written};
use crate::wire::message::Failure;

/// See the module.
pub(super) enum Ready {
    Function(Run),
    Closure(Opened),
    /// Nothing can run; each item is answered with this.
    Not(Failure),
}

impl Ready {
    pub(super) fn new(entry: Option<&Entry>, captures: &[u8]) -> Self {
        match entry.map(|entry| entry.code) {
            Some(Code::Function(_, run)) => Self::Function(run),
            Some(Code::Closure(open)) => match guard::guarded(|| open(captures)) {
                Ok(Ok(opened)) => Self::Closure(opened),
                Ok(Err(fault)) => Self::Not(told(fault)),
                Err(evidence) => Self::Not(Failure::Panicked(*evidence)),
            },
            Some(Code::Generic) | None => Self::Not(Failure::CannotDecode("this worker has no such task".to_string())),
        }
    }

    /// What came of one item. A result replaces what is in `result`. A failure lies elsewhere: most items have none,
    /// and need not carry the room for it about.
    #[inline]
    pub(super) fn run(&self, arguments: &mut ArgumentReader<'_>, result: &mut Written) -> Result<(), Box<Failure>> {
        result.bytes.clear();
        result.row = None;
        result.enclosed = Enclosed::NONE;
        // Kept apart from the outcome, which is then a word, and need not be carried about.
        let mut fault = None;
        let mut keep = |done: Result<(), Fault>| {
            if let Err(why) = done {
                fault = Some(why);
            }
        };
        let outcome = match self {
            Self::Function(run) => guard::guarded(|| keep(run(arguments, result))),
            Self::Closure(opened) => guard::guarded(|| keep(opened(arguments, result))),
            Self::Not(failure) => return Err(Box::new(failure.clone())),
        };
        match (outcome, fault) {
            (Ok(()), None) => Ok(()),
            (Ok(()), Some(fault)) => Err(Box::new(told(fault))),
            (Err(evidence), _) => Err(Box::new(Failure::Panicked(*evidence))),
        }
    }

    /// Drops what a closure has captured. Its items have been answered, so a panic of that is nobody's.
    pub(super) fn close(self) {
        let _ = guard::guarded(|| drop(self));
    }
}

fn told(fault: Fault) -> Failure {
    match fault {
        _ if exhaustion::take() => {
            let (has_run, Fault::Decode(why) | Fault::Encode(why)) = (matches!(fault, Fault::Encode(_)), fault);
            Failure::Lacks { has_run, why }
        }
        Fault::Decode(why) => Failure::CannotDecode(why),
        Fault::Encode(why) => Failure::CannotEncode(why),
    }
}
