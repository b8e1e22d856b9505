//! Results on their way from one machine to another.

use super::{Kind, Many, Results, Value};
use crate::driver::lengths::Lengths;
use crate::error::Error;
use crate::transport::payload::Payload;

/// Results as they travel, but for their bytes.
pub(in crate::driver) type Said = (Lengths, Vec<(usize, Error)>);

impl Results {
    /// All of them but what they enclose, and their bytes in one piece.
    pub(in crate::driver) fn into_said(self) -> (Said, Payload) {
        let (mut lengths, mut failures) = (Lengths::default(), Vec::new());
        let bytes = match self.split().0.in_pieces().0 {
            Kind::None | Kind::Enclosing(_) => Payload::copy(&[]),
            Kind::One(Ok(value)) => {
                let bytes = value.into_payload().in_one_piece();
                lengths.push(bytes.len());
                bytes
            }
            Kind::One(Err(why)) => {
                lengths.push(0);
                failures.push((0, why));
                Payload::copy(&[])
            }
            Kind::Many(many) => {
                (lengths, failures) = (many.lengths, many.failures);
                many.bytes.into()
            }
        };
        ((lengths, failures), bytes)
    }

    /// The same as they have arrived, of a call of so many items. `None` if they cannot be those.
    pub(in crate::driver) fn from_said((lengths, failures): Said, bytes: Vec<u8>, items: usize) -> Option<Self> {
        let count = lengths.count();
        let is_ordered = failures.is_sorted_by(|(one, _), (other, _)| one < other);
        let are_there = failures.last().is_none_or(|(last, _)| *last < count);
        if count > items || !lengths.are_of(bytes.len()) || !is_ordered || !are_there {
            return None;
        }
        Some(Self(match (count, items) {
            (0, _) => Kind::None,
            (_, 1) => Kind::One(match failures.into_iter().next() {
                Some((_, why)) => Err(why),
                None => Ok(Value::Bytes(Payload::from(bytes))),
            }),
            _ => Kind::Many(Box::new(Many { bytes, lengths, failures })),
        }))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::wire::body::Body;

    fn failure() -> Error {
        Error::new(ErrorKind::Panic, "failed")
    }

    fn of(all: &[Option<&[u8]>], items: usize) -> Results {
        let mut results = Results::default();
        all.iter().for_each(|bytes| results.push(bytes.map(Body::Lent).ok_or_else(failure), items));
        results
    }

    #[test]
    fn results_arrive_as_they_were() {
        let long = vec![7; 10_000];
        for (all, items) in [
            (&[][..], 1),
            (&[Some(&b"abc"[..])], 1),
            (&[Some(&long[..])], 1),
            (&[None], 1),
            (&[Some(&b"abc"[..]), None, Some(b""), Some(b"more")], 4),
            (&[Some(&b"abc"[..]), Some(b"def")], 5),
        ] {
            let (said, bytes) = of(all, items).into_said();
            let arrived = Results::from_said(said, bytes.to_vec(), items).unwrap();
            assert_eq!(arrived.len(), all.len());
            for (item, expected) in all.iter().enumerate() {
                assert_eq!(arrived.get(item).unwrap().ok(), *expected);
            }
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let said = |lens: &[usize], failures: &[usize], bytes: usize, items| {
            let mut lengths = Lengths::default();
            lens.iter().for_each(|&len| lengths.push(len));
            let failures = failures.iter().map(|&item| (item, failure())).collect();
            Results::from_said((lengths, failures), vec![0; bytes], items).is_some()
        };
        assert!(said(&[1, 2], &[], 3, 2) && said(&[0, 2], &[0], 2, 9));
        assert!(!said(&[1, 2], &[], 4, 2) && !said(&[1, 2], &[], 3, 1) && !said(&[1, 2], &[2], 3, 2));
        assert!(!said(&[0, 0, 1], &[1, 0], 1, 3) && !said(&[0, 0], &[1, 1], 0, 2));
        let huge = Lengths::Alike { len: usize::MAX, count: 2 };
        assert!(Results::from_said((huge, Vec::new()), Vec::new(), 2).is_none());
        assert!(Results::from_said((Lengths::Ends(vec![3, 1]), Vec::new()), vec![0], 2).is_none());
    }
}
