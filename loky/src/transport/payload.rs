//! Bytes that are kept until they are sent, and maybe sent again: a few lie here, more of them are shared. They may end in
//! a row that lies elsewhere, as it was given away.

use std::fmt;
use std::ops::{Deref, Range};
use std::slice;
use std::sync::Arc;

use crate::memory::{self, Memory};
use crate::shared::passing::Item;
use crate::sys::row::Row;
use crate::wire::body::{Encoded, Parcel, RowPlace};

/// See the module. A clone copies at most [`SHORT_MAX`] bytes. Seen as bytes, it is what stands before such a row.
#[derive(Clone)]
pub(crate) enum Payload {
    Short(u8, [u8; SHORT_MAX]),
    /// Fewer, which enclose one thing.
    Enclosing(u8, [u8; ENCLOSING_MAX], Item),
    /// With where in them a row begins, if there is one.
    Long(Arc<Memory>, Option<RowPlace>),
    /// With what they enclose, and a row that lies elsewhere.
    Parcel(Arc<Parcel>),
}

/// To let go of more bytes takes a while.
const HEAVY_MIN: usize = 1 << 20;

/// The arguments of most small tasks have room here: two numbers with their lengths.
const SHORT_MAX: usize = 38;

/// A `Shared` alone has room here, with its length.
const ENCLOSING_MAX: usize = 22;

impl Payload {
    /// The same from bytes that lie elsewhere.
    pub(crate) fn copy(bytes: &[u8]) -> Self {
        match Self::short(bytes) {
            Some(short) => short,
            None => Self::from(bytes.to_vec()),
        }
    }

    /// The same from memory that is theirs alone.
    #[inline]
    pub(crate) fn from_memory(bytes: Memory, row: Option<RowPlace>) -> Self {
        Self::short(&bytes).unwrap_or_else(|| Self::Long(Arc::new(bytes), row))
    }

    /// Where a row begins, if there is one.
    pub(crate) fn row(&self) -> Option<RowPlace> {
        match self {
            Self::Short(..) | Self::Enclosing(..) => None,
            Self::Long(_, row) => *row,
            Self::Parcel(parcel) => parcel.row,
        }
    }

    /// The memory of the row that lies elsewhere, if nobody else has it and it [suits](Row::suits) another one. What is
    /// left is of no use.
    pub(crate) fn vacate(&mut self, width: usize, bytes: usize) -> Option<Row> {
        let Self::Parcel(parcel) = self else { return None };
        let row = Arc::get_mut(parcel)?.tail.take_if(|row| row.suits(width, bytes))?;
        Some(row.emptied())
    }

    /// How many bytes there are, with those that lie elsewhere.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Short(len, _) | Self::Enclosing(len, ..) => usize::from(*len),
            Self::Long(bytes, _) => bytes.len(),
            Self::Parcel(parcel) => parcel.bytes.len() + tail_of(parcel).len(),
        }
    }

    /// The two ranges of which each lies in one piece, wherever that is; the second one is empty as a rule.
    pub(crate) fn pieces(&self) -> [Range<usize>; 2] {
        let (first, all) = ((**self).len(), self.len());
        [0..first, first..all]
    }

    /// A part of one of these.
    pub(super) fn part(&self, range: Range<usize>) -> &[u8] {
        let own = (**self).len();
        match self {
            Self::Parcel(parcel) if range.start >= own => &tail_of(parcel)[range.start - own..range.end - own],
            _ => &self[range],
        }
    }

    /// The same, all of it here.
    pub(crate) fn in_one_piece(self) -> Self {
        match &self {
            Self::Parcel(parcel) if parcel.tail.is_some() => {
                let bytes = [&parcel.bytes[..], tail_of(parcel)].concat();
                Encoded { bytes, row: parcel.row, tail: None, enclosed: parcel.enclosed.clone() }.into()
            }
            _ => self,
        }
    }

    /// Whether to drop it may take long, and so must not be done where somebody waits for a lock.
    #[inline]
    pub(crate) fn is_heavy(&self) -> bool {
        match self {
            Self::Short(..) => false,
            Self::Enclosing(_, _, item) => item.is_held_alone(),
            Self::Long(bytes, _) => bytes.len() >= HEAVY_MIN,
            Self::Parcel(_) => true,
        }
    }

    /// What they enclose.
    #[inline]
    pub(crate) fn enclosed(&self) -> &[Item] {
        match self {
            Self::Short(..) | Self::Long(..) => &[],
            Self::Enclosing(_, _, item) => slice::from_ref(item),
            Self::Parcel(parcel) => parcel.enclosed.items(),
        }
    }

    #[inline]
    fn short(bytes: &[u8]) -> Option<Self> {
        few(bytes).map(|(len, bytes)| Self::Short(len, bytes))
    }

    /// Of what encloses something, or ends in a row that lies elsewhere.
    fn with_more(mut encoded: Encoded) -> Self {
        if let Some((len, bytes)) = few(&encoded.bytes).filter(|_| encoded.tail.is_none()) {
            if let Some(item) = encoded.enclosed.take_only() {
                memory::give_short(encoded.bytes);
                return Self::Enclosing(len, bytes, item);
            }
        }
        Self::Parcel(Arc::new(encoded.into()))
    }
}

