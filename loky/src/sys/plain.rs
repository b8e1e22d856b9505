//! Rows of numbers as the bytes that they are: what is written and read back in one piece instead of number by number.
//!
//! Only for machines that keep numbers as they are written, the lowest byte first. Elsewhere nothing is plain.

use std::any::TypeId;
use std::mem::{ManuallyDrop, transmute_copy};
use std::slice;

use super::pages;
use super::row::NoMemory;

/// Does something for each type of number, until one is found.
macro_rules! for_each_number {
    ($found:ident) => {
        $found!(u8, i8, u16, i16, u32, i32, u64, i64, f32, f64, usize, isize)
    };
}
pub(super) use for_each_number;

/// How many numbers there are in `value`, and their bytes; `None` if it is no row of numbers, and no reference to one.
pub(crate) fn as_bytes<T: ?Sized>(value: &T) -> Option<(usize, &[u8])> {
    let id = typeid::of::<T>();
    macro_rules! found {
        ($($number:ty),*) => {$(
            if id == TypeId::of::<Vec<$number>>() {
                // SAFETY: `T` is the type that this is read as, up to lifetimes, of which it has none.
                let numbers: &Vec<$number> = unsafe { transmute_copy::<&T, _>(&value) };
                return Some(bytes_of(numbers));
            }
            if id == TypeId::of::<[$number]>() {
                // SAFETY: as above; both references are fat alike, because they are of the same type.
                let numbers: &[$number] = unsafe { transmute_copy::<&T, _>(&value) };
                return Some(bytes_of(numbers));
            }
            if id == TypeId::of::<&'static [$number]>() {
                // SAFETY: `T` is the type that this is read as, up to its lifetime, which is not shorter than that of
                // the borrow.
                let numbers: &&[$number] = unsafe { transmute_copy::<&T, _>(&value) };
                return Some(bytes_of(numbers));
            }
        )*};
    }
    if cfg!(target_endian = "little") {
        for_each_number!(found);
    }
    None
}

/// The numbers that `bytes` are; `None` if `T` is no number, or they are no row of it, or do not lie as that would.
pub(crate) fn slice_of<T>(bytes: &[u8]) -> Option<&[T]> {
    let id = typeid::of::<T>();
    macro_rules! found {
        ($($number:ty),*) => {$(
            if id == TypeId::of::<$number>() {
                // SAFETY: any bytes are a number, and what is not aligned or a part of one stands before or behind.
                let (before, numbers, behind) = unsafe { bytes.align_to::<$number>() };
                let numbers = (before.is_empty() && behind.is_empty()).then_some(numbers)?;
                // SAFETY: `T` is the type that this is read as.
                return Some(unsafe { transmute_copy::<&[$number], &[T]>(&numbers) });
            }
        )*};
    }
    if cfg!(target_endian = "little") {
        for_each_number!(found);
    }
    None
}

/// The row of `count` numbers that `bytes` are; `None` if `T` is no row of numbers, or one of other length. An error if
/// there is no memory for it.
pub(crate) fn from_bytes<T>(count: u64, bytes: &[u8]) -> Option<Result<T, NoMemory>> {
    let id = typeid::of::<T>();
    macro_rules! found {
        ($($number:ty),*) => {$(
            if id == TypeId::of::<Vec<$number>>() {
                let Ok(numbers) = numbers_of::<$number>(count, bytes)? else { return Some(Err(NoMemory)) };
                let numbers = ManuallyDrop::new(numbers);
                // SAFETY: `T` is the type that this is read as, and the copy that is left behind is not dropped.
                return Some(Ok(unsafe { transmute_copy::<Vec<$number>, T>(&numbers) }));
            }
        )*};
    }
    if cfg!(target_endian = "little") {
        for_each_number!(found);
    }
    None
}

