//! Values without bytes, such as functions: what their type says is all that there is of them.

/// A value of a type that has no bytes.
///
/// Only for types of which the program that names them has had a value in its hands: a function that is captured, the
/// code around a closure. Both are taken by value or by reference where they are captured, and a worker runs the same
/// program; so the type is known to have values, which its size alone does not say.
pub(crate) fn conjure<T: Copy + 'static>() -> T {
    assert!(size_of::<T>() == 0, "who asks for a value of a type has shown at compile time that it has no bytes");
    // SAFETY: A read of no bytes is valid at every aligned address that is not null. The type has values (see above),
    // with no bytes they are all alike, and as it is `Copy`, one more of them breaks no promise of its own.
    unsafe { std::ptr::NonNull::<T>::dangling().read() }
}

/// A slice of so many of a value that has no bytes.
pub(crate) fn repeat<T: Copy + 'static>(_: T, len: usize) -> &'static [T] {
    assert!(size_of::<T>() == 0, "what has bytes needs memory");
    // SAFETY: the slice has no bytes, and its address is aligned and not null. There is a value of this type, and as it
    // is `Copy`, more of them break no promise of its own.
    unsafe { std::slice::from_raw_parts(std::ptr::NonNull::<T>::dangling().as_ptr(), len) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_the_type_of<T: Copy + 'static>(_: T) -> T {
        conjure()
    }

    #[test]
    fn a_conjured_function_is_the_function() {
        fn square(x: i64) -> i64 {
            x * x
        }
        assert_eq!(of_the_type_of(square)(4), 16);
        assert_eq!(of_the_type_of(|x: i64| x + 1)(4), 5);
    }
}
