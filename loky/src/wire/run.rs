//! What to run: the message that is sent most. Word by word: attempt and earlier tries, task, length of the captures,
//! first item and number of items. Then the length of each item's arguments, once if all are alike, unless there is
//! one item only; the captures, filled up to whole words; and the arguments, one after the other. The tag of the
//! frame is the number of the call.
//!
//! A call of one item in its first try, of which nothing is asked but its result, needs the word of the task and its
//! arguments only.

use super::body::{Body, RowPlace};
use super::codec::CodecError;
use super::frame::{Head, WORD, padded};
use super::message::to_worker::{RUN, RUN_PLAIN};
use crate::ids::{Attempt, CallId, TaskId};

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) call: CallId,
    /// Which dispatch of the call this is.
    pub(crate) attempt: Attempt,
    /// Tries that the first item has already had in earlier calls.
    pub(crate) tries_before: u32,
    pub(crate) task: TaskId,
    /// How many bytes the captures of a closure are.
    pub(crate) captures: usize,
    /// The number of the first item that is left to do.
    pub(crate) first: u32,
    /// How many items there are to do.
    pub(crate) count: u32,
    /// Whether the worker shall tell how long it took.
    pub(crate) is_measured: bool,
    /// Whether each answer shall be told at once, and not with the last one.
    pub(crate) is_prompt: bool,
    /// Whether one length is that of all items' arguments.
    pub(crate) is_alike: bool,
    /// Whether it is the pool's own, and is run even if the worker begins no calls any more.
    pub(crate) is_errand: bool,
    /// Whether the worker may leave the last items alone, if those before them take long.
    pub(crate) may_break_off: bool,
}

/// What is to be run, in the worker.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Assignment<'a> {
    pub(crate) run: Run,
    pub(crate) captures: &'a [u8],
    items: Items<'a>,
    /// How many bytes there would be, if there is no memory for them: then each item seems to have none.
    pub(crate) lost: Option<usize>,
}

/// The arguments of each item that is to be run; all are known to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Items<'a> {
    lengths: Lengths<'a>,
    /// How many there are.
    left: u32,
    arguments: &'a [u8],
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Lengths<'a> {
    Alike(usize),
    /// A word for each.
    Each(&'a [u8]),
}

const WORDS: usize = 4;

/// In the number of items.
const MEASURED: u32 = 1 << 31;

/// Likewise.
const PROMPT: u32 = 1 << 30;

/// Likewise.
const ALIKE: u32 = 1 << 29;

/// Likewise.
const ERRAND: u32 = 1 << 28;

/// Likewise.
const MAY_BREAK_OFF: u32 = 1 << 27;

const FLAGS: u32 = MEASURED | PROMPT | ALIKE | ERRAND | MAY_BREAK_OFF;

impl Run {
    /// The head of the frame, if the arguments have `arguments` bytes, in which there may be a row.
    pub(crate) fn head(&self, arguments: usize, row: Option<RowPlace>) -> Head {
        let before = WORDS * WORD + self.lengths_len() + padded(self.captures);
        let row = row.filter(|_| self.count == 1).and_then(|row| row.behind(before));
        Head { kind: RUN, tag: self.call.raw(), len: before + arguments, row }
    }

    /// What comes first in the frame.
    pub(crate) fn words(&self) -> [u8; WORDS * WORD] {
        let flag = |is_set, flag| if is_set { flag } else { 0 };
        let on_time = flag(self.is_measured, MEASURED) | flag(self.is_prompt, PROMPT);
        let on_whole =
            flag(self.is_alike, ALIKE) | flag(self.is_errand, ERRAND) | flag(self.may_break_off, MAY_BREAK_OFF);
        let count = self.count | on_time | on_whole;
        let words = [
            pair(self.attempt.get(), self.tries_before),
            self.task.raw(),
            self.captures as u64,
            pair(self.first, count),
        ];
        let mut bytes = [0; WORDS * WORD];
        for (bytes, word) in bytes.chunks_exact_mut(WORD).zip(words) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    const fn lengths_len(&self) -> usize {
        match (self.count, self.is_alike) {
            (1, _) => 0,
            (_, true) => WORD,
            (count, false) => count as usize * WORD,
        }
    }

    /// What stands first in a frame, and the rest.
    fn parse(call: u64, bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (head, rest) = bytes.split_at_checked(WORDS * WORD)?;
        let mut words = [0; WORDS];
        words.iter_mut().zip(head.chunks_exact(WORD)).for_each(|(to, from)| *to = word(from));
        Some((Self::from_words(call, words)?, rest))
    }

    fn from_words(call: u64, words: [u64; WORDS]) -> Option<Self> {
        let [tries, task, captures, items] = words;
        let (attempt, tries_before) = unpair(tries);
        let (first, count) = unpair(items);
        Some(Self {
            call: CallId::from_raw(call),
            attempt: Attempt::new(attempt)?,
            tries_before,
            task: TaskId::from_raw(task),
            captures: usize::try_from(captures).ok()?,
            first,
            count: count & !FLAGS,
            is_measured: count & MEASURED != 0,
            is_prompt: count & PROMPT != 0,
            is_alike: count & ALIKE != 0,
            is_errand: count & ERRAND != 0,
            may_break_off: count & MAY_BREAK_OFF != 0,
        })
    }
}

/// The head of the frame of a plain call, if the arguments have `arguments` bytes.
pub(crate) const fn plain_head(call: CallId, arguments: usize) -> Head {
    Head { kind: RUN_PLAIN, tag: call.raw(), len: WORD + arguments, row: None }
}

/// What comes first in that frame.
pub(crate) const fn plain_word(task: TaskId) -> [u8; WORD] {
    task.raw().to_le_bytes()
}

impl<'a> Assignment<'a> {
    /// Of a frame of either kind.
    pub(crate) fn parse(head: Head, body: &'a Body<'_>) -> Result<Self, CodecError> {
        let parsed = match (body, head.kind) {
            (Body::Lost(start, len), _) => Self::parse_lost(head, start, *len),
            (_, RUN) => Self::try_parse(head.tag, body),
            _ => Self::parse_plain(head.tag, body),
        };
        parsed.ok_or_else(|| CodecError::unknown("what is to be run"))
    }

