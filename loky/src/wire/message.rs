//! Everything that a parent and a worker can say to each other. Payloads travel beside the message, in the frame.

use serde::{Deserialize, Serialize};

use crate::error::PanicEvidence;
use crate::ids::{Attempt, CallId, TaskId};

/// Changes with every change of what is said here or how.
pub(crate) const PROTOCOL: u32 = 2;

/// What a parent says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ToWorker {
    /// First of all.
    Welcome(Welcome),
    /// Run a task once for each item. The payload is the captures, if it is a closure, and then the items' arguments,
    /// one after the other.
    Run(Run),
    /// Finish and leave.
    Stop,
}

/// Who the worker is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Welcome {
    pub(crate) build: Build,
    pub(crate) parent: u32,
    pub(crate) pool: String,
    pub(crate) index: usize,
    /// How many pools deep the worker is; 1 for a worker of the program that the user started.
    pub(crate) depth: u32,
}

/// What two processes must have in common to understand each other: tasks are named by where they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Build {
    pub(crate) protocol: u32,
    /// Of all tasks in the registry.
    pub(crate) tasks: u64,
    /// Of the program.
    pub(crate) image: u64,
}

impl Build {
    /// An error, in words that go on after "it", if `theirs` is another build than this.
    pub(crate) fn check(self, theirs: Self) -> Result<(), &'static str> {
        if self.protocol != theirs.protocol {
            Err("speaks another version of the protocol of loky")
        } else if self.tasks != theirs.tasks {
            Err("is another build of this program, with other tasks")
        } else if self.image != theirs.image {
            Err("is another build of this program")
        } else {
            Ok(())
        }
    }
}

/// What to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) call: CallId,
    /// Which dispatch of the call this is; answers carry it back.
    pub(crate) attempt: Attempt,
    /// Tries that the first item has already had in earlier calls.
    pub(crate) tries_before: u32,
    pub(crate) task: TaskId,
    /// How many bytes at the start of the payload are the captures of a closure.
    pub(crate) captures: u64,
    /// The number of the first item that is left to do.
    pub(crate) first: u32,
    /// The length of each item's arguments, in bytes.
    pub(crate) lengths: Vec<u64>,
}

/// What a worker says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum FromWorker {
    /// First of all.
    Hello { build: Build, pid: u32 },
    /// One item is done. The payload is its result, if there is one.
    Returned { call: CallId, attempt: Attempt, item: u32, nanos: u64, verdict: Verdict },
}

/// How one item ended in a worker that is still there to tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Verdict {
    /// The payload is the result.
    Value,
    Panicked(PanicEvidence),
    /// The arguments could not be decoded; the task did not run.
    CannotDecode(String),
    /// The task ran; its result could not be encoded.
    CannotEncode(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_that_differ_in_anything_are_refused() {
        let build = Build { protocol: 1, tasks: 2, image: 3 };
        assert_eq!(build.check(build), Ok(()));
        let others = [Build { protocol: 0, ..build }, Build { tasks: 0, ..build }, Build { image: 0, ..build }];
        let words = ["another version of the protocol", "with other tasks", "another build"];
        for (other, word) in others.into_iter().zip(words) {
            assert!(build.check(other).is_err_and(|why| why.contains(word)), "{other:?}");
        }
    }
}
