//! Values to bytes and back: the only file that names the format.
//!
//! Fixed-width integers, because they are faster and because their size does not depend on their value. Decoding is
//! bounded: the format believes a length that it reads, so a damaged length could ask for more memory than the
//! machine has. The bound grows with the payload, in a few classes, since the format wants it as a constant. A false
//! number of elements that have no bytes (`Vec<()>`) is beyond it: that costs time.

use std::fmt;

use bincode::config::{self, Config, Configuration, Fixint, LittleEndian};
use bincode::enc::write::Writer;
use bincode::error::{DecodeError, EncodeError};
use bincode::serde::{DecodeError as Undecodable, EncodeError as Unencodable};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::memory;

/// What went wrong, in the words of the `Serialize` or `Deserialize` that said so, or else in ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CodecError(String);

impl CodecError {
    /// Words that are none.
    pub(crate) fn unknown(what: &str) -> Self {
        Self(format!("{what} is not understood"))
    }
}

impl From<EncodeError> for CodecError {
    fn from(why: EncodeError) -> Self {
        Self(match why {
            EncodeError::Other(text) => text.to_string(),
            EncodeError::OtherString(text) => text,
            EncodeError::Serde(Unencodable::SequenceMustHaveLength) => {
                "its `Serialize` does not say how many elements there are, which must be known \
                                      beforehand (`#[serde(flatten)]` is such a case); send a `Vec` or a map"
                    .to_string()
            }
            why => why.to_string(),
        })
    }
}

impl From<DecodeError> for CodecError {
    fn from(why: DecodeError) -> Self {
        Self(match why {
            DecodeError::Other(text) => text.to_string(),
            DecodeError::OtherString(text) => text,
            DecodeError::UnexpectedEnd { .. } => "its bytes end too early".to_string(),
            DecodeError::LimitExceeded => "a length in its bytes is beyond every limit".to_string(),
            DecodeError::InvalidBooleanValue(byte) => format!("a `bool` in it is {byte}"),
            DecodeError::InvalidCharEncoding(_) => "a `char` in it is none".to_string(),
            DecodeError::Utf8 { .. } => "a text in it is not UTF-8".to_string(),
            DecodeError::Serde(Undecodable::AnyNotSupported | Undecodable::IgnoredAnyNotSupported) => {
                "its `Deserialize` asks the bytes for their type, which they do not tell (as with \
                                      `#[serde(untagged)]` or `serde_json::Value`): send another type, or text"
                    .to_string()
            }
            why => why.to_string(),
        })
    }
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Appends the bytes of `value`. Fails where its `Serialize` fails, or where the format needs a length it is not told;
/// then what was there before is still there and nothing else.
#[inline]
pub(crate) fn encode_into<T: Serialize + ?Sized>(bytes: &mut Vec<u8>, value: &T) -> Result<(), CodecError> {
    let before = bytes.len();
    bincode::serde::encode_into_writer(value, Growing(bytes), FORMAT).map_err(|why| {
        bytes.truncate(before);
        why.into()
    })
}

/// Bytes that grow as long as there is memory.
struct Growing<'a>(&'a mut Vec<u8>);

impl Writer for Growing<'_> {
    // Most fields are numbers: where the compiler knows the length, this is a store.
    #[inline(always)]
    fn write(&mut self, more: &[u8]) -> Result<(), EncodeError> {
        if self.0.capacity() - self.0.len() < more.len() {
            make_room(self.0, more.len())?;
        }
        self.0.extend_from_slice(more);
        Ok(())
    }
}

#[cold]
#[inline(never)]
fn make_room(bytes: &mut Vec<u8>, more: usize) -> Result<(), EncodeError> {
    memory::reserve(bytes, more).map_err(|_| EncodeError::Other("there is not enough memory for it"))
}

