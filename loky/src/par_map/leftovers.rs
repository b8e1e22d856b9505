//! Items that were sent and came back without having run: they are sent once more, the first ones of the input first.
//!
//! What is left of a chunk stays as it was encoded, and parts of it are taken from its front, so each byte is copied once,
//! however long the chunk was and however short the parts are.

use std::collections::BTreeMap;

use super::sent::Batch;

/// See the module.
#[derive(Default)]
pub(super) struct Leftovers {
    /// Each from its number on, by the place of its first item.
    batches: BTreeMap<usize, (Batch, usize)>,
    count: usize,
}

impl Leftovers {
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many items there are.
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// What stands in `batch` from item number `from` on, if there is any of it.
    pub(super) fn put(&mut self, batch: Batch, from: usize) {
        let count = batch.count().saturating_sub(from);
        if count > 0 {
            self.count += count;
            self.batches.insert(batch.first + from, (batch, from));
        }
    }

    /// The first items, at most `len` of them.
    pub(super) fn take(&mut self, len: usize) -> Option<Batch> {
        let (_, (batch, from)) = self.batches.pop_first()?;
        let to = (from + len.max(1)).min(batch.count());
        let taken = batch.part(from, to);
        self.count -= batch.count() - from;
        self.put(batch, to);
        Some(taken)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::driver::Lengths;
    use crate::transport::payload::Payload;

    fn batch(first: usize, items: &[&str]) -> Batch {
        let mut lengths = Lengths::default();
        items.iter().for_each(|item| lengths.push(item.len()));
        Batch { first, payload: Payload::copy(items.concat().as_bytes()), lengths }
    }

    fn taken(leftovers: &mut Leftovers, len: usize) -> Option<(usize, Vec<u8>, usize)> {
        leftovers.take(len).map(|batch| (batch.first, batch.payload.to_vec(), batch.count()))
    }

    #[test]
    fn the_first_items_of_the_input_go_first() {
        let mut leftovers = Leftovers::default();
        assert!(leftovers.is_empty() && leftovers.take(3).is_none());
        leftovers.put(batch(20, &["u", "vv", "w", "xx"]), 1);
        leftovers.put(batch(10, &["a", "b"]), 0);
        leftovers.put(batch(30, &["z"]), 1);
        assert_eq!(leftovers.count(), 5);
        assert_eq!(taken(&mut leftovers, 5), Some((10, b"ab".to_vec(), 2)));
        assert_eq!(taken(&mut leftovers, 2), Some((21, b"vvw".to_vec(), 2)));
        assert_eq!((taken(&mut leftovers, 0), leftovers.count()), (Some((23, b"xx".to_vec(), 1)), 0));
        assert!(leftovers.is_empty() && leftovers.take(1).is_none());
    }
}
