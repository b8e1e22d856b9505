//! The calls that have not ended, each in a slot of its own: found without a search, and slots are used again. One that
//! has ended leaves its end there, if somebody will ask for it.
//!
//! What a call is, and what its end, is not known here.

use crate::ids::{CallId, CallKey};

/// See the module.
#[derive(Debug)]
pub(super) struct Calls<T, E> {
    slots: Vec<Slot<T, E>>,
    /// Slots with nothing in them; the one that was left last is used next, while it is warm.
    free: Vec<u32>,
    /// How many have not ended.
    open: usize,
}

#[derive(Debug)]
pub(super) enum Slot<T, E> {
    Vacant,
    Open(CallId, T),
    Ended(CallId, E),
}

impl<T, E> Calls<T, E> {
    pub(super) const fn new() -> Self {
        Self { slots: Vec::new(), free: Vec::new(), open: 0 }
    }

    /// How many have not ended.
    pub(super) fn len(&self) -> usize {
        self.open
    }

    /// Takes in a call, under a new number.
    pub(super) fn insert(&mut self, call: T) -> CallKey {
        self.insert_as(CallId::mint(), call)
    }

    /// The same under this number, which no other call has.
    pub(super) fn insert_as(&mut self, id: CallId, call: T) -> CallKey {
        let filled = Slot::Open(id, call);
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = filled;
                slot
            }
            None => {
                self.slots.push(filled);
                u32::try_from(self.slots.len() - 1).expect("four billion calls do not fit into memory")
            }
        };
        self.open += 1;
        CallKey { id, slot }
    }

    pub(super) fn get(&self, key: CallKey) -> Option<&T> {
        match self.slots.get(key.slot as usize)? {
            Slot::Open(id, call) if *id == key.id => Some(call),
            _ => None,
        }
    }

    pub(super) fn get_mut(&mut self, key: CallKey) -> Option<&mut T> {
        match self.slots.get_mut(key.slot as usize)? {
            Slot::Open(id, call) if *id == key.id => Some(call),
            _ => None,
        }
    }

    /// The call has ended. What is [left](Self::leave) of it is to be said at once.
    pub(super) fn take(&mut self, key: CallKey) -> Option<T> {
        self.get(key)?;
        let Slot::Open(_, call) = std::mem::replace(&mut self.slots[key.slot as usize], Slot::Vacant) else {
            return None;
        };
        self.open -= 1;
        Some(call)
    }

    /// What is left of a call that was just taken; if nothing is, its slot is free.
    pub(super) fn leave(&mut self, key: CallKey, end: Option<E>) {
        match end {
            Some(end) => self.slots[key.slot as usize] = Slot::Ended(key.id, end),
            None => self.free.push(key.slot),
        }
    }

    /// What is left of a call that has ended.
    pub(super) fn ended(&mut self, key: CallKey) -> Option<&mut E> {
        match self.slots.get_mut(key.slot as usize)? {
            Slot::Ended(id, end) if *id == key.id => Some(end),
            _ => None,
        }
    }

    /// Takes that out: nobody will ask for it any more.
    pub(super) fn take_ended(&mut self, key: CallKey) -> Option<E> {
        self.ended(key)?;
        let Slot::Ended(_, end) = std::mem::replace(&mut self.slots[key.slot as usize], Slot::Vacant) else {
            return None;
        };
        self.free.push(key.slot);
        Some(end)
    }

    /// Whether nothing of any call is left.
    #[cfg(all(test, not(loom)))]
    pub(super) fn is_vacant(&self) -> bool {
        self.open == 0
            && self.slots.len() == self.free.len()
            && self.slots.iter().all(|slot| matches!(slot, Slot::Vacant))
    }

    /// All calls that have not ended.
    pub(super) fn open(&self) -> Vec<CallKey> {
        let key = |(slot, id): (u32, CallId)| CallKey { id, slot };
        let open = (0..).zip(&self.slots).filter_map(|(slot, call)| match call {
            Slot::Open(id, _) => Some((slot, *id)),
            Slot::Vacant | Slot::Ended(..) => None,
        });
        open.map(key).collect()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn fut_21_a_slot_is_used_again_and_an_old_key_finds_nothing_there() {
        let mut calls = Calls::<_, ()>::new();
        let (first, second) = (calls.insert("first"), calls.insert("second"));
        assert_eq!((calls.take(first), calls.take(first), calls.len()), (Some("first"), None, 1));
        assert_ne!(calls.insert("meanwhile").slot, first.slot, "what is left there was not said yet");
        calls.leave(first, None);
        let third = calls.insert("third");
        assert_eq!((third.slot, calls.get(first)), (first.slot, None));
        assert_eq!(calls.get_mut(first), None);
        assert_eq!((calls.take(first), calls.get(third)), (None, Some(&"third")));
        assert!(calls.open().starts_with(&[third, second]));
        assert_eq!(calls.get(CallKey::nowhere()), None);
    }

    #[test]
    fn what_is_left_of_a_call_is_there_until_it_is_taken() {
        let mut calls = Calls::new();
        let first = calls.insert("first");
        assert_eq!(calls.ended(first), None, "it has not ended");
        calls.take(first);
        calls.leave(first, Some(5));
        let second = calls.insert("second");
        assert!(second.slot != first.slot && calls.get(first).is_none() && calls.open() == [second]);
        assert_eq!((calls.ended(first).copied(), calls.ended(second)), (Some(5), None));
        assert_eq!((calls.take_ended(second), calls.take_ended(first), calls.take_ended(first)), (None, Some(5), None));
        assert_eq!((calls.insert("third").slot, calls.len()), (first.slot, 2));
    }
}
