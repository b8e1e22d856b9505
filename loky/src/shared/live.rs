//! Where in this process's memory the live segments lie: a long slice of numbers that lies inside of one need not travel
//! as what it is, but as a range.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};

use super::passing::{self, Enclosed, Item, Name};
use super::segment::Segment;
use crate::sys::own_pid::own_pid;

/// A range of the bytes of a segment.
#[derive(Clone, Debug)]
pub(crate) struct Stretch {
    segment: Arc<Segment>,
    start: usize,
    len: usize,
}

#[derive(Debug)]
struct Live {
    end: usize,
    id: u64,
    segment: Weak<Segment>,
}

/// By the address of the first byte.
static LIVE: RwLock<BTreeMap<usize, Live>> = RwLock::new(BTreeMap::new());

/// Who may use that: in a child that was forked the lock may be held for ever. Zero at first.
static OWNER: AtomicU32 = AtomicU32::new(0);

/// From now on the segment can be found.
pub(super) fn add(segment: &Arc<Segment>) {
    let _ = OWNER.compare_exchange(0, own_pid(), Ordering::Relaxed, Ordering::Relaxed);
    if !is_ours() {
        return;
    }
    let bytes = segment.bytes().as_ptr_range();
    let live = Live { end: bytes.end.addr(), id: segment.id(), segment: Arc::downgrade(segment) };
    LIVE.write().unwrap_or_else(PoisonError::into_inner).insert(bytes.start.addr(), live);
}

/// The segment is about to be gone. Another one may have its memory already.
pub(super) fn remove(segment: &Segment) {
    if !is_ours() {
        return;
    }
    let start = segment.bytes().as_ptr().addr();
    let mut all = LIVE.write().unwrap_or_else(PoisonError::into_inner);
    if all.get(&start).is_some_and(|live| live.id == segment.id()) {
        all.remove(&start);
    }
}

fn is_ours() -> bool {
    OWNER.load(Ordering::Relaxed) == own_pid()
}

impl Stretch {
    /// The stretch that these very bytes are, if they lie inside of a live segment.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        if !is_ours() {
            return None;
        }
        let (start, len) = (bytes.as_ptr().addr(), bytes.len());
        let all = LIVE.read().unwrap_or_else(PoisonError::into_inner);
        let (first, live) = all.range(..=start).next_back()?;
        if start.checked_add(len)? > live.end {
            return None;
        }
        // Handed out, and so not dropped under the lock, which whoever is dropped last takes.
        live.segment.upgrade().map(|segment| Self { segment, start: start - first, len })
    }

    /// The stretch that another process means.
    pub(crate) fn find([id, start, len]: [u64; 3]) -> Result<Self, String> {
        let segment = passing::find(Name::Given(id))?;
        let range = usize::try_from(start).ok().zip(usize::try_from(len).ok());
        match range.filter(|(start, len)| start.checked_add(*len).is_some_and(|end| end <= segment.bytes().len())) {
            Some((start, len)) => Ok(Self { segment, start, len }),
            None => Err("a range lies beyond its `loky::Shared`".to_string()),
        }
    }

    /// What it is called in the other process, if it is enclosed.
    pub(crate) fn name(&self) -> [u64; 3] {
        [self.segment.id(), self.start as u64, self.len as u64]
    }

    /// What whoever names it has to enclose.
    pub(crate) fn enclosed(self) -> Enclosed {
        Enclosed::one(Item::Segment(self.segment))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.segment.bytes()[self.start..self.start + self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_inside_of_a_live_segment_is_found_and_nothing_else() {
        let shared = crate::shared::Shared::from_vec((0..=255_u8).collect());
        let segment = shared.segment().unwrap();
        for range in [0..256, 0..1, 255..256, 100..200, 7..7] {
            let found = Stretch::of(&shared[range.clone()]).unwrap();
            assert_eq!(found.name(), [segment.id(), range.start as u64, range.len() as u64]);
            assert_eq!(found.bytes(), &shared[range]);
        }
        let elsewhere: Vec<u8> = shared.iter().copied().collect();
        assert!(Stretch::of(&elsewhere).is_none());
        drop((shared, segment));
        let elsewhere = crate::shared::Shared::from_vec(vec![0_u8; 10]);
        assert_eq!(Stretch::of(&elsewhere).unwrap().name()[0], elsewhere.segment().unwrap().id());
    }

    #[test]
    fn a_range_that_is_none_is_not_believed() {
        let segment = Segment::of_bytes(b"abc").unwrap().unwrap();
        let id = segment.id();
        passing::give(id, passing::Arrival::known(Name::Given(id), segment));
        assert_eq!(Stretch::find([id, 1, 2]).unwrap().bytes(), b"bc");
        for (start, len) in [(0, 4), (3, 1), (4, 0), (u64::MAX, 1), (1, u64::MAX)] {
            assert!(Stretch::find([id, start, len]).is_err(), "{start} {len}");
        }
        passing::forget(id);
        assert!(Stretch::find([id, 0, 1]).is_err());
    }
}