/// The same bytes in a place for at most so many, and how many they are.
#[inline]
fn few<const MAX: usize>(bytes: &[u8]) -> Option<(u8, [u8; MAX])> {
    let mut few = [0; MAX];
    few.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some((u8::try_from(bytes.len()).ok()?, few))
}

fn tail_of(parcel: &Parcel) -> &[u8] {
    parcel.tail.as_ref().map_or(&[], |row| row.bytes())
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from_memory(bytes.into(), None)
    }
}

impl From<Encoded> for Payload {
    #[inline]
    fn from(encoded: Encoded) -> Self {
        if !encoded.enclosed.is_empty() || encoded.tail.is_some() {
            return Self::with_more(encoded);
        }
        match Self::short(&encoded.bytes) {
            Some(short) => {
                memory::give_short(encoded.bytes);
                short
            }
            None => Self::Long(Arc::new(encoded.bytes.into()), encoded.row),
        }
    }
}

impl Deref for Payload {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Short(len, bytes) => &bytes[..(*len).into()],
            Self::Enclosing(len, bytes, _) => &bytes[..(*len).into()],
            Self::Long(bytes, _) => bytes,
            Self::Parcel(parcel) => &parcel.bytes,
        }
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared::Shared;
    use crate::shared::passing::{Way, collecting};
    use crate::wire::codec;

    /// An argument, with room for its length.
    fn argument(value: impl serde::Serialize) -> Encoded {
        let mut bytes = vec![0; 8];
        let (encoded, enclosed) = collecting(Way::Arguments, || codec::encode_into(&mut bytes, &value));
        encoded.unwrap();
        Encoded { bytes, enclosed, ..Encoded::NONE }
    }

    #[test]
    fn a_row_that_lies_elsewhere_is_a_piece_of_its_own() {
        let (bytes, row) = (b"12345678".to_vec(), Row::from(vec![7_u32; 3]).unwrap());
        let encoded = Encoded { bytes, tail: Some(Box::new(row)), ..Encoded::NONE };
        let payload = Payload::from(encoded);
        let [first, second] = payload.pieces();
        assert_eq!((payload.len(), first.clone(), second.clone()), (20, 0..8, 8..20));
        assert_eq!(
            (payload.part(2..8), payload.part(8..9), payload.part(16..20)),
            (&b"345678"[..], &[7][..], &[7, 0, 0, 0][..])
        );
        assert_eq!((payload.part(20..20), payload.is_heavy()), (&b""[..], true));
        let joined = payload.in_one_piece();
        assert!(joined.len() == 20 && joined[..8] == *b"12345678" && joined[16] == 7 && joined.pieces()[1].is_empty());
    }

    #[test]
    fn only_a_row_that_nobody_else_has_is_vacated() {
        let row = Box::new(Row::from(vec![7_u32; 1000]).unwrap());
        let mut payload = Payload::from(Encoded { bytes: b"12345678".to_vec(), tail: Some(row), ..Encoded::NONE });
        let other = payload.clone();
        assert!(payload.vacate(4, 4000).is_none());
        drop(other);
        assert!(payload.vacate(8, 4000).is_none() && payload.vacate(4, 8).is_none() && payload.len() == 4008);
        assert!(payload.vacate(4, 4000).is_some_and(|row| row.bytes().is_empty()));
        assert!(payload.vacate(4, 4000).is_none() && payload.len() == 8);
        assert!(Payload::from(vec![0; 5000]).vacate(1, 5000).is_none());
    }

    #[test]
    fn one_shared_value_alone_needs_no_memory_of_its_own() {
        let (shared, other) = (Shared::from_vec(vec![1_u8]), Shared::from_vec(vec![2_u8]));
        let alone = Payload::from(argument(&shared));
        assert!(matches!(alone, Payload::Enclosing(..)) && alone.len() == alone[..].len() && !alone.is_heavy());
        assert!(matches!(alone.enclosed(), [Item::Segment(it)] if Arc::ptr_eq(it, &shared.segment().unwrap())));
        drop(shared);
        assert!(alone.is_heavy(), "with it goes the memory");
        for (more, items) in [(argument((&other, 7_u64)), 1), (argument((&other, &other)), 2)] {
            let more = Payload::from(more);
            assert!(matches!(more, Payload::Parcel(_)) && more.is_heavy() && more.enclosed().len() == items);
        }
    }

    #[test]
    fn a_payload_is_its_bytes_whatever_their_number() {
        for len in [0, 1, SHORT_MAX, SHORT_MAX + 1, 1000] {
            let bytes: Vec<u8> = (0..len).map(|at| at as u8).collect();
            let (copied, taken) = (Payload::copy(&bytes), Payload::from(bytes.clone()));
            assert!(copied[..] == bytes && taken[..] == bytes && taken.clone()[..] == bytes);
            assert_eq!(matches!(taken, Payload::Short(..)), len <= SHORT_MAX);
        }
    }
}
