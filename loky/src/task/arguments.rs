//! The arguments of one call, as bytes: written one after another here, read one after another there.
//!
//! Each argument is encoded for itself, with its length before it, so that an argument may find its own way to travel
//! without its neighbours knowing. The code of users runs in both directions (their `Serialize` and `Deserialize`),
//! so a panic in it is caught and told as what it is: a value that cannot travel.

#[cfg(test)]
mod tests;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::entry::Fault;
use super::slice::SliceOwner;
use super::value::{self, Appended};
use crate::error::{Error, ErrorKind};
use crate::memory;
use crate::shared::exhaustion;
use crate::shared::live::Stretch;
use crate::shared::passing::{Enclosed, Way};
use crate::sys::plain;
use crate::sys::pod::Identity;
use crate::sys::row::{NoMemory, Row};
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
    /// The row, if it was given away and does not stand in the bytes.
    tail: Option<Box<Row>>,
    /// What went wrong first; nothing is written after it.
    fault: Option<String>,
}

/// The encoded arguments that `write` writes.
pub(crate) fn encode_arguments(write: impl FnOnce(&mut ArgumentWriter<'_>)) -> Result<Encoded, Error> {
    let mut encoded = Encoded { bytes: memory::take_short(), ..Encoded::NONE };
    encode_arguments_into(&mut encoded, write)?;
    Ok(encoded)
}

/// Appends the encoded arguments that `write` writes; on an error no bytes are appended.
#[inline]
pub(crate) fn encode_arguments_into(
    encoded: &mut Encoded,
    write: impl FnOnce(&mut ArgumentWriter<'_>),
) -> Result<(), Error> {
    let (bytes, enclosed) = (&mut encoded.bytes, &mut encoded.enclosed);
    let before = bytes.len();
    let mut writer = ArgumentWriter { bytes, enclosed, count: 0, row: None, tail: None, fault: None };
    write(&mut writer);
    let ArgumentWriter { row, tail, fault, .. } = writer;
    let Some(why) = fault else {
        // Of several calls one after the other, no row is the end of the bytes of all.
        (encoded.row, encoded.tail) = if before == 0 { (row, tail) } else { (None, None) };
        return Ok(());
    };
    encoded.bytes.truncate(before);
    Err(cannot_be_started(&why))
}

/// The error of a call that cannot be sent.
#[cold]
pub(super) fn cannot_be_started(why: &str) -> Error {
    let kind = if exhaustion::take() { ErrorKind::OutOfResources } else { ErrorKind::Encode };
    Error::new(kind, format!("cannot be started: {why}"))
}

impl ArgumentWriter<'_> {
    /// Appends the next argument; a borrow is written like what it points to.
    #[inline]
    pub fn write<T: Serialize + ?Sized>(&mut self, argument: &T) {
        if self.fault.is_some() {
            return;
        }
        if self.tail.is_some() {
            self.copy_tail();
        }
        self.count += 1;
        match append_and_tell(Way::Arguments, self.bytes, self.enclosed, argument) {
            Ok(row) => self.row = row,
            Err(why) => self.fault = Some(format!("argument {} cannot be encoded: {why}", self.count)),
        }
    }

    /// The same of an argument that nobody needs any more: a row is not copied if it is longer than the memory that is used
    /// again. If it is copied there, its own memory is free at once, as a rule for the result.
    #[inline]
    pub fn give<T: Serialize>(&mut self, argument: T) {
        match value::taken(argument, memory::LONG_MAX + 1) {
            Ok((count, row)) => self.take(count, row),
            Err(argument) => self.write(&argument),
        }
    }

    #[cold]
    fn take(&mut self, count: u64, row: Row) {
        self.write(&());
        if self.fault.is_some() {
            return;
        }
        let len = size_of_val(&count) + row.bytes().len();
        let head = self.bytes.len() - LENGTH;
        self.bytes[head..].copy_from_slice(&(len as u64).to_le_bytes());
        self.bytes.extend_from_slice(&count.to_le_bytes());
        self.row = RowPlace::new(self.bytes.len(), row.width());
        self.tail = Some(Box::new(row));
        if self.row.is_none() {
            self.copy_tail();
        }
    }

    /// Something comes behind the row, or its place cannot be said.
    #[cold]
    fn copy_tail(&mut self) {
        let Some(row) = self.tail.take() else { return };
        self.row = None;
        match memory::reserve(self.bytes, row.bytes().len()) {
            Ok(()) => self.bytes.extend_from_slice(row.bytes()),
            Err(_) => self.fault = Some(format!("argument {} cannot be encoded: {NoMemory}", self.count)),
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
    let length = match appended {
        Appended::Stretch => STRETCH,
        Appended::StretchOfPod => STRETCH_OF_POD,
        Appended::Bytes | Appended::Row(_) => (bytes.len() - head - LENGTH) as u64,
    };
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
        let is_stretch =
            self.rest.split_first_chunk().is_some_and(|(length, _)| u64::from_le_bytes(*length) >= STRETCH_OF_POD);
        if is_stretch {
            self.count += 1;
            return self.read_stretch().map_err(|why| self.wrong(&why));
        }
        if plain::is_number::<T>() {
            return self.read_numbers();
        }
        self.read().map(SliceOwner::of)
    }

    fn read_numbers<T>(&mut self) -> Result<SliceOwner<T>, Fault> {
        self.count += 1;
        let row = match self.next() {
            Some(bytes) => value::decode_slice::<T>(bytes),
            None => self
                .next_row()
                .ok_or("is missing".to_string())
                .and_then(|(start, row)| value::decode_slice_row::<T>(start, row)),
        };
        row.and_then(SliceOwner::of_row).map_err(|why| self.wrong(&why))
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
        if let Some(stretch) = self.next_stretch() {
            return SliceOwner::of_stretch(stretch?, None);
        }
        let stretch = self.next_stretch_behind(STRETCH_OF_POD).ok_or("is missing")??;
        let (identity, rest) = self.rest.split_first_chunk().ok_or("is missing")?;
        self.rest = rest;
        SliceOwner::of_stretch(stretch, Some(Identity::said(u64::from_le_bytes(*identity))))
    }

    /// The stretch of memory that stands for the next value.
    fn next_stretch(&mut self) -> Option<Result<Stretch, String>> {
        self.next_stretch_behind(STRETCH)
    }

    fn next_stretch_behind(&mut self, mark: u64) -> Option<Result<Stretch, String>> {
        let name = self.rest.strip_prefix(&mark.to_le_bytes())?;
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

/// The same, with a word more that says what lies there, if it is no numbers.
const STRETCH_OF_POD: u64 = STRETCH - 1;
