//! The kinds of captures: a value, a reference, a function.
//!
//! A value is decoded for each call anew, since the call may change it or give it away. What a reference points to is
//! decoded once and lent to every call. A function has no bytes; its type is known in every process.
//!
//! None of this has a bound that a user's type could miss. That a type can travel is asked for once, by [`passing`],
//! which stands in generated code at the name of the capture; what it gives travels in the type `P` of the function
//! there. Else a type that cannot travel would be reported at everything that is done with the closure.

use std::borrow::Borrow;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Capture;
use crate::sys::conjure::conjure;
use crate::task::arguments::{ArgumentReader, append};
use crate::task::contain::contain;
use crate::task::entry::Fault;
use crate::wire::body::Encoded;
use crate::wire::codec;

/// What a closure can capture, as a value or behind a reference: what serde can write, and read back as an `Owner`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be captured",
    label = "cannot travel to another process",
    note = "a capture needs `serde::Serialize` and `serde::Deserialize`: add `#[derive(Serialize, Deserialize)]` to its type; of one that is not yours, capture what is in it"
)]
pub trait Capturable<Owner>: Serialize {
    /// Decodes what was written of it.
    ///
    /// # Errors
    ///
    /// The bytes are something else.
    fn read(bytes: &[u8]) -> Result<Owner, Fault>;
}

#[diagnostic::do_not_recommend]
impl<T: ?Sized + Serialize, Owner: DeserializeOwned + 'static> Capturable<Owner> for T {
    fn read(bytes: &[u8]) -> Result<Owner, Fault> {
        let wrong = |why| Fault::Decode(format!("a captured `{}`: {why}", std::any::type_name::<Owner>()));
        contain(|| codec::decode(bytes)).map_err(wrong)
    }
}

/// How a capture passes: a `T` is written there, its `Owner` is read here.
#[derive(Debug)]
pub struct Passing<T: ?Sized, Owner> {
    pub(super) write: fn(&mut Encoded, &T) -> Result<(), String>,
    read: fn(&[u8]) -> Result<Owner, Fault>,
}

/// How a capture passes that can.
pub fn passing<T: ?Sized + Capturable<Owner>, Owner>() -> Passing<T, Owner> {
    Passing { write: append, read: T::read }
}

/// A capture, and by which `Way` a call is given it. `P` is the type of a function that returns a [`Passing`].
#[derive(Debug)]
pub struct Kind<Way, T: ?Sized, Owner, P>(PhantomData<fn(&T) -> Owner>, PhantomData<fn() -> (P, Way)>);

/// A variable that holds a value.
#[derive(Debug)]
pub enum ByValue {}

/// A variable that holds a reference.
#[derive(Debug)]
pub enum ByReference {}

/// A variable, or an item, that is a function of type `F`.
#[derive(Debug)]
pub struct ByType<F>(PhantomData<fn() -> F>);

impl<T, P: Fn() -> Passing<T, T> + Copy + 'static> Capture for Kind<ByValue, T, T, P> {
    type Owner = Vec<u8>;
    type Lent<'a> = T;

    fn read(reader: &mut ArgumentReader<'_>) -> Result<Vec<u8>, Fault> {
        next(reader).map(<[u8]>::to_vec)
    }

    fn lend(bytes: &Vec<u8>) -> Result<T, Fault> {
        (conjure::<P>()().read)(bytes)
    }
}

impl<T, Owner, P> Capture for Kind<ByReference, T, Owner, P>
where
    T: ?Sized + 'static,
    Owner: Borrow<T> + 'static,
    P: Fn() -> Passing<T, Owner> + Copy + 'static,
{
    type Owner = Owner;
    type Lent<'a> = &'a T;

    fn read(reader: &mut ArgumentReader<'_>) -> Result<Owner, Fault> {
        (conjure::<P>()().read)(next(reader)?)
    }

    fn lend(owner: &Owner) -> Result<&T, Fault> {
        Ok(owner.borrow())
    }
}

impl<F: Copy + 'static, P> Capture for Kind<ByType<F>, (), (), P> {
    type Owner = ();
    type Lent<'a> = F;

    fn read(reader: &mut ArgumentReader<'_>) -> Result<(), Fault> {
        next(reader).map(drop)
    }

    fn lend(&(): &()) -> Result<F, Fault> {
        Ok(conjure())
    }
}

fn next<'b>(reader: &mut ArgumentReader<'b>) -> Result<&'b [u8], Fault> {
    reader.next().ok_or_else(|| Fault::Decode("a captured value is missing".into()))
}
