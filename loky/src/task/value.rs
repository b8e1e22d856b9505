//! One value as bytes and back: what users wrote decides how, but for numbers and rows of them. Those are written as the
//! format writes them, rows with their number first, only without asking it for each.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::contain::contain;
use crate::sys::{number, plain};
use crate::wire::codec;

/// The number of elements that stands before a row, a `u64` in little endian.
const COUNT: usize = 8;

/// Appends the bytes of `value`. The `Serialize` of users runs in there, so a panic in it is an error, too. On an error
/// nothing is appended.
#[inline]
pub(super) fn encode<T: Serialize + ?Sized>(bytes: &mut Vec<u8>, value: &T) -> Result<(), String> {
    match number::with_bytes(value, |number| bytes.extend_from_slice(number)) {
        Some(()) => Ok(()),
        None => encode_other(bytes, value),
    }
}

fn encode_other<T: Serialize + ?Sized>(bytes: &mut Vec<u8>, value: &T) -> Result<(), String> {
    let Some((count, plain)) = plain::as_bytes(value) else {
        return contain(|| codec::encode_into(bytes, value));
    };
    bytes.reserve(COUNT + plain.len());
    bytes.extend_from_slice(&(count as u64).to_le_bytes());
    bytes.extend_from_slice(plain);
    Ok(())
}

/// The value in `bytes`, all of them. A `Deserialize` that fails, or panics, is an error.
#[inline]
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    number::from_bytes(bytes).map_or_else(|| decode_other(bytes), Ok)
}

fn decode_other<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let row = bytes.split_first_chunk::<COUNT>();
    let plain = row.and_then(|(count, plain)| plain::from_bytes(u64::from_le_bytes(*count), plain));
    plain.map_or_else(|| contain(|| codec::decode(bytes)), Ok)
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;

    fn is_as_the_format_says<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T) {
        let (mut ours, mut theirs) = (b"before".to_vec(), b"before".to_vec());
        encode(&mut ours, &value).unwrap();
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
}
