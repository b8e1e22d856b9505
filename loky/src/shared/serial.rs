//! A [`Shared`] in the bytes of a value: which segment, and which part of it. What arrives is believed only as far as it
//! lies within the segment.

use std::marker::PhantomData;

use bytemuck::Pod;
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Shared;
use super::passing::{self, Name};
use crate::sys::pod;

/// What stands in the bytes.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Place {
    /// The [`Name`] as [a word](to_word).
    name: u64,
    /// Offset and length; `None`, as a rule, is the whole segment. So a call with one of these is short.
    range: Option<(u64, u64)>,
    /// The size of an element, as far as 32 bits hold it: who awaits another one is told so.
    width: u32,
}

/// The word where there are no bytes, and so no segment.
const NONE: u64 = 0;

const GIVEN: u64 = 1;

const NEW: u64 = 2;

const PARENTS: u64 = 3;

/// In the lowest bits of a word stands which kind of name it is, above them the number.
const KIND_BITS: u32 = 2;

impl<T: Pod> Serialize for Shared<T> {
    /// # Errors
    ///
    /// Unless it is an argument or a result of a task that is encoded.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let segment = self.segment.as_ref().filter(|_| self.len > 0);
        let name = segment.map(passing::enclose).transpose().map_err(S::Error::custom)?;
        self.place(name).serialize(serializer)
    }
}

impl<'de, T: Pod> Deserialize<'de> for Shared<T> {
    /// # Errors
    ///
    /// Unless it is an argument or a result of a task that is decoded.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let place = Place::deserialize(deserializer)?;
        place.find().map_err(D::Error::custom)
    }
}

impl<T: Pod> Shared<T> {
    fn place(&self, name: Option<Name>) -> Place {
        let bytes = self.segment.as_ref().map(|segment| segment.bytes().len());
        let is_whole = name.is_some() && bytes == Some(self.len * size_of::<T>());
        let range = (!is_whole).then_some((self.offset as u64, self.len as u64));
        Place { name: name.map_or(NONE, to_word), range, width: size_of::<T>() as u32 }
    }
}

impl Place {
    fn find<T: Pod>(&self) -> Result<Shared<T>, String> {
        if self.width != size_of::<T>() as u32 {
            let (theirs, ours) = (self.width, size_of::<T>());
            return Err(format!(
                "a `loky::Shared` came with elements of {theirs} bytes, where one of {ours} bytes was awaited"
            ));
        }
        let range = self.range.map(|(offset, len)| usize::try_from(offset).ok().zip(usize::try_from(len).ok()));
        let range = range.map(|range| range.ok_or(BEYOND)).transpose()?;
        if self.name == NONE {
            let (_, len) = range.ok_or(BEYOND)?;
            let is_sound = len == 0 || size_of::<T>() == 0;
            return is_sound.then(|| Shared::whole(None, len)).ok_or_else(|| BEYOND.to_string());
        }
        pod::know::<T>();
        let segment = passing::find(of_word(self.name).ok_or("no such `loky::Shared` is known")?)?;
        let (all, width) = (segment.bytes().len(), size_of::<T>());
        let whole = || (all.checked_rem(width) == Some(0)).then(|| (0, all / width));
        let (offset, len) = range.or_else(whole).ok_or(BEYOND)?;
        let end = len.checked_mul(size_of::<T>()).and_then(|bytes| bytes.checked_add(offset));
        // Elements without bytes have no segment.
        let is_at_an_element = offset.checked_rem(size_of::<T>()) == Some(0);
        if end.is_none_or(|end| end > segment.bytes().len()) || !is_at_an_element {
            return Err(BEYOND.to_string());
        }
        Ok(Shared { segment: Some(segment), offset, len, of: PhantomData })
    }
}

const BEYOND: &str = "a range lies beyond its `loky::Shared`";

const fn to_word(name: Name) -> u64 {
    let (kind, id) = match name {
        Name::Given(id) => (GIVEN, id),
        Name::New(id) => (NEW, id),
        Name::Parents(id) => (PARENTS, id),
    };
    id << KIND_BITS | kind
}

const fn of_word(word: u64) -> Option<Name> {
    let id = word >> KIND_BITS;
    match word & ((1 << KIND_BITS) - 1) {
        GIVEN => Some(Name::Given(id)),
        NEW => Some(Name::New(id)),
        PARENTS => Some(Name::Parents(id)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::passing::{Enclosed, Item, Way, collecting};
    use super::*;

    fn place<T: Pod>(shared: &Shared<T>) -> (Place, Enclosed) {
        let name = |shared: &Shared<T>| shared.segment.as_ref().map(|segment| passing::enclose(segment).unwrap());
        let (name, enclosed) = collecting(Way::Result, || name(shared));
        (shared.place(name), enclosed)
    }

    #[test]
    fn a_range_beyond_its_segment_is_refused() {
        let (whole, enclosed) = place(&Shared::from_vec(vec![1_u32, 2, 3]));
        let [Item::Segment(segment)] = enclosed.items() else { panic!("it is enclosed") };
        let arrivals = vec![passing::Arrival::known(Name::New(segment.id()), std::sync::Arc::clone(segment))];
        passing::supplying(arrivals.into(), || {
            assert_eq!(whole.find::<u32>().unwrap()[..], [1, 2, 3]);
            assert_eq!(Place { range: Some((4, 2)), ..whole }.find::<u32>().unwrap()[..], [2, 3]);
            let wrong =
                [(0, 4), (4, 3), (12, 1), (2, 1), (u64::MAX, 1), (4, u64::MAX), (0, 1 << 62), (u64::MAX - 3, 1)];
            for range in wrong {
                assert!(Place { range: Some(range), ..whole }.find::<u32>().is_err(), "{range:?}");
            }
            for name in [whole.name ^ 1, whole.name & !3, NEW, NONE] {
                assert!(Place { name, ..whole }.find::<u32>().is_err(), "{name:x}");
            }
            assert!(whole.find::<[u8; 3]>().is_err() && Place { width: 0, ..whole }.find::<()>().is_err());
            assert!(whole.range.is_none() && Place { width: 8, ..whole }.find::<u64>().is_err(), "one and a half");
        });
        assert!(whole.find::<u32>().is_err(), "nothing came along");
    }

    #[test]
    fn what_has_no_bytes_encloses_nothing() {
        let (empty, enclosed) = place(&Shared::<u64>::from_vec(vec![]));
        assert!(enclosed.is_empty() && empty.find::<u64>().unwrap().is_empty());
        let (units, enclosed) = place(&Shared::from_slice(&[(); 1000]));
        assert!(enclosed.is_empty() && units.find::<()>().unwrap().len() == 1000);
    }
}