    /// Of a frame of which only the start is there.
    fn parse_lost(head: Head, start: &'a [u8], len: usize) -> Option<Self> {
        let run =
            if head.kind == RUN { Run::parse(head.tag, start)?.0 } else { Self::parse_plain(head.tag, start)?.run };
        let items = Items { lengths: Lengths::Alike(0), left: run.count, arguments: &[] };
        Some(Self { run, captures: &[], items, lost: Some(len) })
    }

    fn parse_plain(call: u64, bytes: &'a [u8]) -> Option<Self> {
        let (task, arguments) = bytes.split_first_chunk()?;
        let run = Run {
            call: CallId::from_raw(call),
            attempt: Attempt::FIRST,
            tries_before: 0,
            task: TaskId::from_raw(u64::from_le_bytes(*task)),
            captures: 0,
            first: 0,
            count: 1,
            is_measured: false,
            is_prompt: false,
            is_alike: false,
            is_errand: false,
            may_break_off: false,
        };
        let items = Items { lengths: Lengths::Alike(arguments.len()), left: 1, arguments };
        Some(Self { run, captures: &[], items, lost: None })
    }

    pub(crate) fn items(&self) -> Items<'a> {
        self.items.clone()
    }

    fn try_parse(call: u64, bytes: &'a [u8]) -> Option<Self> {
        let (run, rest) = Run::parse(call, bytes)?;
        let (lengths, rest) = rest.split_at_checked(run.lengths_len())?;
        let captures = rest.get(..run.captures)?;
        let arguments = rest.get(padded(run.captures)..)?;
        let lengths = match (run.count, run.is_alike) {
            (1, _) => Lengths::Alike(arguments.len()),
            (_, true) => Lengths::Alike(usize::try_from(word(lengths)).ok()?),
            (_, false) => Lengths::Each(lengths),
        };
        let all = match lengths {
            Lengths::Alike(len) => len.checked_mul(run.count as usize)?,
            Lengths::Each(each) => {
                each.chunks_exact(WORD).map(word).try_fold(0, |all, len| usize::try_from(len).ok()?.checked_add(all))?
            }
        };
        // Both sides know the bytes of a frame, so what is left over means that they do not understand each other.
        let items = Items { lengths, left: run.count, arguments };
        (all == arguments.len()).then_some(Self { run, captures, items, lost: None })
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        self.left = self.left.checked_sub(1)?;
        let len = match &mut self.lengths {
            Lengths::Alike(len) => *len,
            Lengths::Each(lengths) => {
                let (len, others) = lengths.split_at(WORD);
                *lengths = others;
                word(len) as usize
            }
        };
        let (arguments, others) = self.arguments.split_at(len);
        self.arguments = others;
        Some(arguments)
    }
}

const fn pair(high: u32, low: u32) -> u64 {
    (high as u64) << u32::BITS | low as u64
}

const fn unpair(word: u64) -> (u32, u32) {
    ((word >> u32::BITS) as u32, word as u32)
}

