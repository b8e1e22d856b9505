//! A row of numbers of which only the width is known here. It is filled from elsewhere and then becomes the vector that
//! somebody wants, or was one and is sent: in both cases without another copy. One that will be lent as a slice need not
//! be able to become a vector, and begins on a cache line instead.

use std::alloc::{Layout, alloc, dealloc, realloc};
use std::any::TypeId;
use std::fmt;
use std::mem::{ManuallyDrop, transmute_copy};
use std::ptr::NonNull;
use std::slice;
use std::sync::atomic::AtomicU64;

use super::pages::Pages;
use super::plain::for_each_number;
use super::words;

/// See the module.
pub(crate) struct Row {
    start: NonNull<u8>,
    /// In bytes.
    len: usize,
    /// In bytes, of which there is memory of the global allocator; aligned to the width, and a multiple of it.
    capacity: usize,
    /// How much of that may be filled.
    end: usize,
    pages: Pages,
    /// Of a number, in bytes: a power of two, no more than [`WORD`]; or [`LINE`].
    width: usize,
}

/// There is not so much memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoMemory;

const WORD: usize = size_of::<u64>();

/// The width of a row that will be lent: that of its numbers is not known, and it begins on a cache line.
pub(crate) const LINE: usize = 64;

// SAFETY: a row owns its memory alone, as a vector of numbers does.
unsafe impl Send for Row {}
// SAFETY: as above; what is shared is not changed.
unsafe impl Sync for Row {}

impl Row {
    /// Of no number so far, each of which has so many bytes: 1, 2, 4 or 8. Or [`LINE`].
    pub(crate) fn new(width: usize) -> Self {
        assert!(width.is_power_of_two() && (width <= WORD || width == LINE), "numbers are not so wide");
        Self { start: NonNull::dangling(), len: 0, capacity: 0, end: 0, pages: Pages::NONE, width }
    }

    /// How many bytes each number has.
    pub(crate) const fn width(&self) -> usize {
        self.width
    }

    /// The numbers as the bytes that they are.
    pub(crate) const fn bytes(&self) -> &[u8] {
        // SAFETY: so many bytes were written there; where there are none, any address will do.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }

    /// For how many more bytes there is room: whole words, if there are whole words so far.
    pub(crate) const fn room(&self) -> usize {
        self.end - self.len
    }

    /// Whether the memory can be used again for a row of so many bytes, of numbers of this width: it is not much longer.
    pub(crate) fn suits(&self, width: usize, bytes: usize) -> bool {
        self.width == width && self.capacity > 0 && self.capacity / 5 <= bytes / 4
    }

    /// The same memory, without anything in it.
    pub(crate) fn emptied(self) -> Self {
        let mut row = self;
        (row.len, row.end, row.pages) = (0, 0, Pages::NONE);
        row
    }

    /// Of these bytes, to be lent.
    pub(crate) fn to_lend(bytes: &[u8]) -> Result<Self, NoMemory> {
        let mut row = Self::new(LINE);
        row.grow(bytes.len())?;
        row.extend(bytes);
        Ok(row)
    }

    /// Makes room for so many bytes in all; more than that, if need be, to be whole words. An error changes nothing.
    pub(crate) fn grow(&mut self, capacity: usize) -> Result<(), NoMemory> {
        let capacity = capacity.checked_next_multiple_of(WORD).ok_or(NoMemory)?;
        if capacity <= self.capacity {
            self.end = self.end.max(capacity);
            return Ok(());
        }
        let layout = Layout::from_size_align(capacity, self.width).map_err(|_| NoMemory)?;
        let start = match self.capacity {
            // SAFETY: the layout is not empty.
            0 => unsafe { alloc(layout) },
            // SAFETY: this memory was allocated with this layout, and the new size is not zero and not too large.
            before => unsafe { realloc(self.start.as_ptr(), self.layout(before), capacity) },
        };
        let start = NonNull::new(start).ok_or(NoMemory)?;
        (self.start, self.capacity, self.end) = (start, capacity, capacity);
        self.pages = Pages::of(start.as_ptr(), self.len, capacity);
        Ok(())
    }

    /// Adds bytes, for which there must be room.
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        assert!(bytes.len() <= self.room(), "room was made");
        // SAFETY: there is room for so many, and nobody else has a reference to it; what is beyond `len` is of no use.
        unsafe {
            self.pages.before(self.start.as_ptr(), self.len + bytes.len(), self.capacity);
            self.start.add(self.len).as_ptr().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        }
        self.len += bytes.len();
    }

