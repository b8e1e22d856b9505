//! What owns a slice that is lent to a task: the vector that it arrived as; or, if it is one of numbers, the row, which
//! begins on a cache line, or memory that all processes share.

use std::ops::Deref;

use crate::shared::live::Stretch;
use crate::sys::plain;
use crate::sys::row::Row;

/// See the module.
#[derive(Debug)]
pub struct SliceOwner<T>(Owner<T>);

#[derive(Debug)]
enum Owner<T> {
    Own(Vec<T>),
    /// Is known to be numbers of this type, as the next one is.
    Row(Row),
    Shared(Stretch),
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

    /// Likewise.
    pub(super) fn of_stretch(stretch: Stretch) -> Result<Self, String> {
        match plain::slice_of::<T>(stretch.bytes()) {
            Some(_) => Ok(Self(Owner::Shared(stretch))),
            None => Err("there is a range of numbers in its place, of other numbers".to_string()),
        }
    }
}

impl<T> Deref for SliceOwner<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        match &self.0 {
            Owner::Own(values) => values,
            Owner::Row(row) => known(row.bytes()),
            Owner::Shared(stretch) => known(stretch.bytes()),
        }
    }
}

fn known<T>(bytes: &[u8]) -> &[T] {
    plain::slice_of(bytes).expect("it was found out that it is a slice of `T`")
}
