//! The arguments of one call, as bytes: written one after another here, read one after another there.
//!
//! Each argument is encoded for itself, with its length before it, so that an argument may find its own way to travel
//! without its neighbours knowing. The code of users runs in both directions (their `Serialize` and `Deserialize`), so a
//! panic in it is caught and told as what it is: a value that cannot travel.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::entry::Fault;
use super::value;
use crate::error::{Error, ErrorKind};

/// Appends the arguments of one call to a payload.
#[derive(Debug)]
pub struct ArgumentWriter<'a> {
    bytes: &'a mut Vec<u8>,
    /// How many were written.
    count: usize,
    /// What went wrong first; nothing is written after it.
    fault: Option<String>,
}

/// The encoded arguments that `write` writes.
pub(crate) fn encode_arguments(write: impl FnOnce(&mut ArgumentWriter<'_>)) -> Result<Vec<u8>, Error> {
    // Most arguments are short: one allocation, and no growing.
    let mut bytes = Vec::with_capacity(64);
    encode_arguments_into(&mut bytes, write)?;
    Ok(bytes)
}

/// Appends the encoded arguments that `write` writes; on an error nothing is appended.
#[inline]
pub(crate) fn encode_arguments_into(
    bytes: &mut Vec<u8>,
    write: impl FnOnce(&mut ArgumentWriter<'_>),
) -> Result<(), Error> {
    let before = bytes.len();
    let mut writer = ArgumentWriter { bytes, count: 0, fault: None };
    write(&mut writer);
    let Some(why) = writer.fault else {
        return Ok(());
    };
    bytes.truncate(before);
    Err(Error::new(ErrorKind::Encode, format!("cannot be started: {why}")))
}

impl ArgumentWriter<'_> {
    /// Appends the next argument; a borrow is written like what it points to.
    #[inline]
    pub fn write<T: Serialize + ?Sized>(&mut self, argument: &T) {
        if self.fault.is_some() {
            return;
        }
        self.count += 1;
        if let Err(why) = append(self.bytes, argument) {
            self.fault = Some(format!("argument {} cannot be encoded: {why}", self.count));
        }
    }
}

/// Appends a value with its length before it. What an error leaves behind is of no use.
#[inline]
pub(super) fn append<T: Serialize + ?Sized>(bytes: &mut Vec<u8>, value: &T) -> Result<(), String> {
    let head = bytes.len();
    bytes.extend_from_slice(&[0; LENGTH]);
    value::encode(bytes, value)?;
    let length = (bytes.len() - head - LENGTH) as u64;
    bytes[head..head + LENGTH].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

/// Reads what an [`ArgumentWriter`] has written.
#[derive(Debug)]
pub struct ArgumentReader<'a> {
    rest: &'a [u8],
    count: usize,
}

impl<'a> ArgumentReader<'a> {
    pub(crate) const fn new(arguments: &'a [u8]) -> Self {
        Self { rest: arguments, count: 0 }
    }

    /// The next argument.
    ///
    /// # Errors
    ///
    /// There is none, or it is not a `T`.
    #[inline]
    pub fn read<T: DeserializeOwned>(&mut self) -> Result<T, Fault> {
        self.count += 1;
        let bytes = self.next().ok_or_else(|| self.wrong("is missing"))?;
        value::decode(bytes).map_err(|why| self.wrong(&why))
    }

    /// Says that there are no more.
    ///
    /// # Errors
    ///
    /// There are.
    #[inline]
    pub fn finish(&self) -> Result<(), Fault> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(Fault::Decode(format!("{left} bytes are left over after the last argument"))),
        }
    }

    /// The bytes of the next value.
    #[inline]
    pub(super) fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.rest.split_first_chunk::<LENGTH>()?;
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        let (argument, rest) = rest.split_at_checked(length)?;
        self.rest = rest;
        Some(argument)
    }

    #[cold]
    fn wrong(&self, why: &str) -> Fault {
        Fault::Decode(format!("argument {}: {why}", self.count))
    }
}

/// The length before each argument, a `u64` in little endian.
const LENGTH: usize = 8;

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::*;

    /// Serializes by panicking, as a lock behind a foreign `Serialize` might.
    struct Panics;

    impl Serialize for Panics {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("a poisoned {}", "lock")
        }
    }

    impl<'de> Deserialize<'de> for Panics {
        fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            panic!("not even back")
        }
    }

    #[test]
    fn arguments_are_read_as_they_were_written() {
        let bytes = encode_arguments(|writer| {
            writer.write("abc");
            writer.write(&[1.5, 2.5][..]);
            writer.write(&());
        })
        .unwrap();
        let mut reader = ArgumentReader::new(&bytes);
        assert_eq!(reader.read::<String>().unwrap(), "abc");
        assert!(reader.finish().is_err());
        assert_eq!(reader.read::<Vec<f64>>().unwrap(), [1.5, 2.5]);
        reader.read::<()>().unwrap();
        reader.finish().unwrap();
        assert_eq!(reader.read::<u8>(), Err(Fault::Decode("argument 4: is missing".into())));
    }

    #[test]
    fn an_argument_reads_no_byte_of_its_neighbour() {
        let bytes = encode_arguments(|writer| [1_u32, 2].iter().for_each(|number| writer.write(number))).unwrap();
        assert!(ArgumentReader::new(&bytes).read::<u64>().is_err());
        assert!(ArgumentReader::new(&bytes).read::<u16>().is_err());
    }

    #[test]
    fn a_false_length_is_an_error() {
        for length in [0_u64, 3, u64::MAX] {
            let bytes = [&length.to_le_bytes()[..], &[0, 0]].concat();
            assert!(ArgumentReader::new(&bytes).read::<u16>().is_err(), "{length}");
        }
        assert!(ArgumentReader::new(&[2, 0, 0]).read::<u16>().is_err());
    }

    #[test]
    fn a_panicking_serialize_is_an_encoding_error_and_leaves_what_was_there() {
        let mut bytes = b"before".to_vec();
        let error = encode_arguments_into(&mut bytes, |writer| {
            writer.write(&1_u8);
            writer.write(&Panics);
            writer.write(&Panics);
        })
        .unwrap_err();
        assert_eq!((error.kind(), error.may_have_run()), (ErrorKind::Encode, false));
        assert!(error.to_string().contains("argument 2 cannot be encoded: it panicked: a poisoned lock"), "{error}");
        assert_eq!(bytes, b"before");
    }

    #[test]
    fn a_panicking_deserialize_is_a_fault() {
        let bytes = encode_arguments(|writer| writer.write(&())).unwrap();
        let fault = ArgumentReader::new(&bytes).read::<Panics>().err();
        assert_eq!(fault, Some(Fault::Decode("argument 1: it panicked: not even back".into())));
    }
}
