//! What an encoded value encloses: it travels beside the bytes, which hold only its name. How it is collected is not
//! known here.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::slice;
use std::sync::Arc;

use super::segment::Segment;

/// What an encoded value encloses. Mostly nothing, and else mostly one thing: neither needs memory of its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Enclosed(Items);

#[derive(Clone, Debug, Default)]
enum Items {
    #[default]
    None,
    One(Item),
    #[expect(clippy::box_collection, reason = "it is seldom, and not to be carried along by the others")]
    Many(Box<Vec<Item>>),
}

/// One of them.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    Segment(Arc<Segment>),
    /// A descriptor, which is sent each time.
    Fd(Arc<Numbered>),
    /// A segment that the reader, who is the parent, knows by this number.
    Parents(u64),
}

/// A descriptor under a number that nothing else has.
#[derive(Debug)]
pub(crate) struct Numbered {
    pub(crate) id: u64,
    pub(crate) fd: OwnedFd,
}

// Whatever is encoded carries it about, as a rule for nothing.
const _: () = assert!(size_of::<Enclosed>() <= 16, "what encloses nothing is not larger for it");

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
    pub(crate) const NONE: Self = Self(Items::None);

    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        matches!(self.0, Items::None)
    }

    pub(super) const fn one(item: Item) -> Self {
        Self(Items::One(item))
    }

    #[inline]
    pub(crate) fn items(&self) -> &[Item] {
        match &self.0 {
            Items::None => &[],
            Items::One(item) => slice::from_ref(item),
            Items::Many(items) => items,
        }
    }

    /// The number by which the reader knows it, if it is one thing and the reader has it.
    #[inline]
    pub(crate) const fn readers_own(&self) -> Option<u64> {
        match &self.0 {
            Items::One(Item::Parents(id)) => Some(*id),
            _ => None,
        }
    }

    /// Takes the one thing out, if it is one.
    #[inline]
    pub(crate) fn take_only(&mut self) -> Option<Item> {
        match std::mem::take(&mut self.0) {
            Items::One(item) => Some(item),
            others => {
                self.0 = others;
                None
            }
        }
    }

    /// Adds one more.
    #[inline]
    pub(super) fn push(&mut self, item: Item) {
        match &self.0 {
            Items::None => self.0 = Items::One(item),
            Items::One(_) | Items::Many(_) => self.add(vec![item]),
        }
    }

    /// Adds what another value encloses.
    #[inline]
    pub(crate) fn append(&mut self, other: Self) {
        match other.0 {
            Items::None => {}
            more if self.is_empty() => self.0 = more,
            Items::One(item) => self.add(vec![item]),
            Items::Many(more) => self.add(*more),
        }
    }

    #[cold]
    fn add(&mut self, mut more: Vec<Item>) {
        let mut items = match std::mem::take(&mut self.0) {
            Items::None => Box::default(),
            Items::One(item) => Box::new(vec![item]),
            Items::Many(items) => items,
        };
        // Many items of a chunk may enclose the same. To look whenever there is no more room is to look seldom.
        if items.len() + more.len() > items.capacity() {
            items.sort_by_key(Item::key);
            items.dedup_by_key(|item| item.key());
        }
        items.append(&mut more);
        self.0 = Items::Many(items);
    }
}

impl FromIterator<Item> for Enclosed {
    fn from_iter<I: IntoIterator<Item = Item>>(items: I) -> Self {
        let mut all = Self::NONE;
        items.into_iter().for_each(|item| all.push(item));
        all
    }
}

impl Item {
    /// Whether nobody else holds it, so that to drop it may take long.
    pub(crate) fn is_held_alone(&self) -> bool {
        match self {
            Self::Segment(segment) => Arc::strong_count(segment) == 1,
            Self::Fd(fd) => Arc::strong_count(fd) == 1,
            Self::Parents(_) => false,
        }
    }

    fn key(&self) -> (bool, u64) {
        match self {
            Self::Segment(segment) => (false, segment.id()),
            Self::Fd(fd) => (false, fd.id),
            Self::Parents(id) => (true, *id),
        }
    }
}

impl AsFd for Numbered {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
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
