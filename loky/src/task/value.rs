//! One value as bytes and back: what users wrote decides how, but for numbers and rows of them. Those are written as
//! the format writes them, rows with their number first, only without asking it for each. A long row that is given away is
//! not copied at all.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::contain::contain;
use crate::memory;
use crate::shared::live::Stretch;
use crate::shared::passing::{Enclosed, Way, collecting};
use crate::sys::row::{LINE, NoMemory, Row};
use crate::sys::{number, pages, plain, pod};
use crate::wire::body::{ROW_MIN, RowPlace};
use crate::wire::codec;

/// What a result was written as: its bytes, a row that stands behind them and was not copied, and what it encloses.
#[derive(Debug, Default)]
pub struct Written {
    pub(crate) bytes: Vec<u8>,
    pub(crate) row: Option<Row>,
    pub(crate) enclosed: Enclosed,
}

impl Written {
    /// The bytes, if they are a few and all there is.
    #[inline]
    pub(crate) fn if_short(&self) -> Option<&[u8]> {
        Some(&self.bytes[..]).filter(|bytes| self.row.is_none() && bytes.len() <= RESULT_SHORT_MAX)
    }
}

/// What a value was appended as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Appended {
    Bytes,
    /// With a long row, which begins there.
    Row(RowPlace),
    /// The name of a stretch of memory, in the place of the numbers in there.
    Stretch,
    /// The same in the place of a slice of something else that is plain, whose identity stands behind the name.
    StretchOfPod,
}

/// As many bytes of a result are sent in one step with a word before them.
pub(crate) const RESULT_SHORT_MAX: usize = 64;

/// The number of elements that stands before a row, a `u64` in little endian.
const COUNT: usize = 8;

/// Appends the bytes of `value`. The `Serialize` of users runs in there, so a panic in it is an error, too. On an error
/// nothing is appended.
#[inline]
pub(super) fn encode<T: Serialize + ?Sized>(
    way: Way,
    bytes: &mut Vec<u8>,
    enclosed: &mut Enclosed,
    value: &T,
) -> Result<Appended, String> {
    match number::with_bytes(value, |number| bytes.extend_from_slice(number)) {
        Some(()) => Ok(Appended::Bytes),
        None => encode_other(way, bytes, enclosed, value),
    }
}

fn encode_other<T: Serialize + ?Sized>(
    way: Way,
    bytes: &mut Vec<u8>,
    enclosed: &mut Enclosed,
    value: &T,
) -> Result<Appended, String> {
    let Some((count, plain)) = plain::as_bytes(value) else {
        if way == Way::Arguments && encode_range_of_pod(bytes, enclosed, value).is_some() {
            return Ok(Appended::StretchOfPod);
        }
        let (encoded, more) = collecting(way, || contain(|| codec::encode_into(bytes, value)));
        enclosed.append(more);
        return encoded.map(|()| Appended::Bytes);
    };
    if way == Way::Arguments && plain.len() >= ROW_MIN {
        if let Some(stretch) = Stretch::of(plain) {
            append_name(bytes, enclosed, stretch);
            return Ok(Appended::Stretch);
        }
    }
    memory::reserve(bytes, COUNT + plain.len()).map_err(|_| NoMemory.to_string())?;
    bytes.extend_from_slice(&(count as u64).to_le_bytes());
    let start = bytes.len();
    pages::extend_fresh(bytes, plain);
    let width = || if plain::is_slice::<T>() { LINE } else { plain.len() / count };
    let row = if plain.len() < ROW_MIN { None } else { RowPlace::new(start, width()) };
    Ok(row.map_or(Appended::Bytes, Appended::Row))
}

/// Appends the name of a stretch of memory, if that is what a slice of something plain is, other than numbers. Only a
/// reference to a slice is taken for that: it is written where a slice is lent, and nowhere else.
fn encode_range_of_pod<T: ?Sized>(bytes: &mut Vec<u8>, enclosed: &mut Enclosed, value: &T) -> Option<()> {
    if size_of_val(value) != size_of::<&[u8]>() {
        return None;
    }
    let (identity, plain) = pod::as_bytes(value).filter(|(_, plain)| plain.len() >= ROW_MIN)?;
    append_name(bytes, enclosed, Stretch::of(plain)?);
    bytes.extend_from_slice(&identity.word().to_le_bytes());
    Some(())
}

fn append_name(bytes: &mut Vec<u8>, enclosed: &mut Enclosed, stretch: Stretch) {
    stretch.name().into_iter().for_each(|word| bytes.extend_from_slice(&word.to_le_bytes()));
    enclosed.append(stretch.enclosed());
}

/// The numbers of a row of at least `min` bytes that nobody needs any more, and how many they are; anything else comes back.
#[inline]
pub(super) fn taken<T: Serialize>(value: T, min: usize) -> Result<(u64, Row), T> {
    match plain::as_bytes(&value).filter(|(_, plain)| plain.len() >= min).map(|(count, _)| count) {
        Some(count) => Row::from(value).map(|row| (count as u64, row)),
        None => Err(value),
    }
}

/// Appends a result, which nobody needs any more: a long row is not copied, but kept for whoever sends it.
#[inline]
pub(super) fn write<T: Serialize>(written: &mut Written, value: T) -> Result<(), String> {
    match taken(value, ROW_MIN) {
        Ok((count, row)) => {
            written.bytes.extend_from_slice(&count.to_le_bytes());
            written.row = Some(row);
            Ok(())
        }
        Err(value) => encode(Way::Result, &mut written.bytes, &mut written.enclosed, &value).map(drop),
    }
}

