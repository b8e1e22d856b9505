//! Consecutive items that have their results, and how many of those were handed out.
//!
//! The bytes of a chunk's results stay as they came, in one piece of memory. Nothing here knows of pools or of other
//! chunks.

use serde::de::DeserializeOwned;

use crate::driver::Results;
use crate::error::Error;
use crate::pool::decode_result;
use crate::shared::passing::{Arrivals, supplying};

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
    /// One behind the other, each with so many bytes.
    Row(Vec<u8>, usize),
    /// And what they enclose.
    Each(Results, Option<Arrivals>),
    /// The same for all.
    Error(Error),
}

/// After so many results in a row it is looked what else is to be done. Until then a worker that has become idle
/// waits, but no longer than this takes of the time of a chunk.
const REST_EVERY: usize = 8;

/// The place of an item in the input, and its result.
pub(super) type Answer<'a> = (usize, Result<Found<'a>, Error>);

/// The bytes of a result, and what came along with them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'a> {
    bytes: &'a [u8],
    arrivals: Option<&'a Arrivals>,
}

impl Found<'_> {
    pub(super) fn decode<R: DeserializeOwned>(self, task: &str) -> Result<R, Error> {
        match self.arrivals {
            None => decode_result(self.bytes, task),
            Some(arrivals) => self.decode_with(arrivals, task),
        }
    }

    #[cold]
    #[inline(never)]
    fn decode_with<R: DeserializeOwned>(self, arrivals: &Arrivals, task: &str) -> Result<R, Error> {
        supplying(arrivals.clone(), || decode_result(self.bytes, task))
    }
}

impl Piece {
    /// All results of a chunk that begins at `first`.
    pub(super) fn of(first: usize, results: Results) -> Self {
        let count = results.len();
        let answers = match results.into_row() {
            Ok((bytes, len)) => Answers::Row(bytes, len),
            Err(results) => {
                let (results, arrivals) = results.split();
                Answers::Each(results.in_pieces(), arrivals)
            }
        };
        Self { first, count, used: 0, answers }
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

    /// The next one that was not handed out, and its place, if it is one of a row and not the first one after a rest.
    #[inline]
    pub(super) fn next_in_row(&mut self) -> Option<(usize, &[u8])> {
        let Answers::Row(bytes, len) = &self.answers else { return None };
        let item = self.used;
        if item == self.count || item % REST_EVERY == 0 {
            return None;
        }
        self.used += 1;
        Some((self.first + item, &bytes[item * len..][..*len]))
    }

    /// The next one that was not handed out.
    #[inline]
    pub(super) fn next(&mut self) -> Option<Answer<'_>> {
        let item = self.used;
        if item == self.count {
            return None;
        }
        self.used += 1;
        let (result, arrivals) = match &self.answers {
            Answers::Row(bytes, len) => (Ok(&bytes[item * len..][..*len]), None),
            Answers::Each(results, arrivals) => (results.get(item)?.map_err(Clone::clone), arrivals.as_ref()),
            Answers::Error(why) => (Err(why.clone()), None),
        };
        Some((self.first + item, result.map(|bytes| Found { bytes, arrivals })))
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
    fn a_row_is_handed_out_in_order_and_rests_now_and_then() {
        let answers = Answers::Row((0..20).flat_map(|item| [item, item]).collect(), 2);
        let (mut piece, mut rests) = (Piece { first: 7, count: 20, used: 0, answers }, Vec::new());
        for item in 0..20_u8 {
            let expected = (7 + usize::from(item), [item, item]);
            let found = piece.next_in_row().map(|(place, bytes)| (place, bytes.try_into().unwrap()));
            let found = found.unwrap_or_else(|| {
                rests.push(item);
                let (place, bytes) = piece.next().unwrap();
                (place, bytes.unwrap().bytes.try_into().unwrap())
            });
            assert_eq!(found, expected);
        }
        assert_eq!(rests, [0, 8, 16]);
        assert!(piece.is_used_up() && piece.next_in_row().is_none() && piece.next().is_none());
    }

    #[test]
    fn an_empty_piece_is_used_up() {
        assert!(Piece::empty().is_used_up() && Piece::empty().next().is_none());
    }
}
