//! Which segments one worker has been given: those that it knows need not be sent again, and those that it may name in
//! its results are kept for as long as it may.
//!
//! A segment whose last holder in this process is gone is to be forgotten by the worker. What the worker has answered by
//! then, and will have answered before it reads that, may still name it; so its memory stays until all calls that were
//! given before are answered. A worker that runs such a call has the memory mapped anyhow.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use super::given::Given;
use crate::shared::segment::{Core, Segment};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Held {
    given: BTreeMap<u64, Known>,
    /// Those that it was told to forget, with the number of the last call that it was given before.
    leaving: Vec<(u64, u64, Known)>,
}

#[derive(Debug)]
struct Known {
    /// It may be gone.
    segment: Weak<Segment>,
    core: Arc<Core>,
    is_given: bool,
}

impl Held {
    /// Returns whether the worker has to be given it.
    pub(super) fn add(&mut self, segment: &Arc<Segment>) -> bool {
        let known = self.given.entry(segment.id()).or_insert_with(|| Known {
            segment: Arc::downgrade(segment),
            core: Arc::clone(segment.core()),
            is_given: false,
        });
        !std::mem::replace(&mut known.is_given, true)
    }

    /// The worker had no room for something. It does not say for what, so it is given again whatever is needed; and may
    /// still name what it had room for.
    #[cold]
    pub(super) fn give_again(&mut self) {
        self.given.values_mut().for_each(|known| known.is_given = false);
    }

    /// The segment that the worker names; `None` if it was never given it, or was to have forgotten it.
    pub(super) fn find(&self, id: u64) -> Option<Arc<Segment>> {
        let leaving = || self.leaving.iter().find(|(_, leaving, _)| *leaving == id).map(|(_, _, known)| known);
        let known = self.given.get(&id).or_else(leaving)?;
        Some(Segment::revive(&known.segment, &known.core))
    }

    /// The last holder is gone. Returns whether the worker has to be told.
    pub(super) fn forget(&mut self, id: u64, given: &Given) -> bool {
        let known = self.given.remove(&id);
        let is_known = known.is_some();
        self.leaving.extend(known.map(|known| (given.last(), id, known)));
        is_known
    }

    /// Whether something stays only until calls are answered.
    #[inline]
    pub(super) fn is_leaving(&self) -> bool {
        !self.leaving.is_empty()
    }

    /// What the worker cannot name any more.
    pub(super) fn take_left(&mut self, given: &Given) -> Vec<Arc<Core>> {
        let mut left = Vec::new();
        let first = given.first();
        self.leaving.retain(|(last, _, known)| {
            let may_be_named = first.is_some_and(|first| first <= *last);
            if !may_be_named {
                left.push(Arc::clone(&known.core));
            }
            may_be_named
        });
        left
    }
}
