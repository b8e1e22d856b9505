//! Bytes as a row of frames, which comes in pieces; whatever is found, it is no more than was there.

use std::convert::Infallible;

use super::Input;
use crate::sys::row::Row;
use crate::wire::body::Body;
use crate::wire::frame::{Reader, Source, WORD};

/// Gives out its words in pieces of this many bytes, and now and then has none.
struct Pieces<'a> {
    words: &'a [u8],
    piece: usize,
    has_some: bool,
}

impl Source for Pieces<'_> {
    type Error = Infallible;

    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Infallible> {
        self.has_some = !self.has_some;
        let most = if self.has_some { self.piece } else { 0 };
        let len = self.words.len().min(most).min(bytes.len()) / WORD * WORD;
        bytes[..len].copy_from_slice(&self.words[..len]);
        self.words = &self.words[len..];
        Ok(len)
    }

    fn read_row(&mut self, row: &mut Row) -> Result<usize, Infallible> {
        let mut bytes = vec![0; row.room().min(self.piece)];
        let len = self.read(&mut bytes)?;
        row.extend(&bytes[..len]);
        Ok(len)
    }
}

pub(super) fn read(data: &[u8]) {
    let mut input = Input::new(data);
    let (piece, asks) = ((input.byte() as usize + 1) * WORD, input.byte());
    let words = &input.rest()[..input.rest().len() / WORD * WORD];
    let mut source = Pieces { words, piece, has_some: false };
    let (mut reader, mut given, mut in_vain) = (Reader::default(), 0, 0);
    while in_vain < 3 {
        in_vain += 1;
        match reader.next(&mut source) {
            Err(_) => return,
            Ok(None) => {}
            Ok(Some((head, body))) => {
                in_vain = 0;
                let row = if let Body::Row(body) = &body { body.row.bytes().len() } else { 0 };
                assert!(head.len == body.len() + row || matches!(body, Body::Lost(..)), "as long as it was announced");
                given += body.len() + row;
            }
        }
        if asks & 1 == 1 {
            given += reader.next_that_follows().map_or(0, <[u8]>::len);
        }
        if asks & 2 == 2 {
            let mut alike = Vec::new();
            let count = reader.next_alike(usize::from(asks >> 2), &mut alike);
            assert!(count <= usize::from(asks >> 2));
            given += alike.len();
        }
        if !source.words.is_empty() {
            in_vain = 0;
        }
    }
    assert!(given <= words.len(), "no more comes out than went in");
}
