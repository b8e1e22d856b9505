//! A row of frames: two words that say what follows and how long it is, and then that, filled up to whole words.
//!
//! The first word is the length, in its highest byte the kind, and in the nine bits below it where a row begins, if there
//! is one; the second word is a tag, of which each kind makes what it likes. A frame that *follows*, which a bit of
//! its first word says, has the kind of the one before it and the next tag: it says neither, and is a word shorter.
//! Many small frames in a row cost little in that way.
//!
//! The reader takes words in pieces of any size. It believes no length: memory grows with the bytes that have
//! arrived, not with what was announced.

#[cfg(test)]
mod tests;

use std::fmt;

use super::body::{Body, PLACE_BITS, RowPlace};
use super::long::Long;
use crate::sys::row::Row;

/// What is known of a frame before its bytes are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) kind: u8,
    pub(crate) tag: u64,
    pub(crate) len: usize,
    pub(crate) row: Option<RowPlace>,
}

/// A whole frame.
pub(crate) type Said<'a> = (Head, Body<'a>);

/// Why words are not frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameError<E> {
    /// The announced length is beyond every limit.
    TooLong(u64),
    /// The words cannot be had.
    Source(E),
}

/// Where words come from.
pub(crate) trait Source {
    type Error;

    /// Reads whole words into `bytes`, whose length is a multiple of a word. Returns how many bytes; zero if there are
    /// none, now or ever.
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Self::Error>;

    /// The same, as far as `row` has room.
    fn read_row(&mut self, row: &mut Row) -> Result<usize, Self::Error>;
}

/// Bytes in a word.
pub(crate) const WORD: usize = 8;

const HEAD_LEN: usize = 2 * WORD;

/// More than any machine of today has memory.
const LEN_MAX: u64 = 1 << 46;

const KIND_SHIFT: u32 = 56;

const ROW_SHIFT: u32 = KIND_SHIFT - PLACE_BITS;

/// The frame follows. Kinds are smaller.
const FOLLOWS: u64 = 1 << 63;

/// How many bytes are taken in at once, at the most; longer frames have memory of their own.
const BUFFER_LEN: usize = 16 << 10;

/// How many at first.
const BUFFER_LEN_FIRST: usize = 1 << 10;

impl Head {
    /// The bytes before those of a frame.
    pub(crate) fn bytes(self) -> [u8; HEAD_LEN] {
        let [first, second] = self.words().map(u64::to_le_bytes);
        let mut bytes = [0; HEAD_LEN];
        bytes[..WORD].copy_from_slice(&first);
        bytes[WORD..].copy_from_slice(&second);
        bytes
    }

    /// The same as words.
    pub(crate) fn words(self) -> [u64; 2] {
        [self.first_word() | u64::from(self.kind) << KIND_SHIFT, self.tag]
    }

    /// The word before those of a frame that follows.
    pub(crate) fn short_word(self) -> u64 {
        self.first_word() | FOLLOWS
    }

    fn first_word(self) -> u64 {
        self.len as u64 | RowPlace::bits(self.row) << ROW_SHIFT
    }

    /// Whether this frame follows the one with the head `before`.
    pub(crate) fn follows(self, before: Self) -> bool {
        self.kind == before.kind && self.tag == before.tag.wrapping_add(1)
    }

    /// The head at the start of `bytes`, and how long it is itself, if the frame before it had the head `before`.
    #[inline]
    fn parse<E>(bytes: &[u8], before: Self) -> Result<Option<(Self, usize)>, FrameError<E>> {
        let Some((first, rest)) = bytes.split_first_chunk() else { return Ok(None) };
        let first = u64::from_le_bytes(*first);
        let len = first & (u64::MAX >> (u64::BITS - ROW_SHIFT));
        let len = usize::try_from(len).ok().filter(|&len| len as u64 <= LEN_MAX).ok_or(FrameError::TooLong(len))?;
        let row = RowPlace::from_bits(first >> ROW_SHIFT);
        if first & FOLLOWS != 0 {
            return Ok(Some((Self { kind: before.kind, tag: before.tag.wrapping_add(1), len, row }, WORD)));
        }
        let Some((tag, _)) = rest.split_first_chunk() else { return Ok(None) };
        Ok(Some((Self { kind: (first >> KIND_SHIFT) as u8, tag: u64::from_le_bytes(*tag), len, row }, HEAD_LEN)))
    }
}

/// Finds frames in a row of words.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    buffer: Vec<u8>,
    /// The part of the buffer that has been read and not been given out.
    start: usize,
    end: usize,
    /// The head of the frame that was given out last.
    last: Head,
    /// A frame that does not fit into the buffer.
    long: Option<Long>,
}

