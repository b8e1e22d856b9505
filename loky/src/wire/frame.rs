//! A row of frames: two words that say what follows and how long it is, and then that, filled up to whole words.
//!
//! The first word is the length, and in its highest byte the kind; the second one is a tag, of which each kind makes what
//! it likes. A frame that *follows*, which a bit of its first word says, has the kind of the one before it and the next tag:
//! it says neither, and is a word shorter. Many small frames in a row cost little in that way.
//!
//! The reader takes words in pieces of any size. It believes no length: memory grows with the bytes that have
//! arrived, not with what was announced.

use std::borrow::Cow;
use std::fmt;

/// What is known of a frame before its bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) kind: u8,
    pub(crate) tag: u64,
    pub(crate) len: usize,
}

/// A whole frame.
pub(crate) type Said<'a> = (Head, Cow<'a, [u8]>);

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
}

/// Bytes in a word.
pub(crate) const WORD: usize = 8;

const HEAD_LEN: usize = 2 * WORD;

/// More than any address space of today.
const LEN_MAX: u64 = 1 << 47;

const KIND_SHIFT: u32 = 56;

/// The frame follows. Kinds are smaller.
const FOLLOWS: u64 = 1 << 63;

/// How many bytes are taken in at once, at the most; longer frames have memory of their own.
const BUFFER_LEN: usize = 16 << 10;

/// How many at first.
const BUFFER_LEN_FIRST: usize = 1 << 10;

/// How much memory is made before the bytes are there.
const TRUST: usize = 1 << 20;

impl Head {
    /// The bytes before those of a frame.
    pub(crate) fn bytes(self) -> [u8; HEAD_LEN] {
        let first = self.len as u64 | u64::from(self.kind) << KIND_SHIFT;
        let mut bytes = [0; HEAD_LEN];
        bytes[..WORD].copy_from_slice(&first.to_le_bytes());
        bytes[WORD..].copy_from_slice(&self.tag.to_le_bytes());
        bytes
    }

    /// The word before those of a frame that follows.
    pub(crate) const fn short_word(self) -> u64 {
        self.len as u64 | FOLLOWS
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
        let len = first & (u64::MAX >> (u64::BITS - KIND_SHIFT));
        let len = usize::try_from(len).ok().filter(|&len| len as u64 <= LEN_MAX).ok_or(FrameError::TooLong(len))?;
        if first & FOLLOWS != 0 {
            return Ok(Some((Self { kind: before.kind, tag: before.tag.wrapping_add(1), len }, WORD)));
        }
        let Some((tag, _)) = rest.split_first_chunk() else { return Ok(None) };
        Ok(Some((Self { kind: (first >> KIND_SHIFT) as u8, tag: u64::from_le_bytes(*tag), len }, HEAD_LEN)))
    }
}

