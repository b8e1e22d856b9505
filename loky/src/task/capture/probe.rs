//! Which kind of capture a variable is, found by method resolution, since the macro sees only names.
//!
//! Every step has a method `caught` for one sort of types; where it has none, the next step is found by dereferencing.
//! The bounds stand on the methods, not on the steps: a `&T` is captured as a reference or not at all, so a `T` that
//! cannot travel is reported as what it is. Of what cannot, no kind is ever known, so that nothing after the error can
//! complain about it again.

use std::marker::PhantomData;
use std::ops::Deref;

use super::Caught;
use super::kinds::{Capturable, Changed, Function, Lendable, Nested};
use crate::task::arguments::append;

/// Begins the search for what kind of capture `value` is.
pub const fn probe<'v, T>(name: &'static str, value: &'v T) -> OfNested<'v, T> {
    OfNested(OfMutable(OfReference(OfSlice(OfUnsized(OfFunction(OfValue { name, value }))))))
}

/// References to references, which nothing in a worker could lend.
#[derive(Debug)]
pub struct OfNested<'v, T>(OfMutable<'v, T>);

/// References by which something is changed, which is not here but there.
#[derive(Debug)]
pub struct OfMutable<'v, T>(OfReference<'v, T>);

/// References to what has a size.
#[derive(Debug)]
pub struct OfReference<'v, T>(OfSlice<'v, T>);

/// Slices.
#[derive(Debug)]
pub struct OfSlice<'v, T>(OfUnsized<'v, T>);

/// References to everything else.
#[derive(Debug)]
pub struct OfUnsized<'v, T>(OfFunction<'v, T>);

/// Functions that are used as values.
#[derive(Debug)]
pub struct OfFunction<'v, T>(OfValue<'v, T>);

/// All the rest.
#[derive(Debug)]
pub struct OfValue<'v, T> {
    name: &'static str,
    value: &'v T,
}

impl<'v, T> OfValue<'v, T> {
    const fn as_kind<Kind>(&self, write: fn(&mut Vec<u8>, &T) -> Result<(), String>) -> Caught<'v, Kind, T> {
        Caught { name: self.name, value: self.value, write, kind: PhantomData }
    }

    /// Captures the value.
    pub fn caught<Kind, M>(&self) -> Caught<'v, Kind, T>
    where
        T: Capturable<M, AsValue = Kind>,
    {
        self.as_kind(append::<T>)
    }
}

impl<'v, 'r, 's, T: ?Sized> OfNested<'v, &'r &'s T> {
    /// Says that it cannot be.
    pub fn caught<Kind>(&self) -> Caught<'v, Kind, &'r &'s T>
    where
        T: Nested,
    {
        self.as_kind(|_, _| Ok(()))
    }
}

impl<'v, 'r, T: ?Sized> OfMutable<'v, &'r mut T> {
    /// Says that it cannot be.
    pub fn caught<Kind>(&self) -> Caught<'v, Kind, &'r mut T>
    where
        T: Changed,
    {
        self.as_kind(|_, _| Ok(()))
    }
}

impl<'v, 'r, T> OfReference<'v, &'r T> {
    /// Captures what it points to.
    pub fn caught<Kind, M>(&self) -> Caught<'v, Kind, &'r T>
    where
        T: Capturable<M, AsReference = Kind>,
    {
        self.as_kind(|bytes, value| append::<T>(bytes, value))
    }
}

impl<'v, 'r, T> OfSlice<'v, &'r [T]> {
    /// Captures the elements.
    pub fn caught<Kind, M>(&self) -> Caught<'v, Kind, &'r [T]>
    where
        T: Capturable<M, AsSlice = Kind>,
    {
        self.as_kind(|bytes, value| append::<[T]>(bytes, value))
    }
}

impl<'v, 'r, T: ?Sized> OfUnsized<'v, &'r T> {
    /// Captures what it points to.
    pub fn caught<Kind, M>(&self) -> Caught<'v, Kind, &'r T>
    where
        T: Lendable<M, AsReference = Kind>,
    {
        self.as_kind(|bytes, value| append::<T>(bytes, value))
    }
}

/// A step of its own for functions, since a method alone cannot ask what arguments they take.
pub trait CaptureFunction<'v, Arguments> {
    /// The type of the function.
    type Item: Copy + 'static;

    /// Captures the function, which takes no bytes.
    fn caught(&self) -> Caught<'v, Function<Self::Item>, Self::Item>;
}

macro_rules! capture_function {
    ($($Argument:ident)*) => {
        impl<'v, T, R, $($Argument),*> CaptureFunction<'v, ($($Argument,)*)> for OfFunction<'v, T>
        where
            T: Fn($($Argument),*) -> R + Copy + 'static,
        {
            type Item = T;

            fn caught(&self) -> Caught<'v, Function<T>, T> {
                const {
                    assert!(
                        size_of::<T>() == 0,
                        "a closure that captures something, or a pointer to a function, cannot be captured by \
                         `loky::closure!`: call it by the name of a `fn`, or write its body here"
                    );
                }
                self.as_kind(|_, _| Ok(()))
            }
        }
    };
}

capture_function!();
capture_function!(A);
capture_function!(A B);
capture_function!(A B C);
capture_function!(A B C D);
capture_function!(A B C D E);
capture_function!(A B C D E F);
capture_function!(A B C D E F G);
capture_function!(A B C D E F G H);

macro_rules! next_step {
    ($Step:ident, $Next:ident) => {
        impl<'v, T> Deref for $Step<'v, T> {
            type Target = $Next<'v, T>;

            fn deref(&self) -> &$Next<'v, T> {
                &self.0
            }
        }
    };
}

next_step!(OfNested, OfMutable);
next_step!(OfMutable, OfReference);
next_step!(OfReference, OfSlice);
next_step!(OfSlice, OfUnsized);
next_step!(OfUnsized, OfFunction);
next_step!(OfFunction, OfValue);
