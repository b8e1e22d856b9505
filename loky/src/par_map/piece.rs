//! Consecutive items that have their results, and how many of those were handed out.
//!
//! The bytes of a chunk's results stay as they came, in one piece of memory. Nothing here knows of pools or of other chunks.

use crate::driver::Results;
use crate::error::Error;

/// See the module.
#[derive(Debug)]
pub(super) struct Piece {
    first: usize,
    count: usize,
    /// How many were handed out.
    used: usize,
    answers: Answers,
}

#[derive(Debug)]
enum Answers {
    Each(Results),
    /// The same for all.
    Error(Error),
}

/// The place of an item in the input, and the bytes of its result.
pub(super) type Answer<'a> = (usize, Result<&'a [u8], Error>);

impl Piece {
    /// All results of a chunk that begins at `first`.
    pub(super) fn of(first: usize, results: Results) -> Self {
        Self { first, count: results.len(), used: 0, answers: Answers::Each(results.in_pieces()) }
    }

    /// None of `count` items has a result.
    pub(super) const fn failed(first: usize, count: usize, why: Error) -> Self {
        Self { first, count, used: 0, answers: Answers::Error(why) }
    }

    /// Nothing.
    pub(super) fn empty() -> Self {
        Self::of(0, Results::default())
    }

    /// How many items there are.
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    #[inline]
    pub(super) const fn is_used_up(&self) -> bool {
        self.used == self.count
    }

    /// The next one that was not handed out.
    #[inline]
    pub(super) fn next(&mut self) -> Option<Answer<'_>> {
        let item = self.used;
        if item == self.count {
            return None;
        }
        self.used += 1;
        let result = match &self.answers {
            Answers::Each(results) => results.get(item)?.map_err(Clone::clone),
            Answers::Error(why) => Err(why.clone()),
        };
        Some((self.first + item, result))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn items_that_failed_alike_are_handed_out_one_by_one() {
        let mut piece = Piece::failed(7, 2, Error::new(ErrorKind::Shutdown, "failed"));
        for place in [7, 8] {
            assert!(!piece.is_used_up());
            let (found, result) = piece.next().unwrap();
            assert_eq!((found, result.unwrap_err().kind()), (place, ErrorKind::Shutdown));
        }
        assert!(piece.is_used_up() && piece.next().is_none());
    }

    #[test]
    fn an_empty_piece_is_used_up() {
        assert!(Piece::empty().is_used_up() && Piece::empty().next().is_none());
    }
}
