//! The kinds of captures: a value, a reference to one of three sorts of things, a function.
//!
//! A value is decoded for each call anew, since the call may change it or give it away. What a reference points to is
//! decoded once and lent to every call. A function has no bytes; its type is known in every process.

use std::borrow::Borrow;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::arguments::ArgumentReader;
use super::super::contain::contain;
use super::super::entry::Fault;
use super::Capture;
use crate::sys::conjure::conjure;
use crate::wire::codec;

/// What a closure can capture, as a value or behind a reference: what serde can write and read back.
///
/// `M` is always inferred. It is there because the compiler believes in the only implementation that there is, even of
/// what cannot be captured, and then complains about all that follows from it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be captured",
    label = "cannot travel to another process",
    note = "a capture needs `serde::Serialize` and `serde::Deserialize`: add `#[derive(Serialize, Deserialize)]` to its type; of one that is not yours, capture what is in it"
)]
pub trait Capturable<M>: Serialize + DeserializeOwned + 'static {
    /// A `Self`.
    type AsValue: Capture;
    /// A `&Self`.
    type AsReference: Capture;
    /// A `&[Self]`.
    type AsSlice: Capture;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + 'static> Capturable<Somebody> for T {
    type AsValue = Value<T>;
    type AsReference = Reference<T>;
    type AsSlice = SliceReference<T>;
}

#[diagnostic::do_not_recommend]
impl<T: Nested + Serialize + DeserializeOwned + 'static> Capturable<Nobody> for T {
    type AsValue = ();
    type AsReference = ();
    type AsSlice = ();
}

/// What a closure can capture only behind a reference, such as `str` and `Path`; `M` as that of [`Capturable`].
#[diagnostic::on_unimplemented(
    message = "`&{Self}` cannot be captured",
    label = "cannot travel to another process",
    note = "what has no size of its own needs `serde::Serialize`, and an owned type, by `ToOwned`, that has `serde::Deserialize`"
)]
pub trait Lendable<M>: Serialize + ToOwned<Owned: DeserializeOwned + 'static> + 'static {
    /// A `&Self`.
    type AsReference: Capture;
}

#[diagnostic::do_not_recommend]
impl<T: ?Sized + Serialize + ToOwned<Owned: DeserializeOwned + 'static> + 'static> Lendable<Somebody> for T {
    type AsReference = UnsizedReference<T>;
}

#[diagnostic::do_not_recommend]
impl<T> Lendable<Nobody> for T
where
    T: ?Sized + Nested + Serialize + ToOwned<Owned: DeserializeOwned + 'static> + 'static,
{
    type AsReference = ();
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

/// A variable that holds a value.
#[derive(Debug)]
pub struct Value<T>(PhantomData<fn() -> T>);

impl<T: Capturable<Somebody>> Capture for Value<T> {
    type Owner = Vec<u8>;
    type Lent<'a> = T;

    fn read(reader: &mut ArgumentReader<'_>) -> Result<Vec<u8>, Fault> {
        next(reader).map(<[u8]>::to_vec)
    }

    fn lend(bytes: &Vec<u8>) -> Result<T, Fault> {
        decode(bytes)
    }
}

/// A reference to what has a size, which need not be `Clone`.
#[derive(Debug)]
pub struct Reference<T: ?Sized>(PhantomData<fn(&T)>);

impl<T: Capturable<Somebody>> Capture for Reference<T> {
    type Owner = T;
    type Lent<'a> = &'a T;

    fn read(reader: &mut ArgumentReader<'_>) -> Result<T, Fault> {
        decode(next(reader)?)
    }

    fn lend(owner: &T) -> Result<&T, Fault> {
        Ok(owner)
    }
}

/// A slice, whose elements need not be `Clone`.
#[derive(Debug)]
pub struct SliceReference<T>(PhantomData<fn(&T)>);

impl<T: Capturable<Somebody>> Capture for SliceReference<T> {
    type Owner = Vec<T>;
    type Lent<'a> = &'a [T];

    fn read(reader: &mut ArgumentReader<'_>) -> Result<Vec<T>, Fault> {
        decode(next(reader)?)
    }

    fn lend(owner: &Vec<T>) -> Result<&[T], Fault> {
        Ok(owner)
    }
}

/// A reference to what has no size of its own.
#[derive(Debug)]
pub struct UnsizedReference<T: ?Sized>(PhantomData<fn(&T)>);

impl<T: ?Sized + Lendable<Somebody>> Capture for UnsizedReference<T> {
    type Owner = T::Owned;
    type Lent<'a> = &'a T;

    fn read(reader: &mut ArgumentReader<'_>) -> Result<T::Owned, Fault> {
        decode(next(reader)?)
    }

    fn lend(owner: &T::Owned) -> Result<&T, Fault> {
        Ok(owner.borrow())
    }
}

/// A function that is used as a value.
#[derive(Debug)]
pub struct Function<T>(PhantomData<fn() -> T>);

impl<T: Copy + 'static> Capture for Function<T> {
    type Owner = ();
    type Lent<'a> = T;

    fn read(_: &mut ArgumentReader<'_>) -> Result<(), Fault> {
        Ok(())
    }

    fn lend(&(): &()) -> Result<T, Fault> {
        Ok(conjure())
    }
}

fn next<'b>(reader: &mut ArgumentReader<'b>) -> Result<&'b [u8], Fault> {
    reader.next().ok_or_else(|| Fault::Decode("a captured value is missing".into()))
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    let wrong = |why| Fault::Decode(format!("a captured `{}`: {why}", std::any::type_name::<T>()));
    contain(|| codec::decode(bytes)).map_err(wrong)
}
