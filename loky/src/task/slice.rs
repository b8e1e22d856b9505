//! What owns a slice that is lent to a task: the vector that it arrived as, or memory that all processes share.

use std::ops::Deref;

use crate::shared::live::Stretch;
use crate::sys::plain;
use crate::sys::pod::{self, Identity};

/// See the module.
#[derive(Debug)]
pub struct SliceOwner<T>(Owner<T>);

#[derive(Debug)]
enum Owner<T> {
    Own(Vec<T>),
    /// Is known to be elements of this type; with which type that is, unless it is a number.
    Shared(Stretch, Option<Identity>),
}

impl<T> SliceOwner<T> {
    pub(super) const fn of(values: Vec<T>) -> Self {
        Self(Owner::Own(values))
    }

    /// An error if that is no slice of `T`, which is a number unless it is said what it is.
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
            Owner::Shared(stretch, identity) => {
                slice_of(stretch, *identity).expect("it was found out that it is a slice of `T`")
            }
        }
    }
}
