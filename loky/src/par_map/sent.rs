//! A chunk of consecutive items, while it is filled and while it is on its way.
//!
//! Nothing here knows how many items there shall be, or what comes of them.

use std::sync::Arc;

use crate::driver::{Lengths, OutcomeCell};
use crate::ids::CallKey;
use crate::transport::payload::Payload;
use crate::wire::body::Encoded;

/// Consecutive items, while they gather.
#[derive(Default)]
pub(super) struct Chunk {
    pub(super) first: usize,
    pub(super) payload: Encoded,
    pub(super) lengths: Lengths,
}

/// Consecutive items, encoded.
pub(super) struct Batch {
    /// The place of the first one in the input.
    pub(super) first: usize,
    pub(super) payload: Payload,
    pub(super) lengths: Lengths,
}

/// A chunk that is on its way, and what it takes to send a part of it once more.
pub(super) struct Sent {
    pub(super) call: CallKey,
    pub(super) cell: Arc<OutcomeCell>,
    pub(super) batch: Batch,
    /// Whether the scheduler itself tries again, which it does for single items.
    pub(super) is_single: bool,
}

impl Chunk {
    /// An item was encoded, from `before` to the end of the payload.
    #[inline]
    pub(super) fn push(&mut self, place: usize, before: usize) {
        if self.is_empty() {
            self.first = place;
        }
        self.lengths.push(self.payload.bytes.len() - before);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lengths.count() == 0
    }
}

impl Batch {
    pub(super) fn count(&self) -> usize {
        self.lengths.count()
    }

    /// The items from number `from` up to `to`, for themselves.
    pub(super) fn part(&self, from: usize, to: usize) -> Self {
        let bytes = self.lengths.start(from)..self.lengths.start(to);
        let (bytes, enclosed) = (&self.payload[bytes], self.payload.enclosed());
        let payload = match enclosed.is_empty() {
            true => Payload::copy(bytes),
            // Which item encloses what is not known any more.
            false => {
                let enclosed = enclosed.iter().cloned().collect();
                Encoded { bytes: bytes.to_vec(), enclosed, ..Encoded::NONE }.into()
            }
        };
        Self { first: self.first + from, payload, lengths: self.lengths.part(from..to) }
    }
}
