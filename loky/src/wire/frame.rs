//! A row of frames: two words that say what follows and how long it is, and then that, filled up to whole words.
//!
//! The first word is the length, in its highest byte the kind, and in the one below it where a row begins, if there is one; the
//! second word is a tag, of which each kind makes what it likes. A frame that *follows*, which a bit of its first word says, has the kind of the one before it and the next tag:
//! it says neither, and is a word shorter. Many small frames in a row cost little in that way.
//!
//! The reader takes words in pieces of any size. It believes no length: memory grows with the bytes that have
//! arrived, not with what was announced.

use std::fmt;

use super::body::{Body, Long, RowPlace};
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

/// More than any address space of today.
const LEN_MAX: u64 = 1 << 47;

const KIND_SHIFT: u32 = 56;

const ROW_SHIFT: u32 = 48;

/// The frame follows. Kinds are smaller.
const FOLLOWS: u64 = 1 << 63;

/// How many bytes are taken in at once; longer frames have memory of their own.
const BUFFER_LEN: usize = 16 << 10;

impl Head {
    /// The bytes before those of a frame.
    pub(crate) fn bytes(self) -> [u8; HEAD_LEN] {
        let first = self.first_word() | u64::from(self.kind) << KIND_SHIFT;
        let mut bytes = [0; HEAD_LEN];
        bytes[..WORD].copy_from_slice(&first.to_le_bytes());
        bytes[WORD..].copy_from_slice(&self.tag.to_le_bytes());
        bytes
    }

    /// The word before those of a frame that follows.
    pub(crate) fn short_bytes(self) -> [u8; WORD] {
        (self.first_word() | FOLLOWS).to_le_bytes()
    }

