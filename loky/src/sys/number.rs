//! A single number as the bytes that it is, lowest first: what the format of values would make of it, without asking
//! that.

use std::any::TypeId;
use std::mem::transmute_copy;

/// Does something for each type of number, until one is found.
macro_rules! for_each_number {
    ($found:ident) => {
        $found!(u8, i8, u16, i16, u32, i32, u64, i64, usize, isize, f32, f64)
    };
}

/// Gives the bytes of `value` to `take`, and returns what that returns; `None` if it is no number.
#[inline]
pub(crate) fn with_bytes<T: ?Sized, R>(value: &T, take: impl FnOnce(&[u8]) -> R) -> Option<R> {
    let id = typeid::of::<T>();
    macro_rules! found {
        ($($number:ty),*) => {$(
            if id == TypeId::of::<$number>() {
                // SAFETY: `T` is the type that this is read as: no number has lifetimes.
                let number: &$number = unsafe { transmute_copy::<&T, _>(&value) };
                return Some(take(&number.to_le_bytes()));
            }
        )*};
    }
    for_each_number!(found);
    None
}

/// The number that `bytes` are; `None` if `T` is no number, or one of another length.
#[inline]
pub(crate) fn from_bytes<T>(bytes: &[u8]) -> Option<T> {
    let id = typeid::of::<T>();
    macro_rules! found {
        ($($number:ty),*) => {$(
            if id == TypeId::of::<$number>() {
                let number = <$number>::from_le_bytes(bytes.try_into().ok()?);
                // SAFETY: `T` is the type that this is read as, and numbers are copied freely.
                return Some(unsafe { transmute_copy::<$number, T>(&number) });
            }
        )*};
    }
    for_each_number!(found);
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_its_bytes() {
        assert_eq!(with_bytes(&0x0102_u16, <[u8]>::to_vec), Some(vec![2, 1]));
        assert_eq!(with_bytes(&-1.5_f64, <[u8]>::to_vec), Some((-1.5_f64).to_le_bytes().to_vec()));
        assert_eq!(from_bytes::<u16>(&[2, 1]), Some(0x0102));
        assert_eq!(from_bytes::<f64>(&(-1.5_f64).to_le_bytes()), Some(-1.5));
    }

    #[test]
    fn nothing_else_is() {
        assert_eq!((with_bytes("text", <[u8]>::len), with_bytes(&true, <[u8]>::len)), (None, None));
        assert_eq!((with_bytes(&[1_u8][..], <[u8]>::len), with_bytes(&&1_u8, <[u8]>::len)), (None, None));
        assert_eq!((from_bytes::<bool>(&[1]), from_bytes::<char>(&[65, 0, 0, 0])), (None, None));
        assert_eq!((from_bytes::<u32>(&[0; 3]), from_bytes::<u32>(&[0; 5])), (None, None));
    }
}