/// The value in `bytes`, all of them: what is left over is an error, too.
#[inline]
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    match bytes.len() {
        0..=0x1000 => decode_within(bytes, FORMAT.with_limit::<0x1_0000>()),
        0x1001..=0x10_0000 => decode_within(bytes, FORMAT.with_limit::<0x100_0000>()),
        0x10_0001..=0x1000_0000 => decode_within(bytes, FORMAT.with_limit::<0x1_0000_0000>()),
        _ => decode_within(bytes, FORMAT.with_limit::<0x100_0000_0000>()),
    }
}

#[inline]
fn decode_within<T: DeserializeOwned>(bytes: &[u8], format: impl Config) -> Result<T, CodecError> {
    let (value, read) = bincode::serde::decode_from_slice(bytes, format)?;
    if read != bytes.len() {
        return Err(left_over(bytes.len() - read));
    }
    Ok(value)
}

#[cold]
fn left_over(bytes: usize) -> CodecError {
    CodecError(format!("{bytes} bytes are left over after the value"))
}

const FORMAT: Configuration<LittleEndian, Fixint> = config::standard().with_fixed_int_encoding();

#[cfg(test)]
mod tests {
    use super::*;

    fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, CodecError> {
        let mut bytes = Vec::new();
        encode_into(&mut bytes, value).map(|()| bytes)
    }

    #[test]
    fn what_the_format_cannot_do_is_said_in_words() {
        #[derive(Debug, serde::Serialize, serde::Deserialize)]
        #[serde(untagged)]
        enum Either {
            Number(i64),
        }
        let why = decode::<Either>(&encode(&Either::Number(7)).unwrap()).unwrap_err().to_string();
        assert!(why.contains("`#[serde(untagged)]`") && why.contains("or text"), "{why}");
        struct Endless;
        impl Serialize for Endless {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serde::ser::SerializeSeq::end(serializer.serialize_seq(None)?)
            }
        }
        let why = encode(&Endless).unwrap_err().to_string();
        assert!(why.contains("`#[serde(flatten)]`"), "{why}");
        for (bytes, expected) in [(&[7][..], "a `bool` in it is 7"), (&[], "end too early")] {
            let why = decode::<bool>(bytes).unwrap_err().to_string();
            assert!(why.contains(expected), "{why}");
        }
    }

    #[test]
    fn values_return_as_they_went() {
        let value = (7_u8, "näh".to_string(), vec![Some(1.5_f64), None], [(); 3]);
        let bytes = encode(&value).unwrap();
        assert_eq!(decode::<(u8, String, Vec<Option<f64>>, [(); 3])>(&bytes).unwrap(), value);
    }

    #[test]
    fn a_borrow_is_encoded_like_what_it_points_to() {
        assert_eq!(encode("text").unwrap(), encode(&"text".to_string()).unwrap());
        assert_eq!(encode(&[1_u64, 2][..]).unwrap(), encode(&vec![1_u64, 2]).unwrap());
    }

    #[test]
    fn left_over_and_missing_bytes_are_errors() {
        let bytes = encode(&(1_u32, 2_u32)).unwrap();
        assert!(decode::<u32>(&bytes).unwrap_err().to_string().contains("4 bytes are left over"));
        assert!(decode::<(u64, u64)>(&bytes).is_err());
    }

    #[test]
    fn a_false_length_asks_for_no_memory() {
        let hostile = [(1_u64 << 60).to_le_bytes().as_slice(), b"x"].concat();
        assert!(decode::<String>(&hostile).is_err());
        assert!(decode::<Vec<u8>>(&hostile).is_err());
    }

    #[test]
    fn a_failed_encode_leaves_what_was_there() {
        struct Refuses;
        impl Serialize for Refuses {
            fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("not today"))
            }
        }
        let mut bytes = b"before".to_vec();
        let error = encode_into(&mut bytes, &(1_u8, Refuses)).unwrap_err();
        assert_eq!(error.to_string(), "not today");
        assert_eq!(bytes, b"before");
    }
}
