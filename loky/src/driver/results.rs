//! The results of the items of one call, in their order: one lies here as it is, many lie in one piece of memory.

#[cfg(feature = "cluster")]
mod travel;

use std::sync::Arc;

use super::evidence::LESS;
use super::lengths::Lengths;
use crate::error::{Error, ErrorKind};
use crate::shared::passing::{Arrival, Arrivals, Name};
use crate::shared::segment::Segment;
use crate::text;
use crate::transport::payload::Payload;
use crate::wire::body::{Body, WithRow};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Results(Kind);

#[derive(Debug, Default)]
enum Kind {
    #[default]
    None,
    One(Result<Value, Error>),
    /// Seldom, and not to be carried along by the others.
    Many(Box<Many>),
    /// Any of the above, and what they enclose. Likewise.
    Enclosing(Box<(Results, Vec<Arrival>)>),
}

#[derive(Debug, Default)]
struct Many {
    bytes: Vec<u8>,
    /// Those of failures are empty.
    lengths: Lengths,
    /// The failures among them, each with its number.
    failures: Vec<(usize, Error)>,
}

/// A result as it has arrived.
#[derive(Debug)]
pub(crate) enum Value {
    Bytes(Payload),
    Row(Box<WithRow>),
    Enclosing(Payload, Arrivals),
}

impl Results {
    pub(crate) fn len(&self) -> usize {
        match self.alone() {
            Kind::Many(many) => many.lengths.count(),
            Kind::One(_) => 1,
            Kind::None | Kind::Enclosing(_) => 0,
        }
    }

    pub(crate) fn has_failure(&self) -> bool {
        match self.alone() {
            Kind::One(result) => result.is_err(),
            Kind::Many(many) => !many.failures.is_empty(),
            Kind::None | Kind::Enclosing(_) => false,
        }
    }

    /// Why the one item there is has no result, if it has none.
    pub(super) fn single_failure(&self) -> Option<&Error> {
        match self.alone() {
            Kind::One(result) => result.as_ref().err(),
            Kind::None | Kind::Many(_) | Kind::Enclosing(_) => None,
        }
    }

    /// The first error among the items, if there is one.
    pub(super) fn any_failure(&self) -> Option<&Error> {
        match self.alone() {
            Kind::Many(many) => many.failures.first().map(|(_, error)| error),
            Kind::None | Kind::One(_) | Kind::Enclosing(_) => self.single_failure(),
        }
    }

    /// Adds the result of the next one of `count` items.
    pub(super) fn push(&mut self, result: Result<Body<'_>, Error>, count: usize) {
        let kind = self.alone_mut();
        match kind {
            Kind::None if count == 1 => *kind = Kind::One(result.map(Value::from)),
            Kind::Many(many) => many.push(result),
            Kind::None | Kind::One(_) | Kind::Enclosing(_) => {
                let mut many = Box::<Many>::default();
                many.push(result);
                *kind = Kind::Many(many);
            }
        }
    }

    /// Adds the result of the next one of many items, of which some are here.
    #[inline]
    pub(super) fn push_more(&mut self, bytes: &[u8]) {
        match self.alone_mut() {
            Kind::Many(many) => {
                many.bytes.extend_from_slice(bytes);
                many.lengths.push(bytes.len());
            }
            Kind::None | Kind::One(_) | Kind::Enclosing(_) => self.push(Ok(Body::Lent(bytes)), 2),
        }
    }

    /// Adds results that are as long as the last one, at most `most`: `take` appends their bytes and says how many
    /// they are.
    pub(super) fn push_alike(&mut self, most: usize, take: impl FnOnce(&mut Vec<u8>) -> usize) -> usize {
        let Kind::Many(many) = self.alone_mut() else { return 0 };
        let before = many.bytes.len();
        let count = take(&mut many.bytes).min(most);
        many.lengths.push_alike((many.bytes.len() - before).checked_div(count).unwrap_or(0), count);
        count
    }

    /// The last result that was added encloses this segment, which is known here, by this number of ours.
    pub(super) fn enclose_known(&mut self, id: u64, segment: Arc<Segment>) {
        match std::mem::take(&mut self.0) {
            Kind::One(Ok(Value::Bytes(bytes))) => {
                self.0 = Kind::One(Ok(Value::Enclosing(bytes, Arrivals::known(id, segment))));
            }
            kind => {
                self.0 = kind;
                self.enclose(vec![Arrival::known(Name::Parents(id), segment)]);
            }
        }
    }

