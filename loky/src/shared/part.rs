//! Parts of a [`Shared`], of the same memory.

use std::ops::{Bound, RangeBounds};

use bytemuck::Pod;

use super::Shared;

impl<T: Pod> Shared<T> {
    /// A part of it, of the same memory: what travels is the range. Takes the same few nanoseconds whatever its length.
    ///
    /// # Panics
    ///
    /// If the range is not within `0..len`, as slices do.
    ///
    /// # Examples
    ///
    /// ```
    /// let all = loky::Shared::from_vec(vec![1, 2, 3, 4]);
    /// assert_eq!(all.slice(1..3)[..], [2, 3]);
    /// ```
    #[must_use]
    pub fn slice(&self, range: impl RangeBounds<usize>) -> Self {
        let start = match range.start_bound() {
            Bound::Included(&at) => at,
            Bound::Excluded(&at) => at + 1,
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(&at) => at + 1,
            Bound::Excluded(&at) => at,
            Bound::Unbounded => self.len,
        };
        let len = self[start..end].len();
        Self {
            segment: self.segment.clone(),
            offset: self.offset + start * size_of::<T>(),
            len,
            ..Self::whole(None, 0)
        }
    }

    /// Parts of it, each of `len` elements, the last one maybe shorter: for [`par_map`](crate::ParMap::par_map), so that
    /// each item travels as a range. The task may take a `Shared<T>`, or borrow a `&[T]`.
    ///
    /// # Panics
    ///
    /// If `len` is zero.
    ///
    /// # Examples
    ///
    /// ```
    /// let all = loky::Shared::from_vec(vec![1, 2, 3, 4, 5]);
    /// let sums: Vec<i32> = all.par_chunks(2).map(|part| part.iter().sum()).collect();
    /// assert_eq!(sums, [3, 7, 5]);
    /// ```
    pub fn par_chunks(&self, len: usize) -> impl ExactSizeIterator<Item = Self> + use<T> {
        assert!(len > 0, "`par_chunks(0)`: a chunk has at least one element");
        let (all, count) = (self.clone(), self.len.div_ceil(len));
        (0..count).map(move |at| all.slice(at * len..all.len.min((at + 1) * len)))
    }
}