/// The value in `bytes`, all of them. A `Deserialize` that fails, or panics, is an error.
#[inline]
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    number::from_bytes(bytes).map_or_else(|| decode_other(bytes), Ok)
}

fn decode_other<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let row = bytes.split_first_chunk::<COUNT>();
    let plain = row.and_then(|(count, plain)| plain::from_bytes(u64::from_le_bytes(*count), plain));
    plain.map_or_else(|| contain(|| codec::decode(bytes)), |plain| plain.map_err(|why| why.to_string()))
}

/// The slice of numbers that is in `bytes`, on memory of its own to be lent.
pub(super) fn decode_slice<T>(bytes: &[u8]) -> Result<Row, String> {
    let (count, plain) = bytes.split_first_chunk::<COUNT>().ok_or("its length is missing")?;
    check_count::<T>(*count, plain.len())?;
    Row::to_lend(plain).map_err(|why| why.to_string())
}

/// The same of bytes that end in a row.
pub(super) fn decode_slice_row<T>(start: &[u8], row: Row) -> Result<Row, String> {
    let count = start.try_into().map_err(|_| "there is another value in its place")?;
    check_count::<T>(count, row.bytes().len())?;
    if row.width() == LINE { Ok(row) } else { Row::to_lend(row.bytes()).map_err(|why| why.to_string()) }
}

fn check_count<T>(count: [u8; COUNT], len: usize) -> Result<(), String> {
    let expected = u64::from_le_bytes(count).checked_mul(size_of::<T>() as u64);
    if expected == Some(len as u64) { Ok(()) } else { Err(format!("{len} bytes are not as many numbers as it has")) }
}

/// The value that is a row of just these numbers.
pub(super) fn decode_numbers<T: DeserializeOwned>(numbers: &[u8]) -> Result<T, String> {
    let width = plain::width_of::<T>().ok_or("there is a range of numbers in its place")?;
    let value = plain::from_bytes((numbers.len() / width) as u64, numbers);
    let value = value.ok_or("a range of numbers is of other numbers")?;
    value.map_err(|why| why.to_string())
}

/// The same of bytes that end in a row: the value that is just that row is not copied.
pub(crate) fn decode_row<T: DeserializeOwned>(start: &[u8], row: Row) -> Result<T, String> {
    let row = match <[u8; COUNT]>::try_from(start) {
        Ok(count) => row.into(u64::from_le_bytes(count)),
        Err(_) => Err(row),
    };
    row.or_else(|row| decode(&joined(start, row.bytes()).map_err(|why| why.to_string())?))
}

/// Both in one piece.
fn joined(start: &[u8], rest: &[u8]) -> Result<Vec<u8>, NoMemory> {
    let mut all = Vec::new();
    all.try_reserve_exact(start.len() + rest.len()).map_err(|_| NoMemory)?;
    all.extend_from_slice(start);
    all.extend_from_slice(rest);
    Ok(all)
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;

    fn is_as_the_format_says<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T) {
        let (mut ours, mut theirs) = (b"before".to_vec(), b"before".to_vec());
        encode(Way::Arguments, &mut ours, &mut Enclosed::default(), &value).unwrap();
        codec::encode_into(&mut theirs, &value).unwrap();
        assert_eq!(ours, theirs);
        assert_eq!(decode::<T>(&ours[6..]).unwrap(), value);
        assert!(decode::<T>(&ours[6..ours.len() - 1]).is_err(), "a byte less");
        assert!(decode::<T>(&[&ours[6..], &[0]].concat()).is_err(), "a byte more");
    }

    #[test]
    fn values_are_written_as_the_format_says() {
        is_as_the_format_says(7_u8);
        is_as_the_format_says(-7_i16);
        is_as_the_format_says((i32::MIN, u32::MAX));
        is_as_the_format_says(u64::MAX - 1);
        is_as_the_format_says((usize::MAX - 1, -2_isize));
        is_as_the_format_says(isize::MIN);
        is_as_the_format_says(-0.5_f32);
        is_as_the_format_says(f64::MIN_POSITIVE);
        is_as_the_format_says(vec![1.5_f64, -2.5]);
        is_as_the_format_says(vec![1_u8, 2, 3]);
        is_as_the_format_says(Vec::<i32>::new());
        is_as_the_format_says(vec![usize::MAX, 0]);
        is_as_the_format_says(vec![-1_isize, isize::MIN]);
        is_as_the_format_says(vec![true, false]);
        is_as_the_format_says((vec![1_u16], "text".to_string()));
    }

    #[test]
    fn what_travels_beside_the_bytes_is_refused_where_nothing_travels() {
        let shared = crate::shared::Shared::from_vec(vec![1_u8]);
        let mut bytes = Vec::new();
        let why = codec::encode_into(&mut bytes, &shared).unwrap_err();
        assert!(why.to_string().contains("only as an argument or a result") && bytes.is_empty(), "{why}");
        for way in [Way::Arguments, Way::Result] {
            let mut enclosed = Enclosed::NONE;
            assert_eq!(encode(way, &mut bytes, &mut enclosed, &(&shared, 7)), Ok(Appended::Bytes));
            assert_eq!(enclosed.items().len(), 1);
        }
        assert!(decode::<(crate::shared::Shared<u8>, i32)>(&bytes[..bytes.len() / 2]).is_err(), "nobody has sent it");
    }
}