    /// Without what they enclose.
    fn alone(&self) -> &Kind {
        match &self.0 {
            Kind::Enclosing(enclosing) => &enclosing.0.0,
            kind => kind,
        }
    }

    fn alone_mut(&mut self) -> &mut Kind {
        match &mut self.0 {
            Kind::Enclosing(enclosing) => &mut enclosing.0.0,
            kind => kind,
        }
    }

    /// The last result that was added encloses these.
    pub(super) fn enclose(&mut self, mut more: Vec<Arrival>) {
        match &mut self.0 {
            Kind::Enclosing(enclosing) => enclosing.1.append(&mut more),
            _ => self.0 = Kind::Enclosing(Box::new((std::mem::take(self), more))),
        }
    }

    /// The results alone, and what they enclose, if they do.
    pub(crate) fn split(self) -> (Self, Option<Arrivals>) {
        match self.0 {
            Kind::Enclosing(enclosing) => {
                let (results, arrivals) = *enclosing;
                (results, Some(arrivals.into()))
            }
            Kind::One(Ok(Value::Enclosing(bytes, arrivals))) => {
                (Self(Kind::One(Ok(Value::Bytes(bytes)))), Some(arrivals))
            }
            kind => (Self(kind), None),
        }
    }

    /// The one result there is.
    pub(super) fn into_single(self) -> Option<Result<Value, Error>> {
        match self.0 {
            Kind::One(result) => Some(result),
            Kind::Enclosing(enclosing) => single_of(*enclosing),
            Kind::None | Kind::Many(_) => None,
        }
    }

    /// All results in a row, and how many bytes each of them has, if none is a failure and all are alike, and none
    /// encloses anything.
    pub(crate) fn into_row(self) -> Result<(Vec<u8>, usize), Self> {
        match self.0 {
            Kind::Many(many) if many.failures.is_empty() => match many.lengths.alike() {
                Some(len) => Ok((many.bytes, len)),
                None => Err(Self(Kind::Many(many))),
            },
            kind => Err(Self(kind)),
        }
    }

    /// The same, each result in one piece, so that they can be [lent](Self::get).
    pub(crate) fn in_pieces(self) -> Self {
        match self.0 {
            Kind::One(Ok(Value::Row(body))) => Self(Kind::One(Ok(Value::Bytes(Payload::from(body.joined()))))),
            kind => Self(kind),
        }
    }

    /// The result of item number `item`, if it is in one piece and alone.
    #[inline]
    pub(crate) fn get(&self, item: usize) -> Option<Result<&[u8], &Error>> {
        match &self.0 {
            Kind::One(Ok(Value::Bytes(bytes))) if item == 0 => Some(Ok(bytes)),
            Kind::One(Err(why)) if item == 0 => Some(Err(why)),
            Kind::Many(many) => many.get(item),
            Kind::None | Kind::One(_) | Kind::Enclosing(_) => None,
        }
    }
}

/// Apart, since most results enclose nothing and are quick to take out.
#[cold]
#[inline(never)]
fn single_of((results, arrivals): (Results, Vec<Arrival>)) -> Option<Result<Value, Error>> {
    match results.0 {
        Kind::One(Ok(Value::Bytes(bytes))) => Some(Ok(Value::Enclosing(bytes, arrivals.into()))),
        // A row of numbers encloses nothing, whatever the worker has said.
        Kind::One(other) => Some(other),
        Kind::None | Kind::Many(_) | Kind::Enclosing(_) => None,
    }
}

impl Many {
    fn push(&mut self, result: Result<Body<'_>, Error>) {
        let len = match result.and_then(|bytes| self.extend(&bytes)) {
            Ok(len) => len,
            Err(why) => {
                self.failures.push((self.lengths.count(), why));
                0
            }
        };
        self.lengths.push(len);
    }

    /// Returns how many bytes came.
    fn extend(&mut self, body: &Body<'_>) -> Result<usize, Error> {
        let row = if let Body::Row(body) = body { body.row.bytes() } else { &[] };
        let len = body.len() + row.len();
        if self.bytes.try_reserve(len).is_err() {
            let len = text::memory(len as u64);
            let what = format!("ran, but there is no memory for its result of {len} beside those before it");
            return Err(Error::new(ErrorKind::Decode, what).having_run().with_advice(LESS));
        }
        self.bytes.extend_from_slice(body);
        self.bytes.extend_from_slice(row);
        Ok(len)
    }

