//! Everything that a parent and a worker can say to each other, as frames.
//!
//! What is said often is laid out here word by word; what is said once is left to the codec. A worker's words are not
//! trusted: whatever it sends is either understood or an error.

use serde::{Deserialize, Serialize};

use super::body::{Body, RowPlace};
use super::codec::{self, CodecError};
use super::enclosure::Enclosure;
use super::frame::{Head, Said, WORD};
use crate::confinement::Confinement;
use crate::error::PanicEvidence;

/// Changes with every change of what is said here or how.
pub(crate) const PROTOCOL: u32 = 10;

/// With which code a process ends that was started as a worker and cannot be one: its last words say why.
pub(crate) const NOT_A_WORKER: i32 = 97;

/// What a parent says; see [`run`](super::run) for what it says most, and [`Welcome`] for what comes first of all.
pub(crate) mod to_worker {
    /// Run a task once for each item.
    pub(crate) const RUN: u8 = 2;
    /// Finish and leave.
    pub(crate) const STOP: u8 = 3;
    /// Run a task once, and nothing more.
    pub(crate) const RUN_PLAIN: u8 = 4;
    /// Later arguments enclose this.
    pub(crate) const GIVE: u8 = 16;
    /// No later arguments enclose this any more.
    pub(crate) const FORGET: u8 = 17;
}

/// What a worker says.
mod from_worker {
    pub(super) const HELLO: u8 = 1;
    /// The item that the tag names has a result: these bytes.
    pub(super) const VALUE: u8 = 2;
    /// The item that the tag names has none.
    pub(super) const FAILURE: u8 = 3;
    /// When the call began whose last answer comes next, and for how many nanoseconds it ran.
    pub(super) const RAN: u8 = 4;
    /// It begins nothing more.
    pub(super) const WORN: u8 = 5;
    /// Like [`RAN`]; and the items behind the one of that answer have not begun, and do not.
    pub(super) const BREAKS_OFF: u8 = 6;
    /// The result that comes next encloses this.
    pub(super) const ENCLOSE: u8 = 16;
    /// Like a value. Its first word is the number of what it encloses, which the reader has itself.
    pub(super) const VALUE_OF_READERS: u8 = 17;
}

/// Who the worker is. Told to it before it can say anything, beside the link, so it is no frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Welcome {
    pub(crate) build: Build,
    pub(crate) parent: u32,
    pub(crate) pool: String,
    pub(crate) index: usize,
    /// How many pools deep the worker is; 1 for a worker of the program that the user started.
    pub(crate) depth: u32,
    /// How many processors it has for itself at its start.
    pub(crate) share: usize,
    /// How many threads libraries are told to start there, and by which variables: a bit for each.
    pub(crate) threads: usize,
    pub(crate) threads_said: u8,
    /// Whether there is more than one processor, so that it may look for calls before it sleeps.
    pub(crate) may_spin: bool,
    /// Whether its parent works for a program on another machine: then SIGTERM, which a launcher sends to all that it has
    /// started, is the parent's business.
    pub(crate) is_hosted: bool,
    /// The processors on which it shall run; none if that was not said.
    pub(crate) cpus: Vec<usize>,
    /// What it does to itself before anything else runs in it.
    pub(crate) confinement: Confinement,
    /// By how many bytes its private memory may grow before it is to be replaced.
    pub(crate) memory_growth_max: Option<u64>,
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

/// First of all, from a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hello {
    pub(crate) build: Build,
    pub(crate) pid: u32,
}

/// What a worker says.
#[derive(Debug)]
#[cfg_attr(test, derive(PartialEq))]
pub(crate) enum FromWorker<'a> {
    Hello(Hello),
    /// One item is done. Calls are numbered, as far as 32 bits go, in the order in which they were sent to the worker.
    Answer {
        call: u32,
        item: u32,
        result: Result<Body<'a>, Failure>,
    },
    /// An item has a result, which encloses what the reader knows by this number.
    AnswerOfReaders {
        call: u32,
        item: u32,
        encloses: u64,
        result: &'a [u8],
    },
    /// The call whose last answer comes next, or which is given up, began at this moment of the machine's clock, and ran
    /// so long. If it breaks off, the items behind the one of that answer have
    /// not begun, and do not.
    Ran {
        began: u64,
        nanos: u64,
        breaks_off: bool,
    },
    /// The worker has grown, and is to be replaced: it begins nothing more of what it was sent, and none of the items
    /// that are left of a call.
    Worn,
    /// The result that comes next encloses this; its descriptor, if there is one, is there already.
    Encloses(Enclosure),
}

