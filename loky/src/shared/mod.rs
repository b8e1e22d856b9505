//! What travels beside the bytes of a value: large read-only data that costs nothing to pass, since every process maps
//! the same memory, and descriptors.
//!
//! `segment` is the memory and who is to be told of its end, `passing` how it travels beside the bytes of a value, `live`
//! where it lies. Links, workers and calls are not known here.

mod fd;
pub(crate) mod live;
pub(crate) mod passing;
pub(crate) mod segment;
mod serial;

use std::fs::File;
use std::ops::{Bound, Deref, RangeBounds};
use std::path::Path;
use std::sync::Arc;
use std::{fmt, io};

use bytemuck::Pod;

pub use self::fd::Fd;
use self::segment::Segment;
use crate::sys::conjure::repeat;

/// A read-only array of plain data that all processes share: passing it to a task, or returning it from one, copies
/// nothing, whatever its size.
///
/// It derefs to `[T]`, and a clone shares the memory. A task may take it as a `&[T]`, too: of a slice of numbers that lies
/// inside of a `Shared` only the range travels, if it has 16 KiB or more. It is accepted wherever a value can stand in an argument, in a
/// capture of a [`closure!`](crate::closure!) or in a result, also inside of structures and collections. A worker maps
/// the memory when it first sees it and keeps the mapping as long as somebody in the parent holds the value, so to pass it
/// again costs no more than to pass a few numbers. When the last holder, in whichever process, is gone, so is the memory,
/// however that process ended.
///
/// The memory is anonymous (no name, no file), aligned to a page, and sealed: no process can change it any more, neither
/// this one nor a worker that runs wild. `T` is [`Pod`]: plain data of which any bytes are a value, such as numbers and
/// arrays of them. An element must not need a greater alignment than 4096 bytes.
///
/// # Limits
///
/// Each `Shared`, clones aside, needs one descriptor in each process that holds it; `RLIMIT_NOFILE` bounds how many
/// there can be at once. Many small arrays are better passed as what they are, or as ranges of a large one, see
/// [`slice`](Self::slice).
///
/// # Examples
///
/// ```no_run
/// use loky::prelude::*;
/// use loky::Shared;
///
/// #[loky::task]
/// fn sum(numbers: Shared<f64>, from: usize, to: usize) -> f64 {
///     numbers[from..to].iter().sum()
/// }
///
/// # fn demo() -> Result<(), loky::Error> {
/// let numbers = Shared::from_vec(vec![0.5; 1 << 26]);
/// let halves = [(0, 1 << 25), (1 << 25, 1 << 26)].map(|(from, to)| sum.spawn(numbers.clone(), from, to));
/// let total: f64 = loky::join_all(halves)?.iter().sum();
/// # Ok(())
/// # }
/// ```
pub struct Shared<T> {
    /// `None` where there are no bytes.
    segment: Option<Arc<Segment>>,
    /// In bytes; a multiple of the size of a `T`.
    offset: usize,
    /// In elements.
    len: usize,
    of: std::marker::PhantomData<fn() -> T>,
}

impl<T: Pod> Shared<T> {
    /// The elements of `values`, which are copied once.
    ///
    /// # Panics
    ///
    /// If there is no memory or no descriptor for it; see [`try_from_vec`](Self::try_from_vec).
    pub fn from_vec(values: Vec<T>) -> Self {
        Self::from_slice(&values)
    }

    /// The elements of `values`, which are copied once.
    ///
    /// # Panics
    ///
    /// If there is no memory or no descriptor for it; see [`try_from_slice`](Self::try_from_slice).
    pub fn from_slice(values: &[T]) -> Self {
        Self::try_from_slice(values).unwrap_or_else(|why| refuse(size_of_val(values), &why))
    }

    /// The elements of `values`, which are copied once.
    ///
    /// # Errors
    ///
    /// There is no memory for it, or no descriptor.
    pub fn try_from_vec(values: Vec<T>) -> io::Result<Self> {
        Self::try_from_slice(&values)
    }

    /// The elements of `values`, which are copied once.
    ///
    /// # Errors
    ///
    /// There is no memory for it, or no descriptor.
    pub fn try_from_slice(values: &[T]) -> io::Result<Self> {
        const { Self::CAN_BE_MAPPED };
        Ok(Self::whole(Segment::of_bytes(bytemuck::cast_slice(values))?, values.len()))
    }

