//! Tuples as the arguments of a task: each part stands for one, as itself, as a reference, or as the owner of what the
//! task borrows.
//!
//! Nothing here knows the task.

use std::path::{Path, PathBuf};

use bytemuck::Pod;
use serde::Serialize;

use crate::arity::for_each_arity;
use crate::error::Error;
use crate::shared::Shared;
use crate::task::{ArgumentWriter, encode_arguments_into};
use crate::wire::body::Encoded;

/// An item that supplies the arguments of one call.
#[diagnostic::on_unimplemented(
    message = "an item of type `{Self}` does not supply the arguments `{Arguments}` of the task",
    note = "a task of one argument takes the items as they are or by reference, one of several arguments takes tuples"
)]
pub trait Supplies<Arguments> {
    /// Appends the encoded arguments; on an error, nothing is appended.
    #[doc(hidden)]
    fn encode_into(&self, encoded: &mut Encoded) -> Result<(), Error>;
}

/// A value that can stand for an argument of type `A`, because it is encoded alike.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand for an argument of type `{A}`",
    note = "a `T` or `&T` can stand for `T` and for `&T`, a `String` for `&str`, a `Vec<T>` for `&[T]`"
)]
pub trait EncodesAs<A> {
    /// The view that is encoded.
    #[doc(hidden)]
    type View: Serialize + ?Sized;

    #[doc(hidden)]
    fn view(&self) -> &Self::View;

    #[doc(hidden)]
    #[inline]
    fn write(&self, writer: &mut ArgumentWriter<'_>) {
        writer.write(self.view());
    }
}

macro_rules! encodes_as {
    ($([$($generics:tt)*] $Owner:ty, as $A:ty, by $View:ty;)*) => {$(
        impl<$($generics)*> EncodesAs<$A> for $Owner {
            type View = $View;

            fn view(&self) -> &$View {
                self
            }
        }
    )*};
}

// No two of these overlap: a type is never a reference to itself, and `str`, `[T]` and `Path` are not `Sized`.
encodes_as! {
    [T: Serialize] T, as T, by T;
    [T: Serialize] &T, as T, by T;
    [T: Serialize] T, as &T, by T;
    [] String, as &str, by str;
    [] &String, as &str, by str;
    [] &str, as String, by str;
    [T: Serialize] Vec<T>, as &[T], by [T];
    [T: Serialize] &Vec<T>, as &[T], by [T];
    [T: Serialize] &[T], as Vec<T>, by [T];
    [T: Serialize, const N: usize] [T; N], as &[T], by [T];
    [] PathBuf, as &Path, by Path;
    [] &PathBuf, as &Path, by Path;
    [] &Path, as PathBuf, by Path;
}

/// The range travels, if it is worth it.
macro_rules! shared_encodes_as_slice {
    ($($Owner:ty),*) => {$(
        impl<T: Pod + Serialize> EncodesAs<&[T]> for $Owner {
            type View = [T];

            fn view(&self) -> &[T] {
                self
            }

            fn write(&self, writer: &mut ArgumentWriter<'_>) {
                // As a reference to a slice, by which it is known that it will be lent.
                let slice: &[T] = self;
                writer.write(&slice);
            }
        }
    )*};
}

shared_encodes_as_slice!(Shared<T>, &Shared<T>);

impl<T: Serialize, const N: usize> EncodesAs<&[T]> for &[T; N] {
    type View = [T];

    fn view(&self) -> &[T] {
        *self
    }
}

macro_rules! several {
    ($arity:literal, $($A:ident $X:ident $x:ident),*) => {
        impl<$($A, $X,)*> Supplies<($($A,)*)> for ($($X,)*)
        where
            $($X: EncodesAs<$A>,)*
        {
            fn encode_into(&self, encoded: &mut Encoded) -> Result<(), Error> {
                let ($($x,)*) = self;
                encode_arguments_into(encoded, |writer| {$(EncodesAs::<$A>::write($x, writer);)*})
            }
        }

        impl<'item, $($A, $X,)*> Supplies<($($A,)*)> for &'item ($($X,)*)
        where
            $(&'item $X: EncodesAs<$A>,)*
        {
            fn encode_into(&self, encoded: &mut Encoded) -> Result<(), Error> {
                let ($($x,)*) = self;
                encode_arguments_into(encoded, |writer| {$(EncodesAs::<$A>::write(&$x, writer);)*})
            }
        }
    };
}

for_each_arity!(from 2, several);
