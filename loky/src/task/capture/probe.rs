//! Which kind of capture a variable is, found by method resolution, since the macro sees only names.
//!
//! Every step has a method `caught` for one sort of types; where it has none, the next step is found by dereferencing.
//! No step asks whether the type can travel: a `&T` is captured as a reference or not at all, so a `T` that cannot is
//! reported as what it is.

use std::marker::PhantomData;
use std::ops::Deref;

use super::Caught;
use super::kinds::{ByReference, ByType, ByValue};
use crate::arity::for_each_arity;

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
    /// Captures the value.
    pub const fn caught(&self) -> Caught<'v, ByValue, T, T> {
        self.of(self.value)
    }

    const fn of<Way, W: ?Sized, Owner>(&self, value: &'v W) -> Caught<'v, Way, W, Owner> {
        Caught { name: self.name, value, kind: PhantomData }
    }
}

impl<'v, T: ?Sized> OfNested<'v, &&T> {
    /// Says that it cannot be. What it would be is left open, so that nothing that follows can complain, too.
    pub fn caught<Way, W, Owner>(&self) -> Caught<'v, Way, W, Owner>
    where
        T: Nested,
    {
        unreachable!("no type is `Nested`")
    }
}

impl<'v, T: ?Sized> OfMutable<'v, &mut T> {
    /// Says that it cannot be, likewise.
    pub fn caught<Way, W, Owner>(&self) -> Caught<'v, Way, W, Owner>
    where
        T: Changed,
    {
        unreachable!("no type is `Changed`")
    }
}

impl<'v, T> OfReference<'v, &T> {
    /// Captures what it points to.
    pub fn caught(&self) -> Caught<'v, ByReference, T, T> {
        self.of(self.value)
    }
}

impl<'v, T> OfSlice<'v, &[T]> {
    /// Captures the elements.
    pub fn caught(&self) -> Caught<'v, ByReference, [T], Vec<T>> {
        self.of(self.value)
    }
}

impl<'v, T: ?Sized + ToOwned> OfUnsized<'v, &T> {
    /// Captures what it points to.
    pub fn caught(&self) -> Caught<'v, ByReference, T, T::Owned> {
        self.of(self.value)
    }
}

/// Nothing: a `&&Self` cannot be captured, and there is always a way to do without.
#[diagnostic::on_unimplemented(
    message = "`&&{Self}` cannot be captured",
    label = "a reference to a reference",
    note = "capture the inner one: `let name = *name;` before the closure"
)]
pub trait Nested {}

/// Nothing: a `&mut Self` cannot be captured.
#[diagnostic::on_unimplemented(
    message = "`&mut {Self}` cannot be captured",
    label = "cannot be changed from another process",
    note = "capture a plain reference, `let name = &*name;` before the closure, and return what is to be changed"
)]
pub trait Changed {}

/// Types that no variable has. With two of them, a variable of a type that is not known, because it is an error itself,
/// is no second error.
#[derive(Debug)]
pub enum Somebody {}

/// See [`Somebody`].
#[derive(Debug)]
pub enum Nobody {}

#[diagnostic::do_not_recommend]
impl Nested for Somebody {}

#[diagnostic::do_not_recommend]
impl Nested for Nobody {}

#[diagnostic::do_not_recommend]
impl Changed for Somebody {}

#[diagnostic::do_not_recommend]
impl Changed for Nobody {}

/// A function that is known by its type alone.
#[diagnostic::on_unimplemented(
    message = "a closure that captures something cannot be captured itself",
    label = "cannot travel to another process",
    note = "make it a `fn` that takes what it captures, or write its body here"
)]
pub trait Bare: Copy + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Copy + 'static> Bare for T {}

/// A step of its own for functions, since a method alone cannot ask what arguments they take.
pub trait CaptureFunction<'v, Arguments> {
    /// The type of the function.
    type Item;

    /// Captures the function, which takes no bytes.
    fn caught(&self) -> Caught<'v, ByType<Self::Item>, (), ()>;
}

macro_rules! capture_function {
    ($arity:literal $(, $Argument:ident $A1:ident $a:ident)*) => {
        impl<'v, T, R, $($Argument),*> CaptureFunction<'v, ($($Argument,)*)> for OfFunction<'v, T>
        where
            T: Fn($($Argument),*) -> R + Bare,
        {
            type Item = T;

            fn caught(&self) -> Caught<'v, ByType<T>, (), ()> {
                const {
                    assert!(
                        size_of::<T>() == 0,
                        "a closure that captures something, or a pointer to a function, cannot be captured by \
                         `loky::closure!`: call it by the name of a `fn`, or write its body here"
                    );
                }
                self.of(&())
            }
        }
    };
}

for_each_arity!(from 0, capture_function);

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
