//! What a frame brings: its bytes, and maybe a *row* of numbers at their end, which has memory of its own.
//!
//! A long frame is collected here. Its row goes where it can become the vector that somebody wants without being copied
//! once more; who has sent it says in the head where it begins and how wide its numbers are.

use std::ops::Deref;

use super::frame::{Head, Source, padded};
use crate::memory::Memory;
use crate::shared::passing::Enclosed;
use crate::sys::row::Row;

/// See the module. Seen as bytes, it is what stands before the row.
#[derive(Debug)]
pub(crate) enum Body<'a> {
    /// All of it, where the reader has it.
    Lent(&'a [u8]),
    /// All of it.
    Whole(Memory),
    /// Some of it, and a row. Seldom, and not to be carried along by the others.
    Row(Box<WithRow>),
}

/// Bytes that end in a row.
#[derive(Debug)]
pub(crate) struct WithRow {
    /// What stands before the row.
    pub(crate) start: Vec<u8>,
    pub(crate) row: Row,
}

/// Where in a frame a row begins, and how wide its numbers are; a byte in the head. It reaches to the end of the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RowPlace(u8);

/// Values that were encoded, whether they end in a row, and what they enclose.
#[derive(Debug, Default)]
pub struct Encoded {
    pub(crate) bytes: Vec<u8>,
    pub(crate) row: Option<RowPlace>,
    pub(crate) enclosed: Enclosed,
}

/// The same, when nothing will be added any more.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(crate) bytes: Memory,
    pub(crate) row: Option<RowPlace>,
    pub(crate) enclosed: Enclosed,
}

/// Shorter rows are not worth memory of their own.
pub(crate) const ROW_MIN: usize = 16 << 10;

/// How much memory is made before the bytes are there.
pub(super) const TRUST: usize = 1 << 20;

const WIDTH_BITS: u32 = 2;

const WORD: usize = super::frame::WORD;

impl RowPlace {
    /// From byte number `start` on there are numbers of `width` bytes; `None` if that cannot be said.
    pub(crate) fn new(start: usize, width: usize) -> Option<Self> {
        let words = u8::try_from(start / WORD).ok().filter(|&words| words > 0 && words <= u8::MAX >> WIDTH_BITS)?;
        let is_sayable = start % WORD == 0 && width.is_power_of_two() && width <= WORD;
        is_sayable.then_some(Self(words << WIDTH_BITS | width.trailing_zeros() as u8))
    }

    /// The same in a longer frame, in which `bytes` more stand before it.
    pub(crate) fn behind(self, bytes: usize) -> Option<Self> {
        Self::new(self.start() + bytes, self.width())
    }

    pub(super) fn byte(place: Option<Self>) -> u8 {
        place.map_or(0, |place| place.0)
    }

    pub(super) fn from_byte(byte: u8) -> Option<Self> {
        (byte >> WIDTH_BITS > 0).then_some(Self(byte))
    }

    pub(super) const fn start(self) -> usize {
        (self.0 >> WIDTH_BITS) as usize * WORD
    }

    const fn width(self) -> usize {
        1 << (self.0 & ((1 << WIDTH_BITS) - 1))
    }
}

impl Encoded {
    /// Nothing so far.
    pub(crate) const NONE: Self = Self { bytes: Vec::new(), row: None, enclosed: Enclosed::NONE };
}

impl From<Encoded> for Parcel {
    fn from(Encoded { bytes, row, enclosed }: Encoded) -> Self {
        Self { bytes: bytes.into(), row, enclosed }
    }
}

impl Body<'_> {
    /// What stands before the row, and the row.
    #[inline]
    pub(crate) fn split(self) -> (Self, Option<Box<Row>>) {
        match self {
            Self::Row(body) => (Self::Whole(body.start.into()), Some(Box::new(body.row))),
            whole => (whole, None),
        }
    }

    /// Everything in one piece.
    #[cfg(test)]
    pub(super) fn joined(&self) -> Vec<u8> {
        match self {
            Self::Row(body) => body.joined(),
            whole => whole.to_vec(),
        }
    }
}

impl WithRow {
    /// Everything in one piece.
    pub(crate) fn joined(&self) -> Vec<u8> {
        [&self.start, self.row.bytes()].concat()
    }
}