    #[inline]
    fn get(&self, item: usize) -> Option<Result<&[u8], &Error>> {
        let range = self.lengths.range(item)?;
        match self.failure(item) {
            Some(why) => Some(Err(why)),
            None => Some(Ok(&self.bytes[range])),
        }
    }

    #[inline]
    fn failure(&self, item: usize) -> Option<&Error> {
        if self.failures.is_empty() {
            return None;
        }
        let place = self.failures.binary_search_by_key(&item, |&(item, _)| item).ok()?;
        Some(&self.failures[place].1)
    }
}

impl Value {
    /// The same in one piece.
    pub(super) fn into_payload(self) -> Payload {
        match self {
            Self::Bytes(bytes) | Self::Enclosing(bytes, _) => bytes,
            Self::Row(body) => Payload::from(body.joined()),
        }
    }
}

impl From<Body<'_>> for Value {
    fn from(body: Body<'_>) -> Self {
        match body {
            Body::Lent(bytes) => Self::Bytes(Payload::copy(bytes)),
            Body::Whole(bytes) => Self::Bytes(Payload::from_memory(bytes, None)),
            Body::Row(body) => Self::Row(body),
            Body::Lost(..) => unreachable!("a result that is lost is told as a failure"),
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn failure() -> Error {
        Error::new(ErrorKind::Panic, "failed")
    }

    #[test]
    fn many_results_are_found_by_their_numbers() {
        let mut results = Results::default();
        let pushed = [Some(&b"one"[..]), None, Some(b""), Some(b"four"), None];
        for bytes in pushed {
            results.push(bytes.map(Body::Lent).ok_or_else(failure), pushed.len());
        }
        assert_eq!((results.len(), results.has_failure()), (5, true));
        for (item, bytes) in pushed.into_iter().enumerate() {
            assert_eq!(results.get(item).unwrap().ok(), bytes, "item {item}");
        }
        assert!(results.get(5).is_none() && results.into_single().is_none());
    }

    #[test]
    fn results_that_are_alike_come_and_go_in_a_row() {
        let take = |bytes: &mut Vec<u8>| {
            bytes.extend_from_slice(b"twosix");
            2
        };
        let mut results = Results::default();
        assert_eq!(results.push_alike(5, take), 0, "the first one is not one of them");
        results.push(Ok(Body::Lent(b"one")), 5);
        assert_eq!((results.push_alike(4, take), results.len()), (2, 3));
        assert_eq!(results.get(2).unwrap().unwrap(), b"six");
        assert_eq!(results.into_row().unwrap(), (b"onetwosix".to_vec(), 3));
    }

    #[test]
    fn results_that_differ_are_no_row() {
        for other in [Ok(Body::Lent(&b"four"[..])), Err(failure())] {
            let mut results = Results::default();
            results.push(Ok(Body::Lent(b"")), 4);
            results.push(other, 4);
            let alike = |bytes: &mut Vec<u8>| {
                bytes.extend_from_slice(b"sixten");
                2
            };
            assert_eq!(results.push_alike(2, alike), 2, "they are alike, but not like those before");
            let results = results.into_row().unwrap_err();
            assert_eq!([results.get(2), results.get(3)].map(|result| result.unwrap().unwrap()), [b"six", b"ten"]);
        }
    }

    #[test]
    fn a_known_segment_goes_with_the_result_that_names_it() {
        let shared = crate::shared::Shared::from_vec(vec![1_u8]);
        let of = |count| {
            let mut results = Results::default();
            results.push(Ok(Body::Lent(b"abc")), count);
            results.enclose_known(7, shared.segment().unwrap());
            results
        };
        assert!(matches!(of(1).into_single(), Some(Ok(Value::Enclosing(bytes, _))) if bytes[..] == *b"abc"));
        for count in [1, 2] {
            let (results, arrivals) = of(count).split();
            assert!(arrivals.is_some() && results.get(0).unwrap().unwrap() == b"abc");
        }
    }

    #[test]
    fn a_single_result_is_taken_out_as_it_is() {
        let mut results = Results::default();
        assert_eq!(results.len(), 0);
        results.push(Ok(Body::Lent(b"abc")), 1);
        assert_eq!((results.len(), results.get(0).unwrap().unwrap()), (1, &b"abc"[..]));
        assert!(matches!(results.into_single(), Some(Ok(Value::Bytes(bytes))) if bytes[..] == *b"abc"));
    }
}