    /// Adds words, for which there must be room.
    pub(crate) fn load(&mut self, from: &[AtomicU64]) {
        let len = size_of_val(from);
        assert!(len <= self.room(), "room was made");
        // SAFETY: there is room for so many, and nobody else has a reference to it; what is beyond `len` is of no use.
        unsafe {
            self.pages.before(self.start.as_ptr(), self.len + len, self.capacity);
            words::load_to(from, self.start.add(self.len).as_ptr());
        }
        self.len += len;
    }

    /// Drops what is beyond `len` bytes.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// A vector of numbers as it is; anything else comes back, too.
    pub(crate) fn from<T>(value: T) -> Result<Self, T> {
        let id = typeid::of::<T>();
        let value = ManuallyDrop::new(value);
        macro_rules! found {
            ($($number:ty),*) => {$(
                if id == TypeId::of::<Vec<$number>>() {
                    // SAFETY: `T` is the type that this is read as; what is left behind is not dropped.
                    let numbers: Vec<$number> = unsafe { transmute_copy(&value) };
                    return Ok(Self::of(numbers));
                }
            )*};
        }
        if cfg!(target_endian = "little") {
            for_each_number!(found);
        }
        Err(ManuallyDrop::into_inner(value))
    }

    /// The vector of `count` numbers that this is; if it is another one than `T`, it comes back.
    pub(crate) fn into<T>(self, count: u64) -> Result<T, Self> {
        let id = typeid::of::<T>();
        let row = ManuallyDrop::new(self);
        macro_rules! found {
            ($($number:ty),*) => {$(
                if id == TypeId::of::<Vec<$number>>() && row.is_of::<$number>(count) {
                    let start = row.start.as_ptr().cast::<$number>();
                    // SAFETY: the memory was allocated for numbers of this width and alignment, so many are written and
                    // for so many there is room; what is left behind is not dropped.
                    let numbers = unsafe { Vec::from_raw_parts(start, row.len / row.width, row.capacity / row.width) };
                    // SAFETY: `T` is the type that this is read as, and the copy that is left behind is not dropped.
                    return Ok(unsafe { transmute_copy::<Vec<$number>, T>(&ManuallyDrop::new(numbers)) });
                }
            )*};
        }
        if cfg!(target_endian = "little") {
            for_each_number!(found);
        }
        Err(ManuallyDrop::into_inner(row))
    }

    fn of<N>(numbers: Vec<N>) -> Self {
        let mut numbers = ManuallyDrop::new(numbers);
        let (len, capacity) = (size_of_val(&numbers[..]), numbers.capacity() * size_of::<N>());
        let start = NonNull::new(numbers.as_mut_ptr().cast()).expect("a vector is somewhere");
        Self { start, len, capacity, end: len, pages: Pages::NONE, width: size_of::<N>() }
    }

    /// Whether the memory can be that of a vector of so many `N`.
    fn is_of<N>(&self, count: u64) -> bool {
        let fits = size_of::<N>() == self.width && align_of::<N>() == self.width && self.capacity > 0;
        fits && count.checked_mul(self.width as u64) == Some(self.len as u64)
    }

    fn layout(&self, capacity: usize) -> Layout {
        Layout::from_size_align(capacity, self.width).expect("no row is as long as half of what there are addresses")
    }
}

impl Drop for Row {
    fn drop(&mut self) {
        if self.capacity > 0 {
            // SAFETY: this memory was allocated with this layout, here or by a vector.
            unsafe { dealloc(self.start.as_ptr(), self.layout(self.capacity)) };
        }
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len)
    }
}

