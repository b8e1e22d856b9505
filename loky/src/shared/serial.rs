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
#[derive(Serialize, Deserialize)]
struct Place {
    /// Which of the [`Name`]s, or [`NONE`].
    kind: u8,
    id: u64,
    offset: u64,
    len: u64,
    /// The size of an element.
    width: u64,
}

/// There are no bytes, and so no segment.
const NONE: u8 = 0;

const GIVEN: u8 = 1;

const NEW: u8 = 2;

const PARENTS: u8 = 3;

impl<T: Pod> Serialize for Shared<T> {
    /// # Errors
    ///
    /// Unless it is an argument or a result of a task that is encoded.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let segment = self.segment.as_ref().filter(|_| self.len > 0);
        let name = segment.map(passing::enclose).transpose().map_err(S::Error::custom)?;
        let (kind, id) = name.map_or((NONE, 0), of_name);
        let (offset, len, width) = (self.offset as u64, self.len as u64, size_of::<T>() as u64);
        Place { kind, id, offset, len, width }.serialize(serializer)
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

impl Place {
    fn find<T: Pod>(&self) -> Result<Shared<T>, String> {
        if self.width != size_of::<T>() as u64 {
            let (theirs, ours) = (self.width, size_of::<T>());
            return Err(format!(
                "a `loky::Shared` of elements of {theirs} bytes is no one of elements of {ours} bytes"
            ));
        }
        let (offset, len) = usize::try_from(self.offset).ok().zip(usize::try_from(self.len).ok()).ok_or(BEYOND)?;
        if self.kind == NONE {
            let is_sound = len == 0 || size_of::<T>() == 0;
            return is_sound.then(|| Shared::whole(None, len)).ok_or_else(|| BEYOND.to_string());
        }
        pod::know::<T>();
        let segment = passing::find(to_name(self.kind, self.id).ok_or("no such `loky::Shared` is known")?)?;
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

const fn of_name(name: Name) -> (u8, u64) {
    match name {
        Name::Given(id) => (GIVEN, id),
        Name::New(id) => (NEW, id),
        Name::Parents(id) => (PARENTS, id),
    }
}

const fn to_name(kind: u8, id: u64) -> Option<Name> {
    match kind {
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
        let (kind, id) = name.map_or((NONE, 0), of_name);
        let (offset, len, width) = (shared.offset as u64, shared.len as u64, size_of::<T>() as u64);
        (Place { kind, id, offset, len, width }, enclosed)
    }

    #[test]
    fn a_range_beyond_its_segment_is_refused() {
        let (whole, enclosed) = place(&Shared::from_vec(vec![1_u32, 2, 3]));
        let [Item::Segment(segment)] = enclosed.items() else { panic!("it is enclosed") };
        let arrivals = vec![passing::Arrival::known(Name::New(whole.id), std::sync::Arc::clone(segment))];
        passing::supplying(arrivals.into(), || {
            assert_eq!(whole.find::<u32>().unwrap()[..], [1, 2, 3]);
            assert_eq!(Place { offset: 4, len: 2, ..whole }.find::<u32>().unwrap()[..], [2, 3]);
            let wrong =
                [(0, 4), (4, 3), (12, 1), (2, 1), (u64::MAX, 1), (4, u64::MAX), (0, 1 << 62), (u64::MAX - 3, 1)];
            for (offset, len) in wrong {
                assert!(Place { offset, len, ..whole }.find::<u32>().is_err(), "{offset} {len}");
            }
            assert!(
                Place { kind: 9, ..whole }.find::<u32>().is_err() && Place { id: 0, ..whole }.find::<u32>().is_err()
            );
            assert!(whole.find::<[u8; 3]>().is_err() && Place { width: 0, ..whole }.find::<()>().is_err());
            assert!(Place { kind: NONE, ..whole }.find::<u32>().is_err());
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
