//! The calls that have not ended, each in a slot of its own: found without a search, and slots are used again.
//!
//! What a call is, is not known here.

use crate::ids::{CallId, CallKey};

/// See the module.
#[derive(Debug)]
pub(super) struct Calls<T> {
    slots: Vec<Option<(CallId, T)>>,
    /// Slots with nothing in them; the one that was left last is used next, while it is warm.
    free: Vec<u32>,
}

impl<T> Calls<T> {
    pub(super) const fn new() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Takes in a call, under a new number.
    pub(super) fn insert(&mut self, call: T) -> CallKey {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).expect("four billion calls do not fit into memory")
        });
        let id = CallId::mint();
        self.slots[slot as usize] = Some((id, call));
        CallKey { id, slot }
    }

    pub(super) fn get(&self, key: CallKey) -> Option<&T> {
        self.slots.get(key.slot as usize)?.as_ref().filter(|(id, _)| *id == key.id).map(|(_, call)| call)
    }

    pub(super) fn get_mut(&mut self, key: CallKey) -> Option<&mut T> {
        self.slots.get_mut(key.slot as usize)?.as_mut().filter(|(id, _)| *id == key.id).map(|(_, call)| call)
    }

    pub(super) fn remove(&mut self, key: CallKey) -> Option<T> {
        let slot = self.slots.get_mut(key.slot as usize)?;
        let (_, call) = slot.take_if(|(id, _)| *id == key.id)?;
        self.free.push(key.slot);
        Some(call)
    }

    /// Takes all calls out.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = T> {
        self.free.clear();
        std::mem::take(&mut self.slots).into_iter().flatten().map(|(_, call)| call)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn fut_21_a_slot_is_used_again_and_an_old_key_finds_nothing_there() {
        let mut calls = Calls::new();
        let (first, second) = (calls.insert("first"), calls.insert("second"));
        assert_eq!((calls.remove(first), calls.remove(first), calls.len()), (Some("first"), None, 1));
        let third = calls.insert("third");
        assert_eq!((third.slot, calls.get(first)), (first.slot, None));
        assert_eq!(calls.get_mut(first), None);
        assert_eq!((calls.remove(first), calls.get(third)), (None, Some(&"third")));
        let mut left: Vec<_> = calls.drain().collect();
        left.sort_unstable();
        assert_eq!((left, calls.get(second), calls.len()), (vec!["second", "third"], None, 0));
        assert_eq!(calls.get(CallKey::nowhere()), None);
    }
}