impl Reader {
    /// The next whole frame; `None` if the source has no more words for now.
    pub(crate) fn next<S: Source>(&mut self, source: &mut S) -> Result<Option<Said<'_>>, FrameError<S::Error>> {
        self.next_into(source, |_, _, _| None)
    }

    /// The same. If it is long and ends in a row, `spare` may give the memory for that, of this width and for so many
    /// bytes.
    #[inline]
    pub(crate) fn next_into<S: Source>(
        &mut self,
        source: &mut S,
        spare: impl FnOnce(Head, usize, usize) -> Option<Row>,
    ) -> Result<Option<Said<'_>>, FrameError<S::Error>> {
        let mut spare = Some(spare);
        loop {
            if self.long.is_some() {
                return self.next_of_long(source);
            }
            match self.head()? {
                Some((head, own)) if self.has_arrived(head, own) => return Ok(Some(self.give_out(head, own))),
                Some((head, own)) if self.is_long(head, own) => {
                    let mut spare = spare.take();
                    self.begin_long(head, own, |width, bytes| spare.take()?(head, width, bytes));
                }
                _ if self.fill(source)? == 0 => return Ok(None),
                _ => {}
            }
        }
    }

    /// The bytes of the next frame, if it was taken in as a whole and follows.
    #[inline]
    pub(crate) fn next_that_follows(&mut self) -> Option<&[u8]> {
        let (head, own) = self.head::<()>().ok()??;
        let is_there = own == WORD && self.has_arrived(head, own);
        is_there.then(|| self.give_out_bytes(head, own))
    }

    /// Appends to `bytes` those of the next frames, at most `most`, as far as they were taken in as a whole, follow,
    /// and are as long as the last one. Returns how many there are.
    pub(crate) fn next_alike(&mut self, most: usize, bytes: &mut Vec<u8>) -> usize {
        let (there, head, len) = (&self.buffer[self.start..self.end], self.last.short_word(), self.last.len);
        // The compiler makes short work of a length that it knows.
        let count = match len {
            WORD => gather(there, head, WORD, most, bytes),
            len => gather(there, head, len, most, bytes),
        };
        self.start += count * (WORD + padded(len));
        self.last.tag = self.last.tag.wrapping_add(count as u64);
        count
    }

    /// Whether a whole frame was taken in and has not been given out.
    pub(crate) fn has_frame(&self) -> bool {
        // One that cannot be is to be told, too.
        self.head::<()>().map_or(true, |head| head.is_some_and(|(head, own)| self.has_arrived(head, own)))
    }

    #[inline]
    fn head<E>(&self) -> Result<Option<(Head, usize)>, FrameError<E>> {
        Head::parse(&self.buffer[self.start..self.end], self.last)
    }

    #[inline]
    fn has_arrived(&self, head: Head, own: usize) -> bool {
        own + padded(head.len) <= self.end - self.start
    }

    fn give_out(&mut self, head: Head, own: usize) -> Said<'_> {
        (head, Body::Lent(self.give_out_bytes(head, own)))
    }

    #[inline]
    fn give_out_bytes(&mut self, head: Head, own: usize) -> &[u8] {
        let from = self.start + own;
        self.start = from + padded(head.len);
        self.last = head;
        &self.buffer[from..from + head.len]
    }

    /// A link on which little is said has a little memory: there is one in each worker, and one for each in the parent.
    fn grow(&mut self) {
        let len = self.buffer.len() * 4;
        self.buffer.resize(len.clamp(BUFFER_LEN_FIRST, BUFFER_LEN), 0);
    }

    fn fill<S: Source>(&mut self, source: &mut S) -> Result<usize, FrameError<S::Error>> {
        let is_full = self.end == self.buffer.len();
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if is_full {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if is_full {
            self.grow();
        }
        let len = source.read(&mut self.buffer[self.end..]).map_err(FrameError::Source)?;
        self.end += len;
        Ok(len)
    }

    /// Whether the frame has no room here; what stands before its row is in the buffer, which is larger.
    fn is_long(&self, head: Head, own: usize) -> bool {
        let before_row = head.row.map_or(0, |row| row.start().min(head.len));
        own + padded(head.len) > BUFFER_LEN && own + before_row <= self.end - self.start
    }

    fn begin_long(&mut self, head: Head, own: usize, spare: impl FnOnce(usize, usize) -> Option<Row>) {
        self.long = Some(Long::begin(head, &self.buffer[self.start + own..self.end], spare));
        (self.start, self.end) = (0, 0);
        self.last = head;
    }

    fn next_of_long<S: Source>(&mut self, source: &mut S) -> Result<Option<Said<'_>>, FrameError<S::Error>> {
        let Some(mut long) = self.long.take() else { return Ok(None) };
        if long.fill(source).map_err(FrameError::Source)? {
            return Ok(Some((long.head, long.finish())));
        }
        self.long = Some(long);
        Ok(None)
    }
}

/// Appends to `bytes` the `len` bytes of each frame in a row of frames with this head, at most `most`. Returns how
/// many.
#[inline(always)]
fn gather(row: &[u8], head: u64, len: usize, most: usize, bytes: &mut Vec<u8>) -> usize {
    let row = row.chunks_exact(WORD + padded(len)).take(most);
    let count = row.clone().take_while(|frame| frame[..WORD] == head.to_le_bytes()).count();
    let before = bytes.len();
    bytes.resize(before + count * len, 0);
    if len > 0 {
        let places = bytes[before..].chunks_exact_mut(len);
        places.zip(row).for_each(|(place, frame)| place.copy_from_slice(&frame[WORD..WORD + len]));
    }
    count
}

/// How many bytes so many take up.
pub(crate) const fn padded(len: usize) -> usize {
    len.next_multiple_of(WORD)
}

impl<E: fmt::Display> fmt::Display for FrameError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(len) => write!(f, "a length of {len} bytes is beyond every limit"),
            Self::Source(why) => why.fmt(f),
        }
    }
}