impl Deref for Body<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Lent(bytes) => bytes,
            Self::Whole(bytes) => bytes,
            Self::Row(body) => &body.start,
        }
    }
}

#[cfg(test)]
impl PartialEq for Body<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.joined() == other.joined()
    }
}

/// A frame that arrives. It is told how long it will be, and does not believe it: memory grows with what is there.
#[derive(Debug)]
pub(super) struct Long {
    pub(super) head: Head,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// The bytes, and how many of them have arrived.
    Whole(Memory, usize),
    Row(WithRow),
}

impl Long {
    /// One of which `begun` has arrived: whole words, and all that stands before the row.
    pub(super) fn begin(head: Head, begun: &[u8]) -> Self {
        let row = head.row.filter(|row| row.start() < head.len);
        let kind = match row.and_then(|row| Some((row, begun.split_at_checked(row.start())?))) {
            Some((place, (start, numbers))) => {
                let mut row = Row::new(place.width());
                row.grow(trusted(padded(head.len) - start.len(), 0));
                row.extend(numbers);
                Kind::Row(WithRow { start: start.to_vec(), row })
            }
            None => {
                let mut bytes = Memory::with_len(trusted(padded(head.len), 0));
                bytes[..begun.len()].copy_from_slice(begun);
                Kind::Whole(bytes, begun.len())
            }
        };
        Self { head, kind }
    }

    /// Reads what is missing. `false`: the source has no more for now.
    pub(super) fn fill<S: Source>(&mut self, source: &mut S) -> Result<bool, S::Error> {
        let all = padded(self.head.len);
        match &mut self.kind {
            Kind::Whole(bytes, there) => {
                while *there < all {
                    if *there == bytes.len() {
                        *bytes = grown(bytes, trusted(all, *there));
                    }
                    match source.read(&mut bytes[*there..])? {
                        0 => return Ok(false),
                        len => *there += len,
                    }
                }
            }
            Kind::Row(WithRow { start, row }) => {
                let all = all - start.len();
                while row.bytes().len() < all {
                    if row.room() == 0 {
                        row.grow(trusted(all, row.bytes().len()));
                    }
                    if source.read_row(row)? == 0 {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }

    /// How much memory there is.
    #[cfg(test)]
    pub(super) fn room(&self) -> usize {
        match &self.kind {
            Kind::Whole(bytes, _) => bytes.capacity(),
            Kind::Row(WithRow { row, .. }) => row.bytes().len() + row.room(),
        }
    }

    /// What has arrived, when nothing is missing.
    pub(super) fn finish(self) -> Body<'static> {
        match self.kind {
            Kind::Whole(mut bytes, _) => {
                bytes.truncate(self.head.len);
                Body::Whole(bytes)
            }
            Kind::Row(mut body) => {
                body.row.truncate(self.head.len - body.start.len());
                Body::Row(Box::new(body))
            }
        }
    }
}

/// How much memory there shall be for `all` bytes of which so many have arrived.
fn trusted(all: usize, there: usize) -> usize {
    all.min(there.max(TRUST) * 2)
}

/// More memory with the same bytes. New memory comes zeroed from the allocator, which costs less than to fill what a
/// vector has at its end.
fn grown(bytes: &[u8], len: usize) -> Memory {
    let mut larger = Memory::with_len(len);
    larger[..bytes.len()].copy_from_slice(bytes);
    larger
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_byte() {
        for (start, width) in [(8, 1), (48, 8), (504, 4), (16, 2)] {
            let place = RowPlace::new(start, width).unwrap();
            assert_eq!((place.start(), place.width()), (start, width));
            assert_eq!(RowPlace::from_byte(RowPlace::byte(Some(place))), Some(place));
        }
        for (start, width) in [(0, 8), (12, 4), (512, 8), (8, 3), (8, 16), (8, 0)] {
            assert_eq!(RowPlace::new(start, width), None);
        }
        assert_eq!((RowPlace::byte(None), RowPlace::from_byte(0), RowPlace::from_byte(3)), (0, None, None));
        let place = RowPlace::new(8, 4).unwrap();
        assert_eq!((place.behind(40), place.behind(500), place.behind(600)), (RowPlace::new(48, 4), None, None));
    }
}
