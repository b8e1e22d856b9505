//! Initializers on their way to another machine.
//!
//! What judges an answer is a function of this program, and is named as tasks are that nobody can list: by where in the
//! program its code lies.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Errand, Initializer};
use crate::ids::TaskId;
use crate::task::{TaskRef, entry_of, judge_at, place_of_judge};
use crate::transport::payload::Payload;
use crate::wire::body::{Encoded, Parcel};

/// See the module.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct InitializerSaid {
    task: u64,
    captures: Option<Vec<u8>>,
    arguments: Vec<u8>,
    timeout: Option<Duration>,
    judge: u64,
}

impl Initializer {
    /// `None` if it cannot travel, since it encloses what lies in the memory of this machine.
    pub(crate) fn said(&self) -> Option<InitializerSaid> {
        let Errand { task, arguments, timeout } = &self.errand;
        let arguments = arguments.clone().in_one_piece();
        let encloses = |captures: &Arc<Parcel>| !captures.enclosed.is_empty();
        if !arguments.enclosed().is_empty() || task.captures.as_ref().is_some_and(encloses) {
            return None;
        }
        let bytes_of = |captures: &Arc<Parcel>| {
            let tail = captures.tail.as_ref().map_or(&[][..], |row| row.bytes());
            [&captures.bytes[..], tail].concat()
        };
        Some(InitializerSaid {
            task: task.id.raw(),
            captures: task.captures.as_ref().map(bytes_of),
            arguments: arguments.to_vec(),
            timeout: *timeout,
            judge: place_of_judge(self.judge)?,
        })
    }
}

impl InitializerSaid {
    /// The same as it has arrived. `None` if this program has no such task.
    pub(crate) fn heard(self) -> Option<Initializer> {
        let id = TaskId::from_raw(self.task);
        let captures = self.captures.map(|bytes| Arc::new(Parcel::from(Encoded { bytes, ..Encoded::NONE })));
        let task = TaskRef { captures, ..TaskRef::function(id, entry_of(id)?) };
        let errand = Errand { task, arguments: Payload::from(self.arguments), timeout: self.timeout };
        Some(Initializer { errand, judge: judge_at(self.judge)? })
    }
}
