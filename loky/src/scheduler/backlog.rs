//! The calls that wait, by priority and then by age: a list through their own slots for each priority.
//!
//! A list costs a call two numbers, and no allocation. A new call is the youngest and goes to the end; one whose time
//! is over leaves from the middle; and one that returns takes its old place, ahead of all that came later. Calls
//! leave from the front, so what is older than one that returns has returned, too, as a rule shortly before: the
//! place is sought from where the last one was found, not through all that waits.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::calls::Call;

/// See the module. Calls are named by their slots, and their numbers are their ages.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    len: usize,
    /// Of the priority that nearly all have.
    plain: Level,
    /// Of each other priority that any call has.
    others: BTreeMap<Reverse<i32>, Level>,
}

/// The calls of one priority.
#[derive(Clone, Copy, Debug)]
struct Level {
    oldest: u32,
    youngest: u32,
    /// The one that has returned last, if it is still here.
    returned: u32,
}

const NONE: u32 = u32::MAX;
const PLAIN: i32 = 0;

impl Default for Level {
    fn default() -> Self {
        Self { oldest: NONE, youngest: NONE, returned: NONE }
    }
}

impl Backlog {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The call that is next, with its priority.
    pub(super) fn front(&self) -> Option<(i32, u32)> {
        let other = self.others.first_key_value().map(|(&Reverse(priority), level)| (priority, level.oldest));
        let plain = (self.plain.oldest != NONE).then_some((PLAIN, self.plain.oldest));
        match (other, plain) {
            (Some(other), Some(plain)) => Some(if other.0 > PLAIN { other } else { plain }),
            (other, plain) => other.or(plain),
        }
    }

    pub(super) fn insert(&mut self, calls: &mut [Call], slot: u32) {
        let priority = calls[slot as usize].priority();
        let level = if priority == PLAIN { &mut self.plain } else { self.others.entry(Reverse(priority)).or_default() };
        level.insert(calls, slot);
        self.len += 1;
    }

    pub(super) fn remove(&mut self, calls: &mut [Call], slot: u32) {
        self.len -= 1;
        let priority = calls[slot as usize].priority();
        if priority == PLAIN {
            return self.plain.remove(calls, slot);
        }
        let level = self.others.get_mut(&Reverse(priority)).expect("a call that waits is in the list of its priority");
        level.remove(calls, slot);
        if level.oldest == NONE {
            self.others.remove(&Reverse(priority));
        }
    }
}

impl Level {
    fn insert(&mut self, calls: &mut [Call], slot: u32) {
        let id = calls[slot as usize].id;
        let is_youngest = self.youngest == NONE || calls[self.youngest as usize].id < id;
        let older = if is_youngest { self.youngest } else { self.place_of_returned(calls, slot) };
        let younger = if older == NONE { self.oldest } else { calls[older as usize].younger };
        (calls[slot as usize].older, calls[slot as usize].younger) = (older, younger);
        self.link(calls, older, slot, slot, younger);
    }

    fn remove(&mut self, calls: &mut [Call], slot: u32) {
        let Call { older, younger, .. } = calls[slot as usize];
        self.link(calls, older, younger, older, younger);
        if self.returned == slot {
            self.returned = NONE;
        }
    }

    /// Behind `older` comes `next`, and before `younger` is `last`.
    fn link(&mut self, calls: &mut [Call], older: u32, next: u32, last: u32, younger: u32) {
        *if older == NONE { &mut self.oldest } else { &mut calls[older as usize].younger } = next;
        *if younger == NONE { &mut self.youngest } else { &mut calls[younger as usize].older } = last;
    }

    /// Behind which call one that returns belongs.
    fn place_of_returned(&mut self, calls: &[Call], slot: u32) -> u32 {
        let id = calls[slot as usize].id;
        let mut at = if self.returned == NONE { self.oldest } else { self.returned };
        while at != NONE && calls[at as usize].id > id {
            at = calls[at as usize].older;
        }
        loop {
            let next = if at == NONE { self.oldest } else { calls[at as usize].younger };
            if next == NONE || calls[next as usize].id > id {
                break;
            }
            at = next;
        }
        self.returned = slot;
        at
    }
}

#[cfg(any(test, fuzzing))]
impl Backlog {
    /// All calls that wait, in order.
    pub(super) fn walk<'a>(&'a self, calls: &'a [Call]) -> impl Iterator<Item = &'a Call> {
        let others = |is_wanted: fn(i32) -> bool| self.others.iter().filter(move |(level, _)| is_wanted(level.0));
        let (higher, lower) = (others(|priority| priority > PLAIN), others(|priority| priority < PLAIN));
        let levels = higher.map(|(_, level)| level).chain([&self.plain]).chain(lower.map(|(_, level)| level));
        levels.flat_map(|level| level.walk(calls))
    }
}

#[cfg(any(test, fuzzing))]
impl Level {
    fn walk<'a>(&self, calls: &'a [Call]) -> impl Iterator<Item = &'a Call> {
        let get = move |slot: u32| (slot != NONE).then(|| &calls[slot as usize]);
        std::iter::successors(get(self.oldest), move |call| {
            let next = get(call.younger);
            assert!(
                next.is_none_or(|next| calls[next.older as usize].id == call.id),
                "both neighbors know of each other"
            );
            next
        })
    }
}
