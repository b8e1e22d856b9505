//! Making a [`Shared`]: from what is there already, in its place, or of a file.

use std::fs::File;
use std::io;
use std::path::Path;

use bytemuck::Pod;

use super::Shared;
use super::segment::Segment;
use crate::sys::pod;

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
        pod::know::<T>();
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
        pod::know::<T>();
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
    ///
    /// # Examples
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("loky-doc-{}", std::process::id()));
    /// std::fs::write(&path, [1, 0, 2, 0])?;
    /// let numbers = loky::Shared::<u16>::map_file(&path)?;
    /// assert_eq!(numbers.iter().map(|number| u16::from_le(*number)).sum::<u16>(), 3);
    /// # std::fs::remove_file(path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn map_file(path: impl AsRef<Path>) -> io::Result<Self> {
        const { Self::CAN_BE_MAPPED };
        pod::know::<T>();
        let segment = Segment::of_file(File::open(path)?.into())?;
        let bytes = segment.as_ref().map_or(0, |segment| segment.bytes().len());
        if bytes.checked_rem(size_of::<T>()) != Some(0) {
            let why = format!("a file of {bytes} bytes is no array of elements of {} bytes", size_of::<T>());
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        Ok(Self::whole(segment, bytes / size_of::<T>()))
    }
}

#[cold]
fn refuse(bytes: usize, why: &io::Error) -> ! {
    panic!("no room for a `loky::Shared` of {bytes} bytes: {why}; a `try_` constructor returns that as an error")
}
