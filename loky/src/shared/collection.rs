//! What a [`Shared`] has in common with other collections, beyond that it is a slice.

use std::fmt;

use bytemuck::Pod;

use super::Shared;

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self { segment: self.segment.clone(), ..*self }
    }
}

/// Empty.
impl<T: Pod> Default for Shared<T> {
    fn default() -> Self {
        Self::whole(None, 0)
    }
}

impl<T: Pod> AsRef<[T]> for Shared<T> {
    fn as_ref(&self) -> &[T] {
        self
    }
}

impl<T: Pod> From<Vec<T>> for Shared<T> {
    /// As [`from_vec`](Self::from_vec).
    fn from(values: Vec<T>) -> Self {
        Self::from_vec(values)
    }
}

impl<T: Pod + PartialEq<U>, U: Pod> PartialEq<Shared<U>> for Shared<T> {
    fn eq(&self, other: &Shared<U>) -> bool {
        **self == **other
    }
}

impl<T: Pod + Eq> Eq for Shared<T> {}

impl<T: Pod + PartialEq<U>, U> PartialEq<[U]> for Shared<T> {
    fn eq(&self, other: &[U]) -> bool {
        **self == *other
    }
}

impl<T: Pod + PartialEq<U>, U> PartialEq<Vec<U>> for Shared<T> {
    fn eq(&self, other: &Vec<U>) -> bool {
        **self == **other
    }
}

impl<'a, T: Pod> IntoIterator for &'a Shared<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: Pod + fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
