//! What an encoded value encloses: it travels beside the bytes, which hold only its name. How it is collected is not
//! known here.

use std::os::fd::OwnedFd;
use std::slice;
use std::sync::Arc;

use super::segment::Segment;

/// What an encoded value encloses. Mostly nothing, which costs a word, and else mostly one thing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Enclosed(Option<Box<Items>>);

#[derive(Clone, Debug)]
enum Items {
    One(Item),
    Many(Vec<Item>),
}

/// One of them.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    Segment(Arc<Segment>),
    /// A descriptor under a number, which is sent each time.
    Fd(u64, Arc<OwnedFd>),
    /// A segment that the reader, who is the parent, knows by this number.
    Parents(u64),
}

/// What a segment is called in the bytes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    /// Given by the parent, under its own number.
    Given(u64),
    /// New from a worker, under the worker's number.
    New(u64),
    /// From a worker, which has it from the parent.
    Parents(u64),
}

impl Enclosed {
    /// Nothing.
    pub(crate) const NONE: Self = Self(None);

    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(super) fn one(item: Item) -> Self {
        Self(Some(Box::new(Items::One(item))))
    }

    pub(crate) fn items(&self) -> &[Item] {
        match self.0.as_deref() {
            None => &[],
            Some(Items::One(item)) => slice::from_ref(item),
            Some(Items::Many(items)) => items,
        }
    }

    /// The number by which the reader knows it, if it is one thing and the reader has it.
    pub(crate) fn readers_own(&self) -> Option<u64> {
        match self.items() {
            [Item::Parents(id)] => Some(*id),
            _ => None,
        }
    }

    /// Adds one more.
    pub(super) fn push(&mut self, item: Item) {
        match self.0.as_deref_mut() {
            None => *self = Self::one(item),
            Some(items) => items.add(vec![item]),
        }
    }

    /// Adds what another value encloses.
    #[inline]
    pub(crate) fn append(&mut self, other: Self) {
        if let Some(more) = other.0 {
            self.append_some(more);
        }
    }

    fn append_some(&mut self, more: Box<Items>) {
        let Some(items) = self.0.as_deref_mut() else {
            self.0 = Some(more);
            return;
        };
        items.add(match *more {
            Items::One(item) => vec![item],
            Items::Many(more) => more,
        });
    }
}

impl Items {
    fn add(&mut self, mut more: Vec<Item>) {
        match self {
            Self::One(item) => {
                more.insert(0, item.clone());
                *self = Self::Many(more);
            }
            Self::Many(items) => {
                // Many items of a chunk may enclose the same. To look whenever there is no more room is to look seldom.
                if items.len() + more.len() > items.capacity() {
                    items.sort_by_key(Item::key);
                    items.dedup_by_key(|item| item.key());
                }
                items.append(&mut more);
            }
        }
    }
}

impl Item {
    fn key(&self) -> (bool, u64) {
        match self {
            Self::Segment(segment) => (false, segment.id()),
            Self::Fd(id, _) => (false, *id),
            Self::Parents(id) => (true, *id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::passing::{Way, collecting, enclose};
    use super::*;

    #[test]
    fn what_many_items_enclose_is_enclosed_a_few_times() {
        let segment = || Segment::of_bytes(b"abc").unwrap().unwrap();
        let (one, other) = (segment(), segment());
        let mut chunk = Enclosed::NONE;
        for _ in 0..1000 {
            for segment in [&one, &other] {
                chunk.append(collecting(Way::Arguments, || enclose(segment).unwrap()).1);
            }
        }
        assert!((2..16).contains(&chunk.items().len()), "{}", chunk.items().len());
    }
}
