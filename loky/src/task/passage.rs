//! How each parameter and the result of a task pass between processes, decided from their types alone.
//!
//! Generated code names the type of a parameter and gets a passage: functions that write, read and lend values of it.
//! The bounds stand only where a passage is made, at the user's own tokens; whatever is done with one needs no more
//! proof, so a type that cannot travel is reported once and in our words. Nothing here knows which task it serves.

use std::borrow::Borrow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::arguments::{ArgumentReader, ArgumentWriter};
use super::entry::Fault;
use super::slice::SliceOwner;
use super::value::{self, Written};

/// What can be an argument of a task: what serde can write and read back.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a task",
    label = "cannot travel to another process",
    note = "an argument needs `serde::Serialize` and `serde::Deserialize`: add `#[derive(Serialize, Deserialize)]` to its type; of one that is not yours, send what is in it"
)]
pub trait Argument: Serialize + DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Argument for T {}

/// What can be given to a task: an [`Argument`], or a reference to what is sent.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a task",
    label = "cannot travel to another process",
    note = "an argument needs `serde::Serialize` and `serde::Deserialize`: add `#[derive(Serialize, Deserialize)]` to its type; of one that is not yours, send what is in it"
)]
pub trait Sent: Serialize {}

#[diagnostic::do_not_recommend]
impl<T: Serialize> Sent for T {}

/// What can be the result of a task: what serde can write and read back.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of a task",
    label = "cannot travel back from another process",
    note = "a result needs `serde::Serialize` and `serde::Deserialize`: add `#[derive(Serialize, Deserialize)]` to its type; of one that is not yours, return what is in it, such as the text of an error"
)]
pub trait Returned: Serialize + DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Returned for T {}

/// How values of a parameter `&T` pass: one is written there, its `Owner` is read here and lends a `&T`.
#[derive(Debug)]
pub struct Passage<T: ?Sized, Owner> {
    write: fn(&mut ArgumentWriter<'_>, &T),
    read: fn(&mut ArgumentReader<'_>) -> Result<Owner, Fault>,
    lend: fn(&Owner) -> &T,
}

impl<T: ?Sized, Owner> Passage<T, Owner> {
    fn new(lend: fn(&Owner) -> &T) -> Self
    where
        T: Serialize,
        Owner: DeserializeOwned,
    {
        Self { write: |writer, argument| writer.write(argument), read: |reader| reader.read(), lend }
    }

    /// Appends an argument.
    #[inline]
    pub fn write(&self, writer: &mut ArgumentWriter<'_>, argument: &T) {
        (self.write)(writer, argument);
    }

    /// The next argument.
    ///
    /// # Errors
    ///
    /// There is none, or it is another.
    #[inline]
    pub fn read(&self, reader: &mut ArgumentReader<'_>) -> Result<Owner, Fault> {
        (self.read)(reader)
    }

    /// Lends an argument that was read.
    #[inline]
    pub fn lend<'a>(&self, owner: &'a Owner) -> &'a T {
        (self.lend)(owner)
    }
}

