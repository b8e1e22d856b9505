//! Calls of a pool's own: what each of its workers runs before its first call, and what after its last one.
//!
//! Plain descriptions. When they run is the driver's business, and what their values are is known to whoever made them.

#[cfg(feature = "cluster")]
mod travel;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "cluster")]
pub(crate) use self::travel::InitializerSaid;
use crate::error::Error;
use crate::shared::passing::Arrivals;
use crate::task::TaskRef;
use crate::transport::payload::Payload;
use crate::wire::body::Parcel;

/// What a task has answered: its bytes, and what came along with them.
pub(crate) type Answer = (Payload, Arrivals);
use crate::wire::codec;

/// A task with its encoded arguments, for every worker of a pool.
#[derive(Clone, Debug)]
pub(crate) struct Errand {
    pub(crate) task: TaskRef,
    pub(crate) arguments: Payload,
    timeout: Option<Duration>,
}

/// What a worker runs before its first call.
#[derive(Clone, Debug)]
pub(crate) struct Initializer {
    pub(crate) errand: Errand,
    /// What the answer says; `Err` with what went wrong, in words that go on after "it". Runs what users wrote.
    pub(crate) judge: fn(&[u8]) -> Result<(), String>,
}

/// What a worker runs after its last call.
#[derive(Clone)]
pub(crate) struct Finalizer {
    pub(crate) errand: Errand,
    /// Takes the encoded value. Runs what users wrote.
    pub(crate) told: Arc<dyn Fn(Result<Answer, Error>) + Send + Sync>,
}

impl Errand {
    pub(crate) const fn new(task: TaskRef, arguments: Payload, timeout: Option<Duration>) -> Self {
        Self { task, arguments, timeout }
    }

    pub(crate) const fn name(&self) -> &'static str {
        self.task.entry.name
    }

    /// How long it may run, if that was said of it or of its task.
    pub(crate) fn limit(&self) -> Option<Duration> {
        self.timeout.or(self.task.entry.timeout)
    }
}

impl PartialEq for Errand {
    fn eq(&self, other: &Self) -> bool {
        self.task.id == other.task.id
            && bytes_of(&self.task.captures) == bytes_of(&other.task.captures)
            && *self.arguments == *other.arguments
            && self.timeout == other.timeout
    }
}

/// What is enclosed has its name in them.
fn bytes_of(captures: &Option<Arc<Parcel>>) -> Option<&[u8]> {
    captures.as_ref().map(|captures| &captures.bytes[..])
}

impl PartialEq for Initializer {
    /// What judges is that of the task.
    fn eq(&self, other: &Self) -> bool {
        self.errand == other.errand
    }
}

impl PartialEq for Finalizer {
    fn eq(&self, other: &Self) -> bool {
        self.errand == other.errand && Arc::ptr_eq(&self.told, &other.told)
    }
}

impl fmt::Debug for Finalizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Finalizer").field(&self.errand).finish()
    }
}

/// Whether this is the answer of an initializer that has nothing to complain of: nothing at all, or `Ok(())`, which is
/// the same bytes whatever type its error has. So most answers need not be judged.
pub(crate) fn is_plainly_good(answer: &[u8]) -> bool {
    let mut good = Vec::new();
    let is_known = codec::encode_into(&mut good, &Ok::<(), ()>(())).is_ok();
    answer.is_empty() || (is_known && answer == good)
}

#[cfg(test)]
mod tests {
    use std::any::TypeId;

    use super::*;
    use crate::ids::TaskId;
    use crate::task::Entry;

    static ENTRY: Entry = Entry::new("a", TypeId::of::<u8>, |_, _| Ok(())).timeout(Duration::from_secs(3));

    fn errand(id: u32, bytes: &[u8], timeout: Option<Duration>) -> Errand {
        Errand::new(TaskRef::function(TaskId::registered(id), &ENTRY), Payload::copy(bytes), timeout)
    }

    #[test]
    fn errands_are_equal_by_task_and_bytes() {
        let one = errand(1, b"x", None);
        assert!(one == errand(1, b"x", None));
        assert!(one != errand(2, b"x", None) && one != errand(1, b"y", None) && one != errand(1, b"", None));
        assert!(one != errand(1, b"x", Some(Duration::from_secs(1))), "a limit is a setting, too");
    }

    #[test]
    fn finalizers_are_equal_only_if_they_tell_the_same_closure() {
        let finalizer = Finalizer { errand: errand(1, b"x", None), told: Arc::new(drop) };
        assert!(finalizer == finalizer.clone());
        assert!(finalizer != Finalizer { told: Arc::new(drop), ..finalizer.clone() });
        assert!(finalizer != Finalizer { errand: errand(2, b"x", None), ..finalizer.clone() });
    }

    #[test]
    fn its_own_limit_comes_before_that_of_the_task() {
        assert_eq!(errand(1, b"", None).limit(), Some(Duration::from_secs(3)));
        assert_eq!(errand(1, b"", Some(Duration::ZERO)).limit(), Some(Duration::ZERO));
    }

    #[test]
    fn a_good_answer_is_known_by_its_bytes() {
        let mut encoded = Vec::new();
        codec::encode_into(&mut encoded, &Ok::<(), String>(())).unwrap();
        assert!(is_plainly_good(&encoded) && is_plainly_good(&[]));
        encoded.clear();
        codec::encode_into(&mut encoded, &Err::<(), String>("no".to_string())).unwrap();
        assert!(!is_plainly_good(&encoded));
        encoded.clear();
        codec::encode_into(&mut encoded, &Err::<(), ()>(())).unwrap();
        assert!(!is_plainly_good(&encoded));
    }
}
