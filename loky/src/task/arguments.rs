//! The arguments of one call, as bytes: written one after another here, read one after another there.
//!
//! Each argument is encoded for itself, with its length before it, so that an argument may find its own way to travel
//! without its neighbours knowing. The code of users runs in both directions (their `Serialize` and `Deserialize`),
//! so a panic in it is caught and told as what it is: a value that cannot travel.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::entry::Fault;
use super::slice::SliceOwner;
use super::value::{self, Appended};
use crate::error::{Error, ErrorKind};
use crate::memory;
use crate::shared::live::Stretch;
use crate::shared::passing::{Enclosed, Way};
use crate::sys::row::Row;
use crate::wire::body::{Encoded, RowPlace};

/// Appends the arguments of one call to a payload.
#[derive(Debug)]
pub struct ArgumentWriter<'a> {
    bytes: &'a mut Vec<u8>,
    enclosed: &'a mut Enclosed,
    /// How many were written.
    count: usize,
    /// Where a long row begins, if that is what was written last.
    row: Option<RowPlace>,
    /// What went wrong first; nothing is written after it.
    fault: Option<String>,
}

/// The encoded arguments that `write` writes.
pub(crate) fn encode_arguments(write: impl FnOnce(&mut ArgumentWriter<'_>)) -> Result<Encoded, Error> {
    let mut encoded = Encoded { bytes: memory::take_short(), ..Encoded::NONE };
    encoded.row = write_arguments(&mut encoded, write)?;
    Ok(encoded)
}

/// Appends the encoded arguments that `write` writes; on an error no bytes are appended.
#[inline]
pub(crate) fn encode_arguments_into(
    encoded: &mut Encoded,
    write: impl FnOnce(&mut ArgumentWriter<'_>),
) -> Result<(), Error> {
    write_arguments(encoded, write).map(drop)
}

/// The same. Returns where a long row begins, if the arguments end in one.
#[inline]
fn write_arguments(
    encoded: &mut Encoded,
    write: impl FnOnce(&mut ArgumentWriter<'_>),
) -> Result<Option<RowPlace>, Error> {
    let (bytes, enclosed) = (&mut encoded.bytes, &mut encoded.enclosed);
    let before = bytes.len();
    let mut writer = ArgumentWriter { bytes, enclosed, count: 0, row: None, fault: None };
    write(&mut writer);
    let Some(why) = writer.fault else { return Ok(writer.row) };
    encoded.bytes.truncate(before);
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
        match append_and_tell(Way::Arguments, self.bytes, self.enclosed, argument) {
            Ok(row) => self.row = row,
            Err(why) => self.fault = Some(format!("argument {} cannot be encoded: {why}", self.count)),
        }
    }
}

/// Appends a captured value with its length before it. What an error leaves behind is of no use.
#[inline]
pub(super) fn append<T: Serialize + ?Sized>(encoded: &mut Encoded, value: &T) -> Result<(), String> {
    append_and_tell(Way::Captures, &mut encoded.bytes, &mut encoded.enclosed, value).map(drop)
}

/// Appends a value with its length before it. Returns where in `bytes` a long row begins, if that is what was appended.
#[inline]
fn append_and_tell<T: Serialize + ?Sized>(
    way: Way,
    bytes: &mut Vec<u8>,
    enclosed: &mut Enclosed,
    value: &T,
) -> Result<Option<RowPlace>, String> {
    let head = bytes.len();
    bytes.extend_from_slice(&[0; LENGTH]);
    let appended = value::encode(way, bytes, enclosed, value)?;
    let length = if appended == Appended::Stretch { STRETCH } else { (bytes.len() - head - LENGTH) as u64 };
    bytes[head..head + LENGTH].copy_from_slice(&length.to_le_bytes());
    Ok(if let Appended::Row(place) = appended { Some(place) } else { None })
}

/// Reads what an [`ArgumentWriter`] has written.
#[derive(Debug)]
pub struct ArgumentReader<'a> {
    rest: &'a [u8],
    /// The end of the last argument.
    row: Option<Box<Row>>,
    count: usize,
}

impl<'a> ArgumentReader<'a> {
    pub(crate) const fn new(arguments: &'a [u8]) -> Self {
        Self { rest: arguments, row: None, count: 0 }
    }

    /// Of arguments that end in a row, which stands behind those bytes that will be given to [`begin`](Self::begin).
    pub(crate) const fn with_row(row: Option<Box<Row>>) -> Self {
        Self { rest: &[], row, count: 0 }
    }

    /// Goes on to the arguments of another call; what of the last ones was not read is forgotten.
    #[inline]
    pub(crate) fn begin(&mut self, arguments: &'a [u8]) {
        self.rest = arguments;
        self.count = 0;
    }

    /// The next argument.
    ///
    /// # Errors
    ///
    /// There is none, or it is not a `T`.
    #[inline]
    pub fn read<T: DeserializeOwned>(&mut self) -> Result<T, Fault> {
        self.count += 1;
        let value = match self.next() {
            Some(bytes) => value::decode(bytes),
            None => self.read_long(),
        };
        value.map_err(|why| self.wrong(&why))
    }

    /// The next argument, a slice.
    ///
    /// # Errors
    ///
    /// There is none, or it is not one of `T`.
    #[inline]
    pub fn read_slice<T: DeserializeOwned>(&mut self) -> Result<SliceOwner<T>, Fault> {
        if self.rest.starts_with(&STRETCH.to_le_bytes()) {
            self.count += 1;
            return self.read_stretch().map_err(|why| self.wrong(&why));
        }
        self.read().map(SliceOwner::of)
    }

    /// Says that there are no more.
    ///
    /// # Errors
    ///
    /// There are.
    #[inline]
    pub fn finish(&self) -> Result<(), Fault> {
        match self.rest.len() + self.row.as_ref().map_or(0, |row| row.bytes().len()) {
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

    /// A value that is not here with all its bytes.
    #[cold]
    fn read_long<T: DeserializeOwned>(&mut self) -> Result<T, String> {
        if let Some(stretch) = self.next_stretch() {
            return value::decode_numbers(stretch?.bytes());
        }
        let (start, row) = self.next_row().ok_or("is missing")?;
        value::decode_row(start, row)
    }

    #[cold]
    fn read_stretch<T: DeserializeOwned>(&mut self) -> Result<SliceOwner<T>, String> {
        SliceOwner::of_stretch(self.next_stretch().ok_or("is missing")??)
    }

    /// The stretch of memory that stands for the next value.
    fn next_stretch(&mut self) -> Option<Result<Stretch, String>> {
        let name = self.rest.strip_prefix(&STRETCH.to_le_bytes())?;
        let (name, rest) = name.split_at_checked(3 * LENGTH)?;
        self.rest = rest;
        let word = |at: usize| u64::from_le_bytes(name[at * LENGTH..][..LENGTH].try_into().expect("a word"));
        Some(Stretch::find([word(0), word(1), word(2)]))
    }

    /// The bytes of the last value, which are here only up to its row.
    fn next_row(&mut self) -> Option<(&'a [u8], Row)> {
        let (length, start) = self.rest.split_first_chunk::<LENGTH>()?;
        let length = u64::from_le_bytes(*length);
        let row = self.row.take_if(|row| (start.len() + row.bytes().len()) as u64 == length)?;
        self.rest = &[];
        Some((start, *row))
    }

    #[cold]
    fn wrong(&self, why: &str) -> Fault {
        Fault::Decode(format!("argument {}: {why}", self.count))
    }
}

/// The length before each argument, a `u64` in little endian.
const LENGTH: usize = 8;

/// In the place of a length: what follows is the name of a stretch of memory, in as many words as that has.
const STRETCH: u64 = u64::MAX;

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
        let mut reader = ArgumentReader::new(&bytes.bytes);
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
        assert!(ArgumentReader::new(&bytes.bytes).read::<u64>().is_err());
        assert!(ArgumentReader::new(&bytes.bytes).read::<u16>().is_err());
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
    fn a_slice_of_shared_numbers_travels_as_a_range() {
        use crate::shared::passing::{Arrival, Item, Name, forget, give};
        let shared = crate::shared::Shared::from_vec((0..10_000_u32).collect());
        let encoded = encode_arguments(|writer| {
            writer.write(&shared[5000..]);
            writer.write(&&shared[..5000]);
            writer.write(&shared[..10]);
            writer.write(&shared[1..9001]);
        });
        let Encoded { bytes, row, enclosed } = encoded.unwrap();
        let [Item::Segment(segment), ..] = enclosed.items() else { panic!("it is enclosed") };
        assert!(bytes.len() < 200 && row.is_none() && enclosed.items().len() == 3, "{} bytes", bytes.len());
        let id = segment.id();
        give(id, Arrival::known(Name::Given(id), std::sync::Arc::clone(segment)));
        let mut reader = ArgumentReader::new(&bytes);
        let (lent, copied) = (reader.read_slice::<u32>().unwrap(), reader.read::<Vec<u32>>().unwrap());
        assert!(std::ptr::eq(&lent[..], &shared[5000..]) && copied[..] == shared[..5000]);
        assert_eq!(reader.read_slice::<u32>().unwrap()[..], shared[..10]);
        let mut again = ArgumentReader::new(reader.rest);
        assert!(reader.read_slice::<String>().is_err() && reader.finish().is_ok());
        assert!(again.read::<Vec<String>>().is_err() && again.finish().is_ok());
        forget(id);
        assert!(ArgumentReader::new(&bytes).read_slice::<u32>().is_err(), "it was not given");
        assert!(ArgumentReader::new(&bytes[..20]).read_slice::<u32>().is_err());
    }

    #[test]
    fn a_panicking_serialize_is_an_encoding_error_and_leaves_what_was_there() {
        let mut encoded = Encoded { bytes: b"before".to_vec(), ..Encoded::NONE };
        let error = encode_arguments_into(&mut encoded, |writer| {
            writer.write(&1_u8);
            writer.write(&Panics);
            writer.write(&Panics);
        })
        .unwrap_err();
        assert_eq!((error.kind(), error.may_have_run()), (ErrorKind::Encode, false));
        assert!(error.to_string().contains("argument 2 cannot be encoded: it panicked: a poisoned lock"), "{error}");
        assert_eq!(encoded.bytes, b"before");
    }

    #[test]
    fn a_panicking_deserialize_is_a_fault() {
        let bytes = encode_arguments(|writer| writer.write(&())).unwrap();
        let fault = ArgumentReader::new(&bytes.bytes).read::<Panics>().err();
        assert_eq!(fault, Some(Fault::Decode("argument 1: it panicked: not even back".into())));
    }
}