/// How values of a parameter that is no reference pass: a `T` is given away there, and read here.
#[derive(Debug)]
pub struct Owned<T> {
    give: fn(&mut ArgumentWriter<'_>, T),
    read: fn(&mut ArgumentReader<'_>) -> Result<T, Fault>,
}

/// A parameter `T`.
pub fn owned<T: Argument>() -> Owned<T> {
    Owned { give: |writer, argument| writer.give(argument), read: |reader| reader.read() }
}

impl<T> Owned<T> {
    /// Appends an argument.
    #[inline]
    pub fn give(&self, writer: &mut ArgumentWriter<'_>, argument: T) {
        (self.give)(writer, argument);
    }

    /// The next argument.
    ///
    /// # Errors
    ///
    /// There is none, or it is another.
    #[inline]
    pub fn read(&self, reader: &mut ArgumentReader<'_>) -> Result<T, Fault> {
        (self.read)(reader)
    }
}

/// A parameter `&T`, whose owner is found by method resolution, since the macro sees only tokens.
///
/// A `T` of known size is its own owner and need not be `Clone`; neither need the elements of a slice. For the others
/// (`str`, `Path`) the method of the same name is found by dereferencing, and the owner is what `ToOwned` says.
pub struct Lent<T: ?Sized>(LentSlice<T>);

/// The second choice: a slice.
pub struct LentSlice<T: ?Sized>(LentUnsized<T>);

/// The last choice.
pub struct LentUnsized<T: ?Sized>(PhantomData<fn(&T)>);

impl<T: ?Sized> Lent<T> {
    /// The only value.
    pub const NEW: Self = Self(LentSlice(LentUnsized(PhantomData)));
}

impl<T> Lent<T> {
    /// How the parameter passes.
    pub fn passage(&self) -> Passage<T, T>
    where
        T: Argument,
    {
        Passage::new(|owner| owner)
    }
}

impl<T> LentSlice<[T]> {
    /// How the parameter passes.
    pub fn passage(&self) -> Passage<[T], SliceOwner<T>>
    where
        T: Argument,
    {
        Passage {
            // As a reference to a slice, by which it is known that it will be lent.
            write: |writer, argument| writer.write(&argument),
            read: |reader| reader.read_slice(),
            lend: |owner| owner,
        }
    }
}

impl<T: ?Sized> LentUnsized<T> {
    /// How the parameter passes.
    pub fn passage(&self) -> Passage<T, T::Owned>
    where
        T: ToOwned + Serialize,
        T::Owned: Argument,
    {
        Passage::new(|owner| owner.borrow())
    }
}

impl<T: ?Sized> Deref for Lent<T> {
    type Target = LentSlice<T>;

    fn deref(&self) -> &LentSlice<T> {
        &self.0
    }
}

impl<T: ?Sized> Deref for LentSlice<T> {
    type Target = LentUnsized<T>;

    fn deref(&self) -> &LentUnsized<T> {
        &self.0
    }
}

/// Appends the result of a task.
#[inline]
pub(crate) fn write_result<R: Returned>(written: &mut Written, result: R) -> Result<(), Fault> {
    value::write(written, result).map_err(Fault::Encode)
}

impl<T: ?Sized> fmt::Debug for Lent<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lent")
    }
}

impl<T: ?Sized> fmt::Debug for LentSlice<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LentSlice")
    }
}

impl<T: ?Sized> fmt::Debug for LentUnsized<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LentUnsized")
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde::Deserialize;

    use super::*;
    use crate::task::encode_arguments;

    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct NotClone(u8);

    /// Passes there and back, and shows what the task would be lent.
    fn passed<T: ?Sized, Owner>(passage: &Passage<T, Owner>, argument: &T, see: impl FnOnce(&T)) {
        let bytes = encode_arguments(|writer| passage.write(writer, argument)).unwrap();
        let mut reader = ArgumentReader::new(&bytes.bytes);
        let owner = passage.read(&mut reader).unwrap();
        reader.finish().unwrap();
        see(passage.lend(&owner));
    }

    #[test]
    fn each_borrowed_type_finds_its_owner() {
        passed(&Lent::<str>::NEW.passage(), "abc", |lent| assert_eq!(lent, "abc"));
        passed(&Lent::<[NotClone]>::NEW.passage(), &[NotClone(1)], |lent| assert_eq!(lent, [NotClone(1)]));
        passed(&Lent::<Path>::NEW.passage(), Path::new("a/b"), |lent| assert_eq!(lent, Path::new("a/b")));
        passed(&Lent::<Vec<u8>>::NEW.passage(), &vec![1], |lent| assert_eq!(lent, &[1]));
        passed(&Lent::<NotClone>::NEW.passage(), &NotClone(7), |lent| assert_eq!(lent.0, 7));
        let bytes = encode_arguments(|writer| owned().give(writer, NotClone(8))).unwrap();
        assert_eq!(owned::<NotClone>().read(&mut ArgumentReader::new(&bytes.bytes)).unwrap(), NotClone(8));
    }

    #[test]
    fn a_result_that_refuses_is_a_fault() {
        #[derive(Deserialize)]
        struct Refuses;
        impl Serialize for Refuses {
            fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("not today"))
            }
        }
        let fault = write_result(&mut Written::default(), Refuses).unwrap_err();
        assert!(matches!(&fault, Fault::Encode(why) if why.contains("not today")), "{fault:?}");
    }
}
