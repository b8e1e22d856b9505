//! A frame that does not fit into the buffer of its reader, while it arrives.
//!
//! It is told how long it will be, and does not believe it: memory grows with what is there. Where there is not so much
//! memory, the frame is read to its end all the same, and lost: what comes behind it is not to suffer.

use super::body::{Body, RowPlace, WithRow};
use super::frame::{Head, Source, WORD, padded};
use crate::memory;
use crate::sys::row::Row;

/// See the module.
#[derive(Debug)]
pub(super) struct Long {
    pub(super) head: Head,
    /// What stands before the row, or, of a frame that is lost, what was there at first.
    start: Vec<u8>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// The rest of the bytes, to become a vector of them.
    Whole(Row),
    Row(Row),
    /// So many bytes are missing.
    Lost(usize),
}

/// So much memory is made before anything is there; from then on, it grows by [`GROWTH`]. What is not touched costs
/// nothing but addresses, and to grow costs time.
pub(super) const TRUST: usize = 2 << 20;

const GROWTH: usize = 32;

/// As much of a frame that is lost tells what it was about.
const START_MAX: usize = 1 << 10;

impl Long {
    /// One of which `begun` has arrived: whole words, and all that stands before the row. Its row may have the memory of
    /// one that `spare` gives.
    pub(super) fn begin(head: Head, begun: &[u8], spare: impl FnOnce(usize, usize) -> Option<Row>) -> Self {
        let row = head.row.filter(|row| row.start() < head.len);
        let (start, rest) = row.and_then(|row| begun.split_at_checked(row.start())).unwrap_or((&[], begun));
        let place = row.filter(|_| !start.is_empty());
        let all = padded(head.len) - start.len();
        let spare = place.and_then(|place| spare(place.width(), all));
        let mut row = spare.unwrap_or_else(|| empty(place, all.min(TRUST)));
        if row.grow(all.min(TRUST)).is_err() {
            return Self {
                head,
                start: begun[..begun.len().min(START_MAX)].to_vec(),
                kind: Kind::Lost(all - rest.len()),
            };
        }
        row.extend(rest);
        let kind = if place.is_some() { Kind::Row(row) } else { Kind::Whole(row) };
        Self { head, start: start.to_vec(), kind }
    }

    /// Reads what is missing. `false`: the source has no more for now.
    pub(super) fn fill<S: Source>(&mut self, source: &mut S) -> Result<bool, S::Error> {
        let all = padded(self.head.len) - self.start.len();
        if let Kind::Whole(row) | Kind::Row(row) = &mut self.kind {
            while row.bytes().len() < all {
                let there = row.bytes().len();
                if row.room() < WORD && row.grow(all.min(there.max(TRUST).saturating_mul(GROWTH))).is_err() {
                    self.lose();
                    break;
                }
                if source.read_row(row)? == 0 {
                    return Ok(false);
                }
            }
        }
        match &mut self.kind {
            Kind::Lost(missing) => skip(source, missing),
            Kind::Whole(_) | Kind::Row(_) => Ok(true),
        }
    }

    /// Gives the memory back, for the sake of all that comes behind.
    #[cold]
    fn lose(&mut self) {
        let (Kind::Whole(row) | Kind::Row(row)) = &self.kind else { return };
        let missing = padded(self.head.len) - self.start.len() - row.bytes().len();
        let room = START_MAX.saturating_sub(self.start.len()).min(row.bytes().len());
        self.start.extend_from_slice(&row.bytes()[..room]);
        self.kind = Kind::Lost(missing);
    }

    /// How much memory there is.
    #[cfg(test)]
    pub(super) fn room(&self) -> usize {
        match &self.kind {
            Kind::Whole(row) | Kind::Row(row) => row.bytes().len() + row.room(),
            Kind::Lost(_) => 0,
        }
    }

    /// What has arrived, when nothing is missing.
    pub(super) fn finish(self) -> Body<'static> {
        let len = self.head.len;
        match self.kind {
            Kind::Whole(mut row) => {
                row.truncate(len);
                let bytes: Vec<u8> = row.into(len as u64).expect("it is a row of bytes, and not of none");
                Body::Whole(bytes.into())
            }
            Kind::Row(mut row) => {
                row.truncate(len - self.start.len());
                Body::Row(Box::new(WithRow { start: self.start, row }))
            }
            Kind::Lost(_) => Body::Lost(self.start, len),
        }
    }
}

/// A row without anything in it; one of bytes takes memory that is used again, if there is some.
fn empty(place: Option<RowPlace>, len: usize) -> Row {
    let used = if place.is_none() { memory::take(len) } else { None };
    let of_used = used.and_then(|bytes| Row::from(bytes).ok());
    of_used.unwrap_or_else(|| Row::new(place.map_or(1, RowPlace::width)))
}

/// Reads what nobody has room for. `false`: the source has no more for now.
fn skip<S: Source>(source: &mut S, missing: &mut usize) -> Result<bool, S::Error> {
    let mut nowhere = [0; 4 << 10];
    while *missing > 0 {
        let most = (*missing).min(nowhere.len());
        match source.read(&mut nowhere[..most])? {
            0 => return Ok(false),
            len => *missing -= len,
        }
    }
    Ok(true)
}