    /// `len` elements, which `fill` writes in their place, so that they are never copied. It finds them all zero.
    ///
    /// # Errors
    ///
    /// There is no memory for it, or no descriptor. If `fill` could not be called, nothing was lost.
    ///
    /// # Panics
    ///
    /// If `fill` does.
    ///
    /// # Examples
    ///
    /// ```
    /// let squares = loky::Shared::build(100, |squares: &mut [u64]| {
    ///     squares.iter_mut().enumerate().for_each(|(at, square)| *square = (at * at) as u64);
    /// })?;
    /// assert_eq!(squares[9], 81);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn build(len: usize, fill: impl FnOnce(&mut [T])) -> io::Result<Self> {
        const { Self::CAN_BE_MAPPED };
        let bytes = size_of::<T>().checked_mul(len).ok_or(io::ErrorKind::OutOfMemory)?;
        if bytes == 0 {
            fill(&mut vec![T::zeroed(); len]);
            return Ok(Self::whole(None, len));
        }
        let segment = Segment::filled(bytes, |bytes| fill(bytemuck::cast_slice_mut(bytes)))?;
        Ok(Self::whole(segment, len))
    }

    /// The file at `path`, as an array of its bytes. It is mapped and not read: what is never looked at never leaves
    /// the disk, and what workers look at is in memory once.
    ///
    /// # The file must stay as it is
    ///
    /// As long as there is a `Shared` of it, in whichever process, nobody may write to the file or make it shorter. No
    /// kernel can be asked to see to that, so it is for you to promise. A file that is written to anyhow makes elements
    /// change under a `&[T]`, which nothing in this program expects; one that is made shorter ends a process that looks
    /// beyond its end by a SIGBUS, which in a worker costs the call. To replace a file by renaming another one is fine.
    /// Where you cannot promise it, read the file and use [`from_vec`](Self::from_vec).
    ///
    /// It cannot be the result of a task that has mapped it itself: its parent would have to rely on the worker. Return
    /// the path.
    ///
    /// # Errors
    ///
    /// The file cannot be opened for reading or mapped, is no regular file, or its length is no multiple of the size of
    /// a `T`, which must not be zero.
    pub fn map_file(path: impl AsRef<Path>) -> io::Result<Self> {
        const { Self::CAN_BE_MAPPED };
        let segment = Segment::of_file(File::open(path)?.into())?;
        let bytes = segment.as_ref().map_or(0, |segment| segment.bytes().len());
        if bytes.checked_rem(size_of::<T>()) != Some(0) {
            let why = format!("a file of {bytes} bytes is no array of elements of {} bytes", size_of::<T>());
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        Ok(Self::whole(segment, bytes / size_of::<T>()))
    }

    /// A part of it, of the same memory: what travels is the range.
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
    /// each item travels as a range.
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
        assert!(len > 0, "a chunk has at least one element");
        let (all, count) = (self.clone(), self.len.div_ceil(len));
        (0..count).map(move |at| all.slice(at * len..all.len.min((at + 1) * len)))
    }

    /// The memory, for tests of those who pass it on.
    #[cfg(test)]
    pub(crate) fn segment(&self) -> Option<Arc<Segment>> {
        self.segment.clone()
    }

    /// A page is aligned to this at least.
    const CAN_BE_MAPPED: () = assert!(align_of::<T>() <= 4096, "no element of a `Shared` is aligned beyond a page");

    const fn whole(segment: Option<Arc<Segment>>, len: usize) -> Self {
        Self { segment, offset: 0, len, of: std::marker::PhantomData }
    }
}

#[cold]
fn refuse(bytes: usize, why: &io::Error) -> ! {
    panic!("there is no room for {bytes} shared bytes: {why}")
}

impl<T: Pod> Deref for Shared<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        match &self.segment {
            Some(segment) => {
                bytemuck::cast_slice(&segment.bytes()[self.offset..self.offset + self.len * size_of::<T>()])
            }
            // Elements without bytes are as many as somebody likes.
            None if size_of::<T>() == 0 => repeat(T::zeroed(), self.len),
            None => &[],
        }
    }
}

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
