//! Where each of many pieces of one row of bytes lies: one number tells it if they are alike, a list of their ends if
//! not.
//!
//! Nothing here knows what the pieces are.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Lengths {
    Alike { len: usize, count: usize },
    Ends(Vec<usize>),
}

impl Default for Lengths {
    fn default() -> Self {
        Self::Alike { len: 0, count: 0 }
    }
}

impl Lengths {
    /// One more piece, behind the others.
    #[inline]
    pub(crate) fn push(&mut self, added: usize) {
        match self {
            Self::Alike { len, count } if *len == added => *count += 1,
            _ => self.push_another(added),
        }
    }

    /// So many more pieces of the same length.
    pub(super) fn push_alike(&mut self, added: usize, more: usize) {
        match self {
            Self::Alike { len, count } if *len == added => *count += more,
            _ => (0..more).for_each(|_| self.push(added)),
        }
    }

    fn push_another(&mut self, added: usize) {
        match self {
            Self::Alike { len, count: count @ 0 } => (*len, *count) = (added, 1),
            &mut Self::Alike { len, count } => {
                let ends = (1..=count).map(|pieces| pieces * len).chain([count * len + added]);
                *self = Self::Ends(ends.collect());
            }
            Self::Ends(ends) => ends.push(ends.last().map_or(0, |end| *end) + added),
        }
    }

    /// Whether they are those of pieces that have so many bytes together; for lengths that have come from elsewhere.
    #[cfg(feature = "cluster")]
    pub(super) fn are_of(&self, bytes: usize) -> bool {
        match self {
            Self::Alike { len, count } => len.checked_mul(*count) == Some(bytes),
            Self::Ends(ends) => ends.is_sorted() && ends.last().map_or(0, |end| *end) == bytes,
        }
    }

    /// How many pieces there are.
    #[inline]
    pub(crate) fn count(&self) -> usize {
        match self {
            Self::Alike { count, .. } => *count,
            Self::Ends(ends) => ends.len(),
        }
    }

    /// Where piece number `piece` lies, if there is one.
    #[inline]
    pub(crate) fn range(&self, piece: usize) -> Option<Range<usize>> {
        match self {
            Self::Alike { len, count } => (piece < *count).then(|| piece * len..(piece + 1) * len),
            Self::Ends(ends) => Some(self.start(piece)..*ends.get(piece)?),
        }
    }

    /// Where piece number `piece` begins, or would begin behind the others.
    pub(crate) fn start(&self, piece: usize) -> usize {
        match self {
            Self::Alike { len, count } => piece.min(*count) * len,
            Self::Ends(ends) => ends[..piece].last().map_or(0, |end| *end),
        }
    }

    /// The length of every piece, if they have one in common.
    pub(crate) fn alike(&self) -> Option<usize> {
        match self {
            Self::Alike { len, .. } => Some(*len),
            Self::Ends(_) => None,
        }
    }

    /// Some of the pieces, for themselves.
    pub(crate) fn part(&self, pieces: Range<usize>) -> Self {
        let mut part = Self::default();
        self.each(pieces).for_each(|len| part.push(len));
        part
    }

    /// The lengths of some of the pieces.
    pub(crate) fn each(&self, pieces: Range<usize>) -> impl Iterator<Item = usize> + '_ {
        pieces.map_while(|piece| self.range(piece)).map(|range| range.len())
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn of(lens: &[usize]) -> Lengths {
        let mut lengths = Lengths::default();
        lens.iter().for_each(|&len| lengths.push(len));
        lengths
    }

    #[test]
    fn pieces_lie_one_behind_the_other() {
        for lens in [&[][..], &[3], &[3, 3, 3], &[0, 0], &[0, 2, 0], &[3, 3, 1, 0, 5]] {
            let (lengths, mut start) = (of(lens), 0);
            assert_eq!(lengths.count(), lens.len());
            for (piece, len) in lens.iter().enumerate() {
                assert_eq!((lengths.start(piece), lengths.range(piece)), (start, Some(start..start + len)), "{lens:?}");
                start += len;
            }
            assert_eq!((lengths.start(lens.len()), lengths.range(lens.len())), (start, None), "{lens:?}");
        }
    }

    #[test]
    fn a_part_is_what_it_would_be_alone() {
        let lens = [4, 4, 7, 7, 0];
        for (from, to) in [(0, 5), (0, 2), (2, 4), (1, 3), (4, 5), (3, 3)] {
            assert_eq!(of(&lens).part(from..to), of(&lens[from..to]));
            assert_eq!(of(&lens).each(from..to).collect::<Vec<_>>(), lens[from..to]);
        }
    }

    #[test]
    fn what_is_alike_has_one_length() {
        assert_eq!([of(&[8; 100]).alike(), of(&[0; 3]).alike(), of(&[8, 8, 9]).alike()], [Some(8), Some(0), None]);
    }
}