/// Whether `T` is a slice of numbers, or a reference to one.
pub(crate) fn is_slice<T: ?Sized>() -> bool {
    let id = typeid::of::<T>();
    macro_rules! found {
        ($($number:ty),*) => {
            false $(|| id == TypeId::of::<[$number]>() || id == TypeId::of::<&'static [$number]>())*
        };
    }
    for_each_number!(found)
}

/// Whether `T` is a number, any bytes of which are one.
pub(crate) fn is_number<T>() -> bool {
    let id = typeid::of::<T>();
    macro_rules! found {
        ($($number:ty),*) => {
            false $(|| id == TypeId::of::<$number>())*
        };
    }
    cfg!(target_endian = "little") && for_each_number!(found)
}

/// How many bytes each number has in a `T`; `None` if it is no row of numbers.
pub(crate) fn width_of<T>() -> Option<usize> {
    let id = typeid::of::<T>();
    macro_rules! found {
        ($($number:ty),*) => {$(
            if id == TypeId::of::<Vec<$number>>() {
                return Some(size_of::<$number>());
            }
        )*};
    }
    for_each_number!(found);
    None
}

fn bytes_of<N>(numbers: &[N]) -> (usize, &[u8]) {
    // SAFETY: a slice of numbers is initialized and has no padding, and bytes have no alignment.
    (numbers.len(), unsafe { slice::from_raw_parts(numbers.as_ptr().cast(), size_of_val(numbers)) })
}

fn numbers_of<N>(count: u64, bytes: &[u8]) -> Option<Result<Vec<N>, NoMemory>> {
    let count = usize::try_from(count).ok()?;
    if count.checked_mul(size_of::<N>())? != bytes.len() {
        return None;
    }
    let mut numbers = Vec::<N>::new();
    if numbers.try_reserve_exact(count).is_err() {
        return Some(Err(NoMemory));
    }
    // SAFETY: there is room for so many, they lie elsewhere than the bytes, and any bytes are a number.
    unsafe {
        pages::copy_to_fresh(numbers.as_mut_ptr().cast(), bytes);
        numbers.set_len(count);
    }
    Some(Ok(numbers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_numbers_are_their_bytes() {
        let numbers = vec![1.5_f64, -0.0, f64::INFINITY];
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        assert_eq!(as_bytes(&numbers), Some((3, &bytes[..])));
        assert_eq!(as_bytes(&numbers[1..]), Some((2, &bytes[8..])));
        assert_eq!(as_bytes(&&numbers[1..]), Some((2, &bytes[8..])));
        assert_eq!(as_bytes(&numbers[1..]).and_then(|(_, bytes)| slice_of::<f64>(bytes)), Some(&numbers[1..]));
        assert_eq!(from_bytes::<Vec<f64>>(3, &bytes), Some(Ok(numbers)));
        assert_eq!(from_bytes::<Vec<u8>>(24, &bytes), Some(Ok(bytes)));
        assert_eq!(from_bytes::<Vec<u16>>(0, b""), Some(Ok(vec![])));
    }

    #[test]
    fn nothing_else_is() {
        assert!(is_slice::<[u8]>() && is_slice::<&[f64]>() && !is_slice::<Vec<u8>>() && !is_slice::<[bool]>());
        assert!(is_number::<u8>() && !is_number::<bool>() && !is_number::<[u8; 2]>());
        assert_eq!(as_bytes(&vec![true]), None);
        assert_eq!(as_bytes(&vec![vec![1_u8]]), None);
        assert_eq!((as_bytes("text"), as_bytes(&1_u64)), (None, None));
        assert_eq!(from_bytes::<Vec<bool>>(1, &[1]), None);
        let words = [0_u64; 2];
        let bytes = as_bytes(&words[..]).unwrap().1;
        assert!(slice_of::<u64>(&bytes[1..9]).is_none() && slice_of::<u64>(&bytes[..12]).is_none());
        assert!(slice_of::<bool>(bytes).is_none() && slice_of::<[u8; 2]>(bytes).is_none());
        assert_eq!(from_bytes::<Vec<u32>>(2, &[0; 7]), None);
        assert_eq!(from_bytes::<Vec<u32>>(u64::MAX, &[0; 8]), None);
    }
}