    fn first_word(self) -> u64 {
        self.len as u64 | u64::from(RowPlace::byte(self.row)) << ROW_SHIFT
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
        let row = RowPlace::from_byte((first >> ROW_SHIFT) as u8);
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
        loop {
            if let Some(long) = self.long.take() {
                return self.next_of_long(long, source);
            }
            match self.head()? {
                Some((head, own)) if self.has_arrived(head, own) => return Ok(Some(self.give_out(head, own))),
                Some((head, own)) if self.is_long(head, own) => self.begin_long(head, own),
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

    fn fill<S: Source>(&mut self, source: &mut S) -> Result<usize, FrameError<S::Error>> {
        self.buffer.resize(BUFFER_LEN, 0);
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.end == BUFFER_LEN {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
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

    fn begin_long(&mut self, head: Head, own: usize) {
        self.long = Some(Long::begin(head, &self.buffer[self.start + own..self.end]));
        (self.start, self.end) = (0, 0);
        self.last = head;
    }

    fn next_of_long<S: Source>(
        &mut self,
        mut long: Long,
        source: &mut S,
    ) -> Result<Option<Said<'_>>, FrameError<S::Error>> {
        if long.fill(source).map_err(FrameError::Source)? {
            return Ok(Some((long.head, long.finish())));
        }
        self.long = Some(long);
        Ok(None)
    }
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

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::super::body::TRUST;
    use super::*;

    /// Gives out its bytes in pieces and has none after each.
    struct Pieces<'a>(&'a [u8], usize, bool);

    impl Source for Pieces<'_> {
        type Error = Infallible;

        fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Infallible> {
            self.2 = !self.2;
            let len = if self.2 { self.0.len().min(self.1).min(bytes.len()) } else { 0 };
            bytes[..len].copy_from_slice(&self.0[..len]);
            self.0 = &self.0[len..];
            Ok(len)
        }

        fn read_row(&mut self, row: &mut Row) -> Result<usize, Infallible> {
            let mut bytes = vec![0; row.room()];
            let len = self.read(&mut bytes)?;
            row.extend(&bytes[..len]);
            Ok(len)
        }
    }

    fn row(kind: u8, tag: u64, bytes: &[u8]) -> Vec<u8> {
        let head = Head { kind, tag, len: bytes.len(), row: None };
        let fill = vec![0; padded(bytes.len()) - bytes.len()];
        [&head.bytes()[..], bytes, &fill].concat()
    }

    #[test]
    fn frames_are_found_in_pieces_of_any_size() {
        let long: Vec<u8> = (0..3 * BUFFER_LEN + 5).map(|at| at as u8).collect();
        let frames =
            [(1, 7, &b""[..]), (2, u64::MAX, b"eleven byte"), (127, 0, &long), (3, 4, b"12345678"), (4, 5, &long)];
        let bytes: Vec<u8> = frames.iter().flat_map(|&(kind, tag, bytes)| row(kind, tag, bytes)).collect();
        for piece in [8, 24, 1000, BUFFER_LEN, 1 << 20] {
            let (mut source, mut reader, mut found) = (Pieces(&bytes, piece, false), Reader::default(), Vec::new());
            while found.len() < frames.len() {
                if let Some((head, bytes)) = reader.next(&mut source).unwrap() {
                    assert_eq!(head.len, bytes.len());
                    found.push((head.kind, head.tag, bytes.to_vec()));
                }
            }
            let found: Vec<_> = found.iter().map(|(kind, tag, bytes)| (*kind, *tag, &bytes[..])).collect();
            assert!(found == frames, "in pieces of {piece} bytes");
            assert_eq!(reader.next(&mut source), Ok(None));
        }
    }

    #[test]
    fn frames_that_follow_say_neither_kind_nor_tag() {
        let (first, long) = (row(2, 7, b"first"), vec![3; 2 * BUFFER_LEN]);
        let follower = |bytes: &[u8]| {
            let head = Head { kind: 2, tag: 8, len: bytes.len(), row: None };
            let fill = vec![0; padded(bytes.len()) - bytes.len()];
            [&head.short_bytes()[..], bytes, &fill].concat()
        };
        let others = row(5, 1, b"");
        let bytes = [first, follower(b"second"), follower(&long), follower(b""), others, follower(b"last")].concat();
        let expected = [(2, 7, 5), (2, 8, 6), (2, 9, long.len()), (2, 10, 0), (5, 1, 0), (5, 2, 4)];
        for piece in [8, 24, BUFFER_LEN, 1 << 20] {
            let (mut source, mut reader, mut found) = (Pieces(&bytes, piece, false), Reader::default(), Vec::new());
            while found.len() < expected.len() {
                if let Some((head, bytes)) = reader.next(&mut source).unwrap() {
                    found.push((head.kind, head.tag, bytes.len()));
                }
            }
            assert_eq!(found, expected, "in pieces of {piece} bytes");
        }
        let (mut source, mut reader) = (Pieces(&bytes, 1 << 20, false), Reader::default());
        assert_eq!(reader.next_that_follows(), None);
        assert!(reader.next(&mut source).unwrap().is_some());
        assert_eq!(reader.next_that_follows(), Some(&b"second"[..]));
        assert_eq!(reader.next_that_follows(), None, "it was not taken in as a whole");
        for tag in [9, 10, 1] {
            let found =
                std::iter::repeat_with(|| reader.next(&mut source).unwrap().map(|(head, _)| head.tag)).flatten().next();
            assert_eq!(found, Some(tag));
        }
        assert_eq!(reader.next_that_follows(), Some(&b"last"[..]));
        assert_eq!(reader.next_that_follows(), None);
    }

    #[test]
    fn a_frame_follows_its_own_kind_and_the_tag_before() {
        let head = |kind, tag| Head { kind, tag, len: 0, row: None };
        assert!(head(2, 8).follows(head(2, 7)) && !head(3, 8).follows(head(2, 7)) && !head(2, 9).follows(head(2, 7)));
        assert!(!head(2, 0).follows(Head::default()) && !head(2, 1).follows(Head::default()));
    }

    #[test]
    fn lengths_that_lie_are_errors_and_cost_no_memory() {
        let too_long = Head { kind: 1, tag: 0, len: (1 << 47) + 1, row: None }.bytes();
        assert_eq!(Reader::default().next(&mut Pieces(&too_long, 16, false)), Err(FrameError::TooLong((1 << 47) + 1)));
        for row in [None, RowPlace::new(16, 8)] {
            let announced = Head { kind: 1, tag: 0, len: 1 << 46, row }.bytes();
            let announced = [&announced[..], b"and just a few bytes more"].concat();
            let (mut source, mut reader) = (Pieces(&announced, 8, false), Reader::default());
            for _ in 0..20 {
                assert_eq!(reader.next(&mut source), Ok(None));
            }
            assert!(reader.long.is_some_and(|long| long.room() <= 2 * TRUST));
        }
    }

    #[test]
    fn the_row_of_a_long_frame_has_memory_of_its_own() {
        let numbers: Vec<u8> = (0..6 * TRUST + 4).map(|at| (at % 251) as u8).collect();
        for (len, start) in [(BUFFER_LEN, 8), (3 * BUFFER_LEN, 504), (2 * TRUST + 20, 8), (numbers.len(), 48)] {
            let head = Head { kind: 1, tag: 0, len, row: RowPlace::new(start, 4) };
            let fill = vec![0; padded(len) - len];
            let bytes = [&head.bytes()[..], &numbers[..len], &fill, &row(2, 0, b"next")].concat();
            for piece in [8, 1000, 1 << 20] {
                let (mut source, mut reader) = (Pieces(&bytes, piece, false), Reader::default());
                let mut next = || loop {
                    if let Some((_, body)) = reader.next(&mut source).unwrap() {
                        break (matches!(body, Body::Row(..)), body.len(), body.joined());
                    }
                };
                assert!(next() == (true, start, numbers[..len].to_vec()), "{len} bytes in pieces of {piece}");
                assert_eq!(next(), (false, 4, b"next".to_vec()), "{len} bytes in pieces of {piece}");
            }
        }
    }

    #[test]
    fn a_row_that_cannot_be_is_none() {
        let long = vec![5; 2 * BUFFER_LEN];
        for (bytes, start) in [(&long[..], None), (b"a short one", RowPlace::new(8, 1)), (b"none", RowPlace::new(8, 8))]
        {
            let head = Head { kind: 1, tag: 0, len: bytes.len(), row: start };
            let fill = vec![0; padded(bytes.len()) - bytes.len()];
            let (frame, mut reader) = ([&head.bytes()[..], bytes, &fill].concat(), Reader::default());
            let said = reader.next(&mut Pieces(&frame, 1 << 20, false)).unwrap();
            let body = match said {
                Some((_, body)) => body.to_vec(),
                None => reader.next(&mut Pieces(&frame[BUFFER_LEN..], 1 << 20, false)).unwrap().unwrap().1.to_vec(),
            };
            assert_eq!(body, bytes);
        }
    }
}
