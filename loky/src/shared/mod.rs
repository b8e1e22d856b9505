//! What travels beside the bytes of a value: large read-only data that costs nothing to pass, since every process maps
//! the same memory, and descriptors.
//!
//! `segment` is the memory and who is to be told of its end, `passing` how it travels beside the bytes of a value
//! (`enclosed` there, `arrival` here), `live` where it lies. Links, workers and calls are not known here.

mod arrival;
mod collection;
mod enclosed;
pub(crate) mod exhaustion;
mod fd;
pub(crate) mod live;
mod make;
mod part;
pub(crate) mod passing;
pub(crate) mod segment;
mod serial;
#[cfg(feature = "cluster")]
pub(crate) mod travel;

use std::ops::Deref;
use std::sync::Arc;

use bytemuck::Pod;

pub use self::fd::Fd;
use self::segment::Segment;
use crate::sys::conjure::repeat;

/// A read-only array of plain data that all processes share: passing it to a task, or returning it from one, copies
/// nothing, whatever its size.
///
/// It derefs to `[T]`, and a clone shares the memory. A task may take it as a `&[T]`, too: of a slice that lies inside of
/// a `Shared`, of its elements or of numbers, only the range travels, if it has 16 KiB or more. It is accepted wherever a
/// value can stand in an argument, in a capture of a [`closure!`](crate::closure!) or in a result, also inside of
/// structures and collections. A worker maps the memory when it first sees it and keeps the mapping as long as somebody
/// in the parent holds the value, so to pass it again costs no more than to pass a few numbers. When the last holder, in
/// whichever process, is gone, so is the memory, however that process ended.
///
/// The memory is anonymous (no name, no file), aligned to a page, and sealed: no process can change it any more, neither
/// this one nor a worker that runs wild. `T` is [`Pod`]: plain data of which any bytes are a value, such as numbers and
/// arrays of them. An element must not need a greater alignment than 4096 bytes.
///
/// # Limits
///
/// Each `Shared`, clones aside, needs one descriptor in each process that holds it; `RLIMIT_NOFILE` bounds how many
/// there can be at once: beyond it a call is over with [`ErrorKind::OutOfResources`](crate::ErrorKind::OutOfResources),
/// and the next one can have what has become free. Many small arrays are better passed as what they are, or as ranges of
/// a large one, see [`slice`](Self::slice).
///
/// # If the worker dies
///
/// Its mapping goes with it. The memory stays as long as anybody else holds the value; a `Shared` that only the dead worker
/// held, a result that had not been sent for instance, is gone.
///
/// # Examples
///
/// ```
/// use loky::prelude::*;
/// use loky::Shared;
///
/// #[loky::task]
/// fn sum(numbers: Shared<f64>, from: usize, to: usize) -> f64 {
///     numbers[from..to].iter().sum()
/// }
///
/// # loky::main! { fn main() -> Result<(), loky::Error> {
/// let numbers = Shared::from_vec(vec![0.5; 1 << 20]);
/// let halves = [(0, 1 << 19), (1 << 19, 1 << 20)].map(|(from, to)| sum.spawn(numbers.clone(), from, to));
/// let total: f64 = loky::join_all(halves)?.iter().sum();
/// assert_eq!(total, 524288.0);
/// # Ok(()) } }
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
