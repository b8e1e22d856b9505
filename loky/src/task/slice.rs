//! What owns a slice that is lent to a task: the vector that it arrived as; or, if it is one of numbers, the row, which
//! begins on a cache line, or memory that all processes share.

use std::ops::Deref;

use crate::shared::live::Stretch;
use crate::sys::plain;
use crate::sys::pod::{self, Identity};
use crate::sys::row::Row;

/// See the module.
#[derive(Debug)]
pub struct SliceOwner<T>(Owner<T>);

#[derive(Debug)]
enum Owner<T> {
    Own(Vec<T>),
    /// Is known to be numbers of this type.
    Row(Row),
    /// Is known to be elements of this type; with which type that is, unless it is a number.
    Shared(Stretch, Option<Identity>),
}

impl<T> SliceOwner<T> {
    pub(super) const fn of(values: Vec<T>) -> Self {
        Self(Owner::Own(values))
    }

    /// An error if that is no slice of `T`.
    pub(super) fn of_row(row: Row) -> Result<Self, String> {
        match plain::slice_of::<T>(row.bytes()) {
            Some(_) => Ok(Self(Owner::Row(row))),
            None => Err("there are other numbers in its place".to_string()),
        }
    }

    /// Likewise of `T` that is a number, unless it is said what it is.
    pub(super) fn of_stretch(stretch: Stretch, identity: Option<Identity>) -> Result<Self, String> {
        match slice_of::<T>(&stretch, identity) {
            Some(_) => Ok(Self(Owner::Shared(stretch, identity))),
            None => Err("there is a range of a `loky::Shared` in its place, of other elements".to_string()),
        }
    }
}

fn slice_of<T>(stretch: &Stretch, identity: Option<Identity>) -> Option<&[T]> {
    match identity {
        None => plain::slice_of(stretch.bytes()),
        Some(identity) => pod::slice_of(stretch.bytes(), identity),
    }
}

impl<T> Deref for SliceOwner<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        match &self.0 {
            Owner::Own(values) => values,
            Owner::Row(row) => plain::slice_of(row.bytes()).expect("it was found out that it is a slice of `T`"),
            Owner::Shared(stretch, identity) => {
                slice_of(stretch, *identity).expect("it was found out that it is a slice of `T`")
            }
        }
    }
}