fn word(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().expect("a word"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: Run = Run {
        call: CallId::from_raw(u64::MAX),
        attempt: Attempt::FIRST.next(),
        tries_before: 3,
        task: TaskId::located(0x1234),
        captures: 6,
        first: 70_000,
        count: 3,
        is_measured: true,
        is_prompt: true,
        is_alike: false,
        is_errand: false,
        may_break_off: true,
    };

    fn bytes(run: &Run, lengths: &[u64], captures: &[u8], arguments: &[u8]) -> Vec<u8> {
        let lengths: Vec<u8> = lengths.iter().flat_map(|len| len.to_le_bytes()).collect();
        let fill = vec![0; padded(captures.len()) - captures.len()];
        [&run.words()[..], &lengths, captures, &fill, arguments].concat()
    }

    fn parse<'a>(body: &'a Body<'_>) -> Result<Assignment<'a>, CodecError> {
        Assignment::parse(RUN.head(0, None), body)
    }

    #[test]
    fn what_is_to_be_run_arrives_as_it_was_sent() {
        let bytes = bytes(&RUN, &[1, 0, 3], b"caught", b"abbb");
        assert_eq!(RUN.head(4, None).len, bytes.len());
        let body = Body::Lent(&bytes);
        let assignment = parse(&body).unwrap();
        assert_eq!((assignment.run, assignment.captures), (RUN, &b"caught"[..]));
        assert_eq!(assignment.items().collect::<Vec<_>>(), [&b"a"[..], b"", b"bbb"]);
    }

    #[test]
    fn a_single_item_needs_no_length() {
        let run = Run { count: 1, captures: 0, is_measured: false, task: TaskId::registered(7), ..RUN };
        let bytes = bytes(&run, &[], b"", b"arguments");
        let body = Body::Lent(&bytes);
        let assignment = parse(&body).unwrap();
        assert_eq!((assignment.run, assignment.items().collect::<Vec<_>>()), (run, vec![&b"arguments"[..]]));
    }

    #[test]
    fn a_plain_call_needs_few_words() {
        let (call, task) = (CallId::from_raw(9), TaskId::located(0x1234));
        let bytes = [&plain_word(task)[..], b"arguments"].concat();
        let head = plain_head(call, 9);
        assert_eq!(head.len, bytes.len());
        let body = Body::Lent(&bytes);
        let assignment = Assignment::parse(head, &body).unwrap();
        let Run { attempt, count, captures, .. } = assignment.run;
        assert_eq!((assignment.run.call, assignment.run.task), (call, task));
        assert_eq!((attempt, count, captures, assignment.captures), (Attempt::FIRST, 1, 0, &b""[..]));
        assert_eq!(assignment.items().collect::<Vec<_>>(), [&b"arguments"[..]]);
        assert!(Assignment::parse(head, &Body::Lent(&bytes[..WORD - 1])).is_err());
    }

    #[test]
    fn items_that_are_alike_share_a_length() {
        let run = Run { is_alike: true, is_errand: true, may_break_off: false, ..RUN };
        let bytes = bytes(&run, &[2], b"caught", b"aabbcc");
        assert_eq!(run.head(6, None).len, bytes.len());
        let body = Body::Lent(&bytes);
        let assignment = parse(&body).unwrap();
        assert_eq!((assignment.run, assignment.captures), (run, &b"caught"[..]));
        assert_eq!(assignment.items().collect::<Vec<_>>(), [b"aa", b"bb", b"cc"]);
        assert!(parse(&Body::Lent(&bytes[..bytes.len() - 1])).is_err(), "an item that is longer than what is left");
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        let whole = bytes(&RUN, &[1, 0, 3], b"caught", b"abbb");
        for len in 0..whole.len() {
            assert!(parse(&Body::Lent(&whole[..len])).is_err(), "{len} bytes");
        }
        assert!(parse(&Body::Lent(&[&whole[..], b"b"].concat())).is_err(), "more than all items have");
        let endless = bytes(&RUN, &[u64::MAX, 2, 3], b"caught", b"abbb");
        assert!(parse(&Body::Lent(&endless)).is_err(), "lengths that come round to what is there");
        let mut nobody = whole;
        nobody[4..8].fill(0);
        assert!(parse(&Body::Lent(&nobody)).is_err(), "attempts count from 1");
    }

    #[test]
    fn what_is_lost_tells_what_it_was_about() {
        let bytes = bytes(&RUN, &[1, 0, 3], b"caught", b"abbb");
        let (lost, few) = (Body::Lost(bytes[..40].to_vec(), 1 << 40), Body::Lost(bytes[..24].to_vec(), 1 << 40));
        let assignment = parse(&lost).unwrap();
        assert_eq!((assignment.run, assignment.captures, assignment.lost), (RUN, &b""[..], Some(1 << 40)));
        assert_eq!(assignment.items().collect::<Vec<_>>(), [b""; 3]);
        assert!(parse(&few).is_err());
        let plain = Assignment::parse(plain_head(CallId::from_raw(9), 1 << 40), &lost).unwrap();
        assert_eq!((plain.run.count, plain.run.task.raw(), plain.lost), (1, pair(2, 3), Some(1 << 40)));
    }
}
