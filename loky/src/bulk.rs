//! For fields of users' types: vectors of plain data, in one piece instead of element by element, which is all that the
//! format is told of a vector within something else.

use std::fmt;
use std::marker::PhantomData;

use bytemuck::{Pod, cast_slice, cast_slice_mut};
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserializer, Serializer};

/// Writes the bytes of all values at once; for `#[serde(with = "loky::bulk")]`.
///
/// A `T` without bytes does not compile.
///
/// # Errors
///
/// Those of `serializer`.
pub fn serialize<T: Pod, S: Serializer>(values: &[T], serializer: S) -> Result<S::Ok, S::Error> {
    const { assert!(size_of::<T>() > 0, "`loky::bulk` counts values by their bytes, and these have none") };
    serializer.serialize_bytes(cast_slice(values))
}

/// Reads what [`serialize`] has written, on a machine of the same kind.
///
/// # Errors
///
/// Those of `deserializer`, or there are other bytes than those of whole values.
pub fn deserialize<'de, T: Pod, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    deserializer.deserialize_bytes(Bytes(PhantomData))
}

struct Bytes<T>(PhantomData<T>);

impl<'de, T: Pod> Visitor<'de> for Bytes<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the bytes of values of {} bytes each", size_of::<T>())
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<T>, E> {
        let (width, mut values) = (size_of::<T>(), Vec::new());
        if bytes.len().checked_rem(width) != Some(0) {
            return Err(E::invalid_length(bytes.len(), &self));
        }
        values.try_reserve_exact(bytes.len() / width).map_err(E::custom)?;
        values.resize(bytes.len() / width, T::zeroed());
        cast_slice_mut(&mut values).copy_from_slice(bytes);
        Ok(values)
    }

    /// Where a format has no bytes.
    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Vec<T>, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = elements.next_element::<u8>()? {
            bytes.push(byte);
        }
        self.visit_bytes(&bytes)
    }
}
