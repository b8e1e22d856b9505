//! Frames that come in pieces, follow each other, are long, or cannot be.

use std::convert::Infallible;

use super::super::long::TRUST;
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
    let frames = [(1, 7, &b""[..]), (2, u64::MAX, b"eleven byte"), (127, 0, &long), (3, 4, b"12345678"), (4, 5, &long)];
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
fn memory_is_made_as_frames_ask_for_it() {
    let lens = [5, BUFFER_LEN_FIRST, 5 * BUFFER_LEN_FIRST, BUFFER_LEN - HEAD_LEN];
    let grown = [BUFFER_LEN_FIRST, 4 * BUFFER_LEN_FIRST, BUFFER_LEN, BUFFER_LEN];
    let bytes: Vec<u8> = lens.iter().flat_map(|&len| row(1, 0, &vec![7; len])).collect();
    let (mut source, mut reader) = (Pieces(&bytes, 40, false), Reader::default());
    for (len, grown) in lens.into_iter().zip(grown) {
        let found = std::iter::repeat_with(|| reader.next(&mut source).unwrap().map(|(_, bytes)| bytes.to_vec()));
        assert_eq!(found.flatten().next(), Some(vec![7; len]));
        assert_eq!(reader.buffer.len(), grown);
    }
}

#[test]
fn frames_that_follow_say_neither_kind_nor_tag() {
    let (first, long) = (row(2, 7, b"first"), vec![3; 2 * BUFFER_LEN]);
    let follower = |bytes: &[u8]| {
        let head = Head { kind: 2, tag: 8, len: bytes.len(), row: None };
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
    let head = |kind, tag| Head { kind, tag, len: 0, row: None };
    assert!(head(2, 8).follows(head(2, 7)) && !head(3, 8).follows(head(2, 7)) && !head(2, 9).follows(head(2, 7)));
    assert!(!head(2, 0).follows(Head::default()) && !head(2, 1).follows(Head::default()));
}

#[test]
fn ser_10_lengths_that_lie_are_errors_and_cost_no_memory() {
    let too_long = Head { kind: 1, tag: 0, len: (1 << 46) + 1, row: None }.bytes();
    assert_eq!(Reader::default().next(&mut Pieces(&too_long, 16, false)), Err(FrameError::TooLong((1 << 46) + 1)));
    for row in [None, RowPlace::new(16, 8)] {
        let announced = Head { kind: 1, tag: 0, len: 1 << 46, row }.bytes();
        let announced = [&announced[..], b"and just a few bytes more"].concat();
        let (mut source, mut reader) = (Pieces(&announced, 8, false), Reader::default());
        for _ in 0..20 {
            assert_eq!(reader.next(&mut source), Ok(None));
        }
        assert!(reader.long.is_some_and(|long| long.room() <= TRUST));
    }
}

#[test]
fn the_row_of_a_long_frame_has_memory_of_its_own() {
    let numbers: Vec<u8> = (0..3 * TRUST + 4).map(|at| (at % 251) as u8).collect();
    for (len, start) in [(BUFFER_LEN, 8), (3 * BUFFER_LEN, 504), (TRUST + 20, 8), (numbers.len(), 48)] {
        let least = if len < TRUST { 8 } else { 4096 };
        let head = Head { kind: 1, tag: 0, len, row: RowPlace::new(start, 4) };
        let fill = vec![0; padded(len) - len];
        let bytes = [&head.bytes()[..], &numbers[..len], &fill, &row(2, 0, b"next")].concat();
        for piece in [least, 10_000, 1 << 20] {
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
    for (bytes, start) in [(&long[..], None), (b"a short one", RowPlace::new(8, 1)), (b"none", RowPlace::new(8, 8))] {
        let head = Head { kind: 1, tag: 0, len: bytes.len(), row: start };
        let fill = vec![0; padded(bytes.len()) - bytes.len()];
        let (frame, mut reader) = ([&head.bytes()[..], bytes, &fill].concat(), Reader::default());
        let mut source = Pieces(&frame, 1 << 20, false);
        let body = loop {
            if let Some((_, body)) = reader.next(&mut source).unwrap() {
                break body.to_vec();
            }
        };
        assert_eq!(body, bytes);
    }
}