/// Why one item has no result, in a worker that is still there to tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Failure {
    Panicked(PanicEvidence),
    /// The arguments could not be decoded; the task did not run.
    CannotDecode(String),
    /// The task ran; its result could not be encoded.
    CannotEncode(String),
    /// There is no memory for the arguments, which are so many bytes; the task did not run.
    NoRoomForArguments(u64),
    /// The task ran; in the parent there is no memory for its result.
    NoRoomForResult(u64),
    /// The worker had no room for what goes beside the bytes of the arguments, and the task did not run; or for that of
    /// the result.
    Lacks {
        has_run: bool,
        why: String,
    },
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

impl Welcome {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        codec::encode_into(&mut bytes, self).expect("messages of ours can be encoded");
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        codec::decode(bytes)
    }
}

impl Hello {
    pub(crate) fn said(&self) -> (Head, Vec<u8>) {
        encoded(from_worker::HELLO, 0, self)
    }
}

/// Item `item` of call number `call` has a result of so many bytes, which are those of the frame; maybe there is a
/// row in it.
pub(crate) const fn value(call: u64, item: u32, len: usize, row: Option<RowPlace>) -> Head {
    Head { kind: from_worker::VALUE, tag: item_tag(call, item), len, row }
}

/// The same of a short result that encloses what the reader knows by the number in its first word.
pub(crate) const fn value_of_readers(call: u64, item: u32, len: usize) -> Head {
    Head { kind: from_worker::VALUE_OF_READERS, tag: item_tag(call, item), len, row: None }
}

/// Item `item` of call number `call` has no result.
pub(crate) fn failure(call: u64, item: u32, why: &Failure) -> (Head, Vec<u8>) {
    encoded(from_worker::FAILURE, item_tag(call, item), why)
}

const fn item_tag(call: u64, item: u32) -> u64 {
    call << u32::BITS | item as u64
}

/// Which item of which call has the result that this is the head of.
pub(crate) fn item_of(head: Head) -> Option<(u32, u32)> {
    (head.kind == from_worker::VALUE).then_some(((head.tag >> u32::BITS) as u32, head.tag as u32))
}

/// When the call began whose last answer comes next, and how long it ran; and whether that answer is the last one because
/// the items behind it are left alone.
pub(crate) const fn ran(began: u64, nanos: u64, breaks_off: bool) -> (Head, [u8; WORD]) {
    let kind = if breaks_off { from_worker::BREAKS_OFF } else { from_worker::RAN };
    (Head { kind, tag: nanos, len: WORD, row: None }, began.to_le_bytes())
}

/// Begins nothing more, and waits to be told to leave.
pub(crate) const fn worn() -> Head {
    Head { kind: from_worker::WORN, tag: 0, len: 0, row: None }
}

/// Later arguments enclose this, whose descriptor is on its way.
pub(crate) fn give(enclosure: Enclosure) -> (Head, impl AsRef<[u8]>) {
    enclosure.said(to_worker::GIVE)
}

/// No later arguments enclose what was given under this number.
pub(crate) const fn forget(id: u64) -> Head {
    Head { kind: to_worker::FORGET, tag: id, len: 0, row: None }
}

/// The result that comes next encloses this, whose descriptor has been sent.
pub(crate) fn encloses(enclosure: Enclosure) -> (Head, impl AsRef<[u8]>) {
    enclosure.said(from_worker::ENCLOSE)
}

/// Finish and leave.
pub(crate) const fn stop() -> Head {
    Head { kind: to_worker::STOP, tag: 0, len: 0, row: None }
}