impl Default for Head {
    /// That of no frame.
    fn default() -> Self {
        Self { kind: 0, tag: 0, len: 0 }
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

#[derive(Debug)]
struct Long {
    head: Head,
    /// Grows as the frame arrives.
    bytes: Vec<u8>,
    /// How many of the bytes have arrived.
    there: usize,
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
                Some((head, own)) if own + padded(head.len) > BUFFER_LEN => self.begin_long(head, own),
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

    /// Appends to `bytes` those of the next frames, at most `most`, as far as they were taken in as a whole, follow, and are
    /// as long as the last one. Returns how many there are.
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
        (head, Cow::Borrowed(self.give_out_bytes(head, own)))
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

    fn begin_long(&mut self, head: Head, own: usize) {
        let mut long = Long { head, bytes: Vec::new(), there: 0 };
        long.grow();
        let begun = &self.buffer[self.start + own..self.end];
        long.bytes[..begun.len()].copy_from_slice(begun);
        long.there = begun.len();
        (self.start, self.end) = (0, 0);
        self.last = head;
        self.long = Some(long);
    }

    fn next_of_long<S: Source>(
        &mut self,
        mut long: Long,
        source: &mut S,
    ) -> Result<Option<Said<'_>>, FrameError<S::Error>> {
        while long.there < padded(long.head.len) {
            if long.there == long.bytes.len() {
                long.grow();
            }
            let len = source.read(&mut long.bytes[long.there..]).map_err(FrameError::Source)?;
            long.there += len;
            if len == 0 {
                self.long = Some(long);
                return Ok(None);
            }
        }
        long.bytes.truncate(long.head.len);
        Ok(Some((long.head, Cow::Owned(long.bytes))))
    }
}

impl Long {
    /// Makes room for twice as much as has arrived. New memory comes zeroed from the allocator, which costs less than to
    /// fill what a vector has at its end.
    fn grow(&mut self) {
        let mut larger = vec![0; padded(self.head.len).min(self.there.max(TRUST) * 2)];
        larger[..self.there].copy_from_slice(&self.bytes[..self.there]);
        self.bytes = larger;
    }
}

/// Appends to `bytes` the `len` bytes of each frame in a row of frames with this head, at most `most`. Returns how many.
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

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

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
    }

    fn row(kind: u8, tag: u64, bytes: &[u8]) -> Vec<u8> {
        let head = Head { kind, tag, len: bytes.len() };
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
                    found.push((head.kind, head.tag, bytes.into_owned()));
                }
            }
            let found: Vec<_> = found.iter().map(|(kind, tag, bytes)| (*kind, *tag, &bytes[..])).collect();
            assert!(found == frames, "in pieces of {piece} bytes");
            assert_eq!(reader.next(&mut source), Ok(None));
        }
    }

    #[test]
    fn memory_is_made_as_frames_ask_for_it() {
        let lens = [5, BUFFER_LEN_FIRST, 5 * BUFFER_LEN_FIRST, BUFFER_LEN - HEAD_LEN];
        let grown = [BUFFER_LEN_FIRST, 4 * BUFFER_LEN_FIRST, BUFFER_LEN, BUFFER_LEN];
        let bytes: Vec<u8> = lens.iter().flat_map(|&len| row(1, 0, &vec![7; len])).collect();
        let (mut source, mut reader) = (Pieces(&bytes, 40, false), Reader::default());
        for (len, grown) in lens.into_iter().zip(grown) {
            let found =
                std::iter::repeat_with(|| reader.next(&mut source).unwrap().map(|(_, bytes)| bytes.into_owned()));
            assert_eq!(found.flatten().next(), Some(vec![7; len]));
            assert_eq!(reader.buffer.len(), grown);
        }
    }

    #[test]
    fn frames_that_follow_say_neither_kind_nor_tag() {
        let (first, long) = (row(2, 7, b"first"), vec![3; 2 * BUFFER_LEN]);
        let follower = |bytes: &[u8]| {
            let head = Head { kind: 2, tag: 8, len: bytes.len() };
            let fill = vec![0; padded(bytes.len()) - bytes.len()];
            [&head.short_word().to_le_bytes()[..], bytes, &fill].concat()
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
    fn frames_that_are_alike_are_taken_in_a_row() {
        for len in [0, 3, 8, 24] {
            let bytes = |at: u8| vec![at; len];
            let short = |len: usize| (len as u64 | FOLLOWS).to_le_bytes();
            let follower = |at: u8| [&short(len)[..], &bytes(at), &vec![0; padded(len) - len]].concat();
            let other = [&short(len + 1)[..], &vec![9; padded(len + 1)]].concat();
            let all = [row(2, 7, &bytes(0)), follower(1), follower(2), follower(3), other, follower(5)].concat();
            let (mut source, mut reader) = (Pieces(&all, all.len() - 8, false), Reader::default());
            assert!(reader.next(&mut source).unwrap().is_some());
            let mut taken = b"before".to_vec();
            assert_eq!([reader.next_alike(2, &mut taken), reader.next_alike(9, &mut taken)], [2, 1], "{len} bytes");
            assert!(taken == [b"before".to_vec(), bytes(1), bytes(2), bytes(3)].concat(), "{len} bytes");
            assert_eq!(reader.next_alike(9, &mut taken), 0, "the next one is longer");
            let next = reader.next(&mut source).unwrap().map(|(head, _)| (head.tag, head.len));
            assert_eq!(next, Some((11, len + 1)));
            assert_eq!(reader.next_alike(9, &mut taken), 0, "and the last one shorter, or not there");
        }
    }

    #[test]
    fn a_frame_follows_its_own_kind_and_the_tag_before() {
        let head = |kind, tag| Head { kind, tag, len: 0 };
        assert!(head(2, 8).follows(head(2, 7)) && !head(3, 8).follows(head(2, 7)) && !head(2, 9).follows(head(2, 7)));
        assert!(!head(2, 0).follows(Head::default()) && !head(2, 1).follows(Head::default()));
    }

    #[test]
    fn lengths_that_lie_are_errors_and_cost_no_memory() {
        let too_long = Head { kind: 1, tag: 0, len: (1 << 47) + 1 }.bytes();
        assert_eq!(Reader::default().next(&mut Pieces(&too_long, 16, false)), Err(FrameError::TooLong((1 << 47) + 1)));
        let announced = [&Head { kind: 1, tag: 0, len: 1 << 46 }.bytes()[..], b"and just a few bytes more"].concat();
        let (mut source, mut reader) = (Pieces(&announced, 8, false), Reader::default());
        for _ in 0..20 {
            assert_eq!(reader.next(&mut source), Ok(None));
        }
        assert!(reader.long.is_some_and(|long| long.bytes.capacity() <= 2 * TRUST));
    }
}
