//! What a worker says beside its answers: what its tasks log, as notes.
//!
//! A note names the place in the program that logs by a number, under which the place was described before. Nothing here
//! knows what listens, or how notes travel.

use serde::{Deserialize, Serialize};

use super::codec::{self, CodecError};

/// One of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Note {
    /// A place that will log something. Places are numbered in the order in which they are described, from 0.
    Site(Site),
    Event {
        site: u32,
        /// The number that the call has in the worker which runs, or has run last.
        call: u64,
        within: Within,
        values: Values,
    },
    /// A span has begun.
    Span {
        span: u64,
        site: u32,
        call: u64,
        within: Within,
        values: Values,
    },
    /// A span has come to know more of itself.
    Recorded {
        span: u64,
        values: Values,
    },
    Followed {
        span: u64,
        from: u64,
    },
    /// A span is over.
    Closed {
        span: u64,
    },
    /// So many notes could not be said.
    Lost(u64),
}

/// A place in the program that logs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Site {
    pub(crate) is_span: bool,
    /// From 1, which is the most urgent, to 5.
    pub(crate) level: u8,
    pub(crate) name: String,
    pub(crate) target: String,
    pub(crate) module: Option<String>,
    pub(crate) file: Option<String>,
    pub(crate) line: Option<u32>,
    pub(crate) fields: Vec<String>,
}

/// In which span something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Within {
    /// In none of its own: what the call is in, it is in, too.
    Call,
    /// In none at all.
    Nothing,
    Span(u64),
}

/// Each with the place of its field among those of the site.
pub(crate) type Values = Vec<(u8, Value)>;

/// As it was logged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Value {
    Bool(bool),
    I64(i64),
    U64(u64),
    I128(i128),
    U128(u128),
    F64(f64),
    Text(String),
    /// What `Debug` made of it.
    Shown(String),
}

/// So many fields of a place are told; others are left out.
pub(crate) const FIELDS_MAX: usize = 27;

/// So many bytes of a text are told.
pub(crate) const TEXT_MAX: usize = 16 << 10;

/// So many bytes of all texts of a note are told, so that its length is bounded.
pub(crate) const TEXTS_MAX: usize = 32 << 10;

/// No note is longer.
pub(crate) const NOTE_MAX: usize = 64 << 10;

impl Note {
    /// Replaces what is in `bytes`.
    pub(crate) fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.clear();
        codec::encode_into(bytes, self).expect("messages of ours can be encoded");
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        codec::decode(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_note_is_no_longer_than_any() {
        let text = |len| "x".repeat(len);
        let mut values: Values = (0..FIELDS_MAX as u8).map(|field| (field, Value::U128(1))).collect();
        values[0].1 = Value::Text(text(TEXT_MAX));
        values[1].1 = Value::Shown(text(TEXTS_MAX - TEXT_MAX));
        let note = Note::Span { span: 1, site: 2, call: 3, within: Within::Span(4), values };
        let mut bytes = Vec::new();
        note.encode(&mut bytes);
        assert!(bytes.len() <= NOTE_MAX && Note::decode(&bytes) == Ok(note));
        assert!(Note::decode(&[9; 40]).is_err());
    }
}