impl<'a> FromWorker<'a> {
    pub(crate) fn parse((head, bytes): Said<'a>) -> Result<Self, CodecError> {
        let (call, item) = ((head.tag >> u32::BITS) as u32, head.tag as u32);
        match head.kind {
            from_worker::HELLO => codec::decode(&bytes).map(Self::Hello),
            from_worker::VALUE => Ok(Self::Answer { call, item, result: received(bytes) }),
            from_worker::VALUE_OF_READERS => match bytes {
                Body::Lent(bytes) => bytes.split_first_chunk().map(|(encloses, result)| {
                    let encloses = u64::from_le_bytes(*encloses);
                    Self::AnswerOfReaders { call, item, encloses, result }
                }),
                _ => None,
            }
            .ok_or_else(|| CodecError::unknown("what a result encloses")),
            from_worker::FAILURE => codec::decode(&bytes).map(|why| Self::Answer { call, item, result: Err(why) }),
            kind @ (from_worker::RAN | from_worker::BREAKS_OFF) => {
                let began = <[u8; WORD]>::try_from(&*bytes).map_err(|_| CodecError::unknown("a moment"))?;
                let (began, breaks_off) = (u64::from_le_bytes(began), kind == from_worker::BREAKS_OFF);
                Ok(Self::Ran { began, nanos: head.tag, breaks_off })
            }
            from_worker::ENCLOSE => Enclosure::parse(head, &bytes).map(Self::Encloses),
            from_worker::WORN if bytes.is_empty() => Ok(Self::Worn),
            _ => Err(CodecError::unknown("a kind of message")),
        }
    }
}

/// The result, if it is there.
#[inline]
fn received(body: Body<'_>) -> Result<Body<'_>, Failure> {
    match body {
        Body::Lost(_, len) => Err(Failure::NoRoomForResult(len as u64)),
        body => Ok(body),
    }
}

fn encoded(kind: u8, tag: u64, message: &impl Serialize) -> (Head, Vec<u8>) {
    let mut bytes = Vec::new();
    codec::encode_into(&mut bytes, message).expect("messages of ours can be encoded");
    (Head { kind, tag, len: bytes.len(), row: None }, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said((head, bytes): &(Head, Vec<u8>)) -> Said<'_> {
        (*head, Body::Lent(bytes))
    }

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

    #[test]
    fn what_a_worker_says_is_understood() {
        let hello = Hello { build: Build { protocol: 1, tasks: 2, image: 3 }, pid: 4 };
        assert_eq!(FromWorker::parse(said(&hello.said())), Ok(FromWorker::Hello(hello)));
        let value = FromWorker::Answer { call: 7, item: 9, result: Ok(Body::Lent(b"abc")) };
        assert_eq!(FromWorker::parse((super::value((3 << 32) + 7, 9, 3, None), Body::Lent(b"abc"))), Ok(value));
        let why = Failure::CannotDecode("it".into());
        let failure = FromWorker::Answer { call: 7, item: 0, result: Err(why.clone()) };
        assert_eq!(FromWorker::parse(said(&super::failure(7, 0, &why))), Ok(failure));
        for breaks_off in [false, true] {
            let (head, moment) = ran(4, 5, breaks_off);
            assert_eq!(
                FromWorker::parse((head, Body::Lent(&moment))),
                Ok(FromWorker::Ran { began: 4, nanos: 5, breaks_off })
            );
            assert!(FromWorker::parse((head, Body::Lent(&moment[1..]))).is_err());
        }
        assert_eq!(FromWorker::parse((worn(), Body::Lent(b""))), Ok(FromWorker::Worn));
    }

    #[test]
    fn a_result_says_what_of_its_readers_it_encloses() {
        let head = value_of_readers(7, 9, 11);
        let answer = FromWorker::AnswerOfReaders { call: 7, item: 9, encloses: 1, result: b"abc" };
        assert_eq!(FromWorker::parse((head, Body::Lent(b"\x01\0\0\0\0\0\0\0abc"))), Ok(answer));
        assert!(FromWorker::parse((head, Body::Lent(b"seven b"))).is_err());
        assert!(FromWorker::parse((head, Body::Whole(vec![0; 20].into()))).is_err());
    }

    #[test]
    fn a_result_that_is_lost_is_a_failure() {
        let lost = FromWorker::parse((super::value(3, 9, 1 << 40, None), Body::Lost(b"start".to_vec(), 1 << 40)));
        assert_eq!(lost, Ok(FromWorker::Answer { call: 3, item: 9, result: Err(Failure::NoRoomForResult(1 << 40)) }));
    }

    #[test]
    fn what_no_worker_says_is_an_error() {
        for kind in [0, 1, 3, 4, 5, 6, 7, 255] {
            let said = (Head { kind, tag: 0, len: 3, row: None }, Body::Lent(b"abc"));
            assert!(FromWorker::parse(said).is_err(), "kind {kind}");
        }
    }
}