impl fmt::Display for NoMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is not enough memory for it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_comes_back_as_it_went_without_a_copy() {
        let numbers = vec![1.5_f64, f64::NAN, -0.0];
        let (address, bits): (_, Vec<u64>) = (numbers.as_ptr(), numbers.iter().map(|n| n.to_bits()).collect());
        let row = Row::from(numbers).unwrap();
        assert_eq!((row.width(), row.bytes().len()), (8, 24));
        let back: Vec<f64> = row.into(3).unwrap();
        assert_eq!((back.as_ptr(), back.iter().map(|n| n.to_bits()).collect()), (address, bits));
        let back: Vec<i16> = Row::from(vec![-1_i16]).unwrap().into(1).unwrap();
        assert_eq!(back, [-1]);
    }

    #[test]
    fn what_was_filled_becomes_a_vector() {
        let words: Vec<_> = (0..100).map(AtomicU64::new).collect();
        let mut row = Row::new(4);
        row.grow(12).unwrap();
        assert_eq!(row.room(), 16, "whole words");
        row.extend(&7_u64.to_le_bytes());
        row.grow(8 + 800).unwrap();
        row.load(&words);
        assert_eq!(row.room(), 0);
        row.truncate(804);
        let numbers: Vec<u32> = row.into(201).unwrap();
        assert_eq!((numbers.len(), numbers[0], numbers[4], numbers[200]), (201, 7, 1, 99));
    }

    #[test]
    fn memory_is_used_again_for_what_is_about_as_long() {
        let row = Row::from(vec![7_u32; 1000]).unwrap();
        assert!(row.suits(4, 4000) && row.suits(4, 3201) && row.suits(4, 1 << 40));
        assert!(!row.suits(4, 3000) && !row.suits(8, 4000) && !Row::new(4).suits(4, 4000));
        let address = row.bytes().as_ptr();
        let mut row = row.emptied();
        assert_eq!((row.bytes().len(), row.room()), (0, 0));
        row.grow(4000).unwrap();
        row.extend(&[1; 4000]);
        assert_eq!((row.bytes(), row.bytes().as_ptr()), (&[1; 4000][..], address));
        let mut row = row.emptied();
        row.grow(1 << 20).unwrap();
        row.extend(&[2; 1 << 20]);
        assert_eq!(row.into::<Vec<u32>>(1 << 18).unwrap(), [0x0202_0202; 1 << 18]);
    }

    #[test]
    fn what_is_lent_begins_on_a_line_and_becomes_no_vector() {
        for len in [1, 8, 4096, 5 << 20] {
            let row = Row::to_lend(&vec![7; len]).unwrap();
            assert!(row.bytes().as_ptr().addr() % LINE == 0 && row.bytes() == vec![7; len]);
            assert!(row.into::<Vec<u8>>(len as u64).is_err());
        }
    }

    #[test]
    fn more_memory_than_there_is_changes_nothing() {
        for width in [1, LINE] {
            let mut row = Row::new(width);
            row.grow(8).unwrap();
            row.extend(b"abcdefgh");
            assert_eq!([1 << 60, usize::MAX, isize::MAX as usize].map(|len| row.grow(len)), [Err(NoMemory); 3]);
            assert_eq!(row.bytes(), b"abcdefgh");
        }
    }

    #[test]
    fn another_vector_is_refused_and_nothing_is_lost() {
        let row = Row::from(vec![1_u32, 2]).unwrap();
        let row = row.into::<Vec<u64>>(1).unwrap_err();
        let row = row.into::<Vec<u32>>(3).unwrap_err();
        let row = row.into::<Vec<u32>>(u64::MAX).unwrap_err();
        let row = row.into::<String>(8).unwrap_err();
        assert_eq!(row.bytes(), [1, 0, 0, 0, 2, 0, 0, 0]);
        assert_eq!(row.into::<Vec<i32>>(2).unwrap(), [1, 2]);
        assert_eq!(Row::from("text".to_string()).unwrap_err(), "text");
        assert!(Row::from(vec![true]).is_err());
        assert!(Row::new(8).into::<Vec<u64>>(0).is_err() && Row::new(1).bytes().is_empty());
        assert_eq!(Row::from(Vec::<u8>::new()).unwrap().bytes(), b"");
    }
}
