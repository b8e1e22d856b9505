//! What a frame brings: its bytes, and maybe a *row* of numbers at their end, which has memory of its own.
//!
//! Its row goes where it can become the vector that somebody wants, or be lent, without being copied once more; who has
//! sent it says in the head where it begins and how wide its numbers are.

use std::ops::Deref;

use crate::memory::Memory;
use crate::shared::passing::Enclosed;
use crate::sys::row::{LINE, Row};

/// See the module. Seen as bytes, it is what stands before the row.
#[derive(Debug)]
pub(crate) enum Body<'a> {
    /// All of it, where the reader has it.
    Lent(&'a [u8]),
    /// All of it.
    Whole(Memory),
    /// Some of it, and a row. Seldom, and not to be carried along by the others.
    Row(Box<WithRow>),
    /// There was no memory for it. Its first bytes, and how many it had.
    Lost(Vec<u8>, usize),
}

/// Bytes that end in a row.
#[derive(Debug)]
pub(crate) struct WithRow {
    /// What stands before the row.
    pub(crate) start: Vec<u8>,
    pub(crate) row: Row,
}

/// Where in a frame a row begins, and how wide its numbers are; a few bits in the head. It reaches to the end of the
/// frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RowPlace(u16);

/// Values that were encoded, whether they end in a row, and what they enclose.
#[derive(Debug, Default)]
pub struct Encoded {
    pub(crate) bytes: Vec<u8>,
    pub(crate) row: Option<RowPlace>,
    /// The row, if it does not stand in the bytes but behind them.
    pub(crate) tail: Option<Box<Row>>,
    pub(crate) enclosed: Enclosed,
}

/// The same, when nothing will be added any more.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(crate) bytes: Memory,
    pub(crate) row: Option<RowPlace>,
    pub(crate) tail: Option<Box<Row>>,
    pub(crate) enclosed: Enclosed,
}

/// Shorter rows are not worth memory of their own.
pub(crate) const ROW_MIN: usize = 16 << 10;

/// How many bits there are for a place.
pub(super) const PLACE_BITS: u32 = WIDTH_BITS + START_BITS;

const WIDTH_BITS: u32 = 3;

const START_BITS: u32 = 6;

const WORD: usize = super::frame::WORD;

impl RowPlace {
    /// From byte number `start` on there are numbers of `width` bytes, or what is to be lent; `None` if that cannot be said.
    pub(crate) fn new(start: usize, width: usize) -> Option<Self> {
        let words = u16::try_from(start / WORD).ok().filter(|&words| words > 0 && words < 1 << START_BITS)?;
        let is_sayable = start % WORD == 0 && width.is_power_of_two() && (width <= WORD || width == LINE);
        is_sayable.then_some(Self(words << WIDTH_BITS | width.trailing_zeros() as u16))
    }

    /// The same in a longer frame, in which `bytes` more stand before it.
    pub(crate) fn behind(self, bytes: usize) -> Option<Self> {
        Self::new(self.start() + bytes, self.width())
    }

    pub(super) fn bits(place: Option<Self>) -> u64 {
        place.map_or(0, |place| place.0.into())
    }

    /// Of the lowest bits.
    pub(super) fn from_bits(bits: u64) -> Option<Self> {
        let bits = bits as u16 & ((1 << PLACE_BITS) - 1);
        let place = Self(bits);
        (bits >> WIDTH_BITS > 0 && (place.width() <= WORD || place.width() == LINE)).then_some(place)
    }

    pub(super) const fn start(self) -> usize {
        (self.0 >> WIDTH_BITS) as usize * WORD
    }

    pub(super) const fn width(self) -> usize {
        1 << (self.0 & ((1 << WIDTH_BITS) - 1))
    }
}

impl Encoded {
    /// Nothing so far.
    pub(crate) const NONE: Self = Self { bytes: Vec::new(), row: None, tail: None, enclosed: Enclosed::NONE };
}

impl From<Encoded> for Parcel {
    fn from(Encoded { bytes, row, tail, enclosed }: Encoded) -> Self {
        Self { bytes: bytes.into(), row, tail, enclosed }
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
            Self::Lost(start, _) => start,
        }
    }
}

#[cfg(test)]
impl PartialEq for Body<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.joined() == other.joined()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_few_bits() {
        for (start, width) in [(8, 1), (48, 8), (504, 4), (16, 2), (504, 64)] {
            let place = RowPlace::new(start, width).unwrap();
            assert_eq!((place.start(), place.width()), (start, width));
            assert_eq!(RowPlace::from_bits(RowPlace::bits(Some(place)) | 1 << PLACE_BITS), Some(place));
        }
        for (start, width) in [(0, 8), (12, 4), (512, 8), (8, 3), (8, 16), (8, 0), (8, 32), (8, 128)] {
            assert_eq!(RowPlace::new(start, width), None);
        }
        assert_eq!(RowPlace::bits(None), 0);
        assert_eq!([0, 3, 7, 1 << WIDTH_BITS | 4, 1 << WIDTH_BITS | 7].map(RowPlace::from_bits), [None; 5]);
        let place = RowPlace::new(8, 4).unwrap();
        assert_eq!((place.behind(40), place.behind(500), place.behind(600)), (RowPlace::new(48, 4), None, None));
    }
}
