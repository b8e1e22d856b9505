//! What goes with a call or with a result beside the bytes: of each a frame says what it is, and most are followed, on
//! a way of its own, by a descriptor. The tag is a number of the sender, by which values name it.

use super::codec::CodecError;
use super::frame::{Head, WORD};

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Enclosure {
    pub(crate) id: u64,
    pub(crate) what: What,
    /// In bytes.
    pub(crate) len: u64,
}

/// What is enclosed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Memory that nobody can change; with its descriptor.
    Sealed = 1,
    /// A file that nobody changes; with its descriptor.
    File = 2,
    /// What the reader has given itself, under its own number; without a descriptor.
    Readers = 3,
    /// A descriptor that is nothing more.
    Descriptor = 4,
}

const LEN: usize = 2 * WORD;

impl Enclosure {
    /// As a frame of this kind.
    pub(crate) fn said(self, kind: u8) -> (Head, [u8; LEN]) {
        let mut bytes = [0; LEN];
        bytes[..WORD].copy_from_slice(&(self.what as u64).to_le_bytes());
        bytes[WORD..].copy_from_slice(&self.len.to_le_bytes());
        (Head { kind, tag: self.id, len: LEN, row: None }, bytes)
    }

    pub(crate) fn parse(head: Head, bytes: &[u8]) -> Result<Self, CodecError> {
        Self::try_parse(head.tag, bytes).ok_or_else(|| CodecError::unknown("what is enclosed"))
    }

    fn try_parse(id: u64, bytes: &[u8]) -> Option<Self> {
        let (what, len) = bytes.split_first_chunk()?;
        let what = match u64::from_le_bytes(*what) {
            1 => What::Sealed,
            2 => What::File,
            3 => What::Readers,
            4 => What::Descriptor,
            _ => return None,
        };
        Some(Self { id, what, len: u64::from_le_bytes(len.try_into().ok()?) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_enclosed_arrives_as_it_was_said() {
        for what in [What::Sealed, What::File, What::Readers, What::Descriptor] {
            let enclosure = Enclosure { id: 1 << 60, what, len: 5 << 30 };
            let (head, bytes) = enclosure.said(7);
            assert_eq!((head.kind, head.len), (7, bytes.len()));
            assert_eq!(Enclosure::parse(head, &bytes), Ok(enclosure));
            assert!(Enclosure::parse(head, &bytes[1..]).is_err() && Enclosure::parse(head, &[0; LEN]).is_err());
            assert!(Enclosure::parse(head, &[&bytes[..], &[0]].concat()).is_err());
        }
    }
}
