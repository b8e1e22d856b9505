//! What a closure captures, and how it travels: encoded where the closure is made, bound again where it runs.
//!
//! Captures are pairs of all that came before and one more, `(((), A), B)`, so that generated code can bind their names
//! in one pattern of the same form. Each kind of capture says what it is encoded from, and what a call is given for it.
//! Nothing here knows what the closure does.

mod kinds;
mod probe;
#[cfg(test)]
mod tests;

use std::marker::PhantomData;

pub use kinds::{ByReference, ByType, ByValue, Capturable, Kind, Passing, passing};
pub use probe::{
    Bare, CaptureFunction, Changed, Nested, Nobody, OfFunction, OfMutable, OfNested, OfReference, OfSlice, OfUnsized,
    OfValue, Somebody, probe,
};

use super::arguments::{self, ArgumentReader};
use super::entry::Fault;
use crate::error::Error;
use crate::wire::body::Encoded;

/// A capture, or all captures of a closure, as the worker has them.
pub trait Capture {
    /// What is read once, and lasts as long as calls are given something from it.
    type Owner: 'static;
    /// What a call is given.
    type Lent<'a>;

    /// The next captures.
    ///
    /// # Errors
    ///
    /// There are none, or they are others.
    fn read(reader: &mut ArgumentReader<'_>) -> Result<Self::Owner, Fault>;

    /// What one call is given: a value of its own, or a reference to what all calls share.
    ///
    /// # Errors
    ///
    /// The bytes are not a value of this type.
    fn lend(owner: &Self::Owner) -> Result<Self::Lent<'_>, Fault>;
}

impl Capture for () {
    type Owner = ();
    type Lent<'a> = ();

    fn read(_: &mut ArgumentReader<'_>) -> Result<(), Fault> {
        Ok(())
    }

    fn lend(&(): &()) -> Result<(), Fault> {
        Ok(())
    }
}

impl<Others: Capture, Kind: Capture> Capture for (Others, Kind) {
    type Owner = (Others::Owner, Kind::Owner);
    type Lent<'a> = (Others::Lent<'a>, Kind::Lent<'a>);

    fn read(reader: &mut ArgumentReader<'_>) -> Result<Self::Owner, Fault> {
        Ok((Others::read(reader)?, Kind::read(reader)?))
    }

    fn lend((others, owner): &Self::Owner) -> Result<Self::Lent<'_>, Fault> {
        Ok((Others::lend(others)?, Kind::lend(owner)?))
    }
}

/// A variable that is to be captured: what of it is written, and as what it is read.
#[derive(Debug)]
pub struct Caught<'v, Way, T: ?Sized, Owner> {
    name: &'static str,
    value: &'v T,
    kind: PhantomData<fn() -> (Way, Owner)>,
}

/// The encoded captures of a closure; `C` says how to read them.
#[derive(Debug)]
pub struct Captured<C> {
    encoded: Encoded,
    /// What went wrong first; nothing is encoded after it.
    fault: Option<String>,
    kinds: PhantomData<fn() -> C>,
}

/// No captures so far.
#[must_use]
pub const fn captures() -> Captured<()> {
    Captured { encoded: Encoded::NONE, fault: None, kinds: PhantomData }
}

impl<C> Captured<C> {
    /// Encodes one more, which passes as `passing` says.
    #[must_use]
    pub fn and<Way, T: ?Sized, Owner, P>(
        mut self,
        caught: Caught<'_, Way, T, Owner>,
        passing: P,
    ) -> Captured<(C, Kind<Way, T, Owner, P>)>
    where
        P: Fn() -> Passing<T, Owner>,
    {
        if self.fault.is_none() {
            let written = (passing().write)(&mut self.encoded, caught.value);
            self.fault = written.err().map(|why| format!("captured `{}` cannot be encoded: {why}", caught.name));
        }
        Captured { encoded: self.encoded, fault: self.fault, kinds: PhantomData }
    }

    /// What [`Capture::read`] of `C` reads; an error if a capture refused to be encoded.
    pub(crate) fn into_encoded(self) -> Result<Encoded, Error> {
        match self.fault {
            None => Ok(self.encoded),
            Some(why) => Err(arguments::cannot_be_started(&why)),
        }
    }
}

/// Who a closure is: a type that generated code makes for it alone.
pub trait Named: 'static {
    /// The name in errors and logs.
    const NAME: &'static str;
    /// File, line and column of the macro.
    const PLACE: (&'static str, u32, u32);
    /// The version of the crate that it stands in.
    const VERSION: &'static str;
}

/// The code around a closure, which captures nothing: all that the closure does was found and is encoded.
#[diagnostic::on_unimplemented(
    message = "`loky::closure!` did not find everything that this closure captures",
    label = "captures something that was not found",
    note = "list what it captures: `loky::closure!([name, …] |…| …)`"
)]
pub trait Glue: Copy + 'static {
    /// Evaluated where a closure is made: what is `Copy` could still be missing.
    const CAPTURES_NOTHING: () = assert!(
        size_of::<Self>() == 0,
        "`loky::closure!` did not find everything that this closure captures: list it, `loky::closure!([name, …] |…| …)`"
    );
}

#[diagnostic::do_not_recommend]
impl<G: Copy + 'static> Glue for G {}
