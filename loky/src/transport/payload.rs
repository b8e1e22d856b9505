//! Bytes that are kept until they are sent, and maybe sent again: a few lie here, more of them are shared.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::memory::{self, Memory};
use crate::shared::passing::Enclosed;
use crate::wire::body::{Encoded, Parcel, RowPlace};

/// See the module. A clone copies at most [`SHORT_MAX`] bytes.
#[derive(Clone)]
pub(crate) enum Payload {
    Short(u8, [u8; SHORT_MAX]),
    /// With where in them a row begins, if there is one.
    Long(Arc<Memory>, Option<RowPlace>),
    /// With what they enclose.
    Enclosing(Arc<Parcel>),
}

/// The arguments of most small tasks have room here: two numbers with their lengths.
const SHORT_MAX: usize = 38;

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
            Self::Short(..) => None,
            Self::Long(_, row) => *row,
            Self::Enclosing(parcel) => parcel.row,
        }
    }

    /// What they enclose.
    #[inline]
    pub(crate) fn enclosed(&self) -> &Enclosed {
        match self {
            Self::Short(..) | Self::Long(..) => &Enclosed::NONE,
            Self::Enclosing(parcel) => &parcel.enclosed,
        }
    }

    fn short(bytes: &[u8]) -> Option<Self> {
        let mut short = [0; SHORT_MAX];
        short.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(Self::Short(u8::try_from(bytes.len()).ok()?, short))
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from_memory(bytes.into(), None)
    }
}

impl From<Encoded> for Payload {
    #[inline]
    fn from(encoded: Encoded) -> Self {
        if !encoded.enclosed.is_empty() {
            return Self::Enclosing(Arc::new(encoded.into()));
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
            Self::Long(bytes, _) => bytes,
            Self::Enclosing(parcel) => &parcel.bytes,
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
