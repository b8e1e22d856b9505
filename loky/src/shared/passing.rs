//! How what does not travel as bytes travels beside them.
//!
//! While a value is encoded, it *encloses* segments: its bytes hold their names, and they themselves are collected
//! here. While a value is decoded, the names are looked up here: in a worker among what its parent has given it, and
//! elsewhere among what came along with the very result. All of this is a matter of one thread, since users' own
//! `Serialize` and `Deserialize` stand between here and whoever knows the link.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::os::fd::OwnedFd;
use std::sync::Arc;

pub(crate) use super::arrival::{Arrival, Arrivals};
pub(crate) use super::enclosed::{Enclosed, Item, Name, Numbered};
use super::exhaustion;
use super::segment::{Kind, Segment, next_id};

/// What a value is encoded for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Arguments,
    Captures,
    Result,
}

/// What is just being encoded on this thread.
struct Encoding {
    /// `None` if nothing is.
    way: Option<Way>,
    collected: Enclosed,
}

thread_local! {
    static ENCODING: RefCell<Encoding> = const { RefCell::new(Encoding { way: None, collected: Enclosed::NONE }) };
    static LAID_OUT: RefCell<Option<Arrivals>> = const { RefCell::new(None) };
    static GIVEN: RefCell<BTreeMap<u64, Arrival>> = const { RefCell::new(BTreeMap::new()) };
    static GIVEN_FDS: RefCell<Vec<Arrival>> = const { RefCell::new(Vec::new()) };
}

/// Encodes a value by `work`, which must not unwind, and collects what it encloses.
pub(crate) fn collecting<R>(way: Way, work: impl FnOnce() -> R) -> (R, Enclosed) {
    // Saved, for the code of users may encode another call in the middle of this one.
    let before = ENCODING.replace(Encoding { way: Some(way), collected: Enclosed::NONE });
    exhaustion::take();
    let done = work();
    (done, ENCODING.replace(before).collected)
}

/// The value that is just being encoded encloses `segment`. Returns its name, or why it cannot.
pub(super) fn enclose(segment: &Arc<Segment>) -> Result<Name, &'static str> {
    ENCODING.with_borrow_mut(|encoding| {
        let (item, name) = match (encoding.way, segment.parents()) {
            (None, _) => return Err("a `loky::Shared` travels only as an argument or a result of a task"),
            (Some(Way::Arguments | Way::Captures), _) => {
                (Item::Segment(Arc::clone(segment)), Name::Given(segment.id()))
            }
            (Some(Way::Result), Some(id)) => (Item::Parents(id), Name::Parents(id)),
            (Some(Way::Result), None) if segment.core().kind() == Kind::File => {
                return Err("a file that a worker has mapped cannot be a result, since the worker could change it: \
                            return its path");
            }
            (Some(Way::Result), None) => (Item::Segment(Arc::clone(segment)), Name::New(segment.id())),
        };
        encoding.collected.push(item);
        Ok(name)
    })
}

/// The same for a descriptor, of which a duplicate is enclosed.
pub(super) fn enclose_fd(fd: &OwnedFd) -> Result<Name, String> {
    let way = ENCODING
        .with_borrow(|encoding| encoding.way)
        .ok_or("a `loky::Fd` travels only as an argument or a result of a task")?;
    let fd = fd.try_clone().map_err(|why| format!("a `loky::Fd` cannot be duplicated: {}", exhaustion::told(why)))?;
    let id = next_id();
    ENCODING.with_borrow_mut(|encoding| encoding.collected.push(Item::Fd(Arc::new(Numbered { id, fd }))));
    Ok(if way == Way::Result { Name::New(id) } else { Name::Given(id) })
}

/// Decodes a result by `work`, with which `arrivals` came along. Not inlined: most results bring nothing, and are quick
/// to decode.
#[inline(never)]
pub(crate) fn supplying<R>(arrivals: Arrivals, work: impl FnOnce() -> R) -> R {
    /// Puts back what was laid out before, also if `work` unwinds.
    struct PutBack(Option<Arrivals>);
    impl Drop for PutBack {
        fn drop(&mut self) {
            LAID_OUT.set(self.0.take());
        }
    }
    exhaustion::take();
    let _put_back = PutBack(LAID_OUT.replace(Some(arrivals)));
    work()
}

/// The segment of this name.
pub(super) fn find(name: Name) -> Result<Arc<Segment>, String> {
    let found = match name {
        Name::Given(id) => GIVEN.with_borrow(|given| given.get(&id).map(Arrival::segment)),
        Name::New(_) | Name::Parents(_) => LAID_OUT.with_borrow(|arrivals| arrivals.as_ref()?.segment(name)),
    };
    found.unwrap_or_else(|| Err("a `loky::Shared` can be decoded only where it was sent to".to_string()))
}

/// The descriptor of this name, which is there once.
pub(super) fn take_fd(name: Name) -> Result<OwnedFd, String> {
    let found = match name {
        Name::Given(_) => GIVEN_FDS.with_borrow(|given| Arrival::find(given, name).map(Arrival::take_fd)),
        Name::New(_) | Name::Parents(_) => LAID_OUT.with_borrow(|arrivals| arrivals.as_ref()?.take_fd(name)),
    };
    found.unwrap_or_else(|| Err("a `loky::Fd` can be decoded only where it was sent to".to_string()))
}

/// In a worker: the parent has given this descriptor for the next call.
pub(crate) fn give_fd(arrival: Arrival) {
    GIVEN_FDS.with_borrow_mut(|given| given.push(arrival));
}

/// In a worker: the call is over, and what of its descriptors was not decoded is closed.
pub(crate) fn end_call() {
    GIVEN_FDS.with_borrow_mut(Vec::clear);
    exhaustion::take();
}

/// In a worker: the parent has given this. It may have been given before: then the parent was told that something was
/// missing, and gives all again. What was not missing stays what it is, since tasks may hold it.
pub(crate) fn give(id: u64, arrival: Arrival) {
    GIVEN.with_borrow_mut(|given| match given.entry(id) {
        Entry::Occupied(known) if known.get().is_there() => {}
        Entry::Occupied(mut missing) => _ = missing.insert(arrival),
        Entry::Vacant(place) => _ = place.insert(arrival),
    });
}

/// In a worker: nobody in the parent holds the segment any more.
pub(crate) fn forget(id: u64) {
    let forgotten = GIVEN.with_borrow_mut(|given| given.remove(&id));
    if let Some(segment) = forgotten.and_then(Arrival::into_segment) {
        segment.forget_parent();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment() -> Arc<Segment> {
        Segment::of_bytes(b"abc").unwrap().unwrap()
    }

    #[test]
    fn what_is_encoded_in_the_middle_of_something_else_collects_for_itself() {
        let (outer, inner) = (segment(), segment());
        let (_, all) = collecting(Way::Arguments, || {
            enclose(&outer).unwrap();
            let (_, within) = collecting(Way::Result, || enclose(&inner).unwrap());
            assert!(matches!(within.items(), [Item::Segment(found)] if found.id() == inner.id()));
            assert_eq!(enclose(&outer), Ok(Name::Given(outer.id())));
        });
        assert_eq!(all.items().len(), 2);
        assert!(enclose(&outer).is_err() && collecting(Way::Result, || ()).1.is_empty(), "it is over");
    }

    #[test]
    fn what_the_parent_has_given_goes_back_by_its_number_until_it_is_forgotten() {
        let there = segment();
        let fd = std::os::fd::AsFd::as_fd(&**there.core()).try_clone_to_owned().unwrap();
        give(7, Arrival::waiting(Name::Given(7), fd, 3, Kind::Sealed));
        let found = find(Name::Given(7)).unwrap();
        assert!(found.bytes() == b"abc" && Arc::ptr_eq(&found, &find(Name::Given(7)).unwrap()), "it is mapped once");
        let name = || collecting(Way::Result, || enclose(&found).unwrap()).0;
        assert_eq!(name(), Name::Parents(7));
        forget(7);
        assert_eq!(name(), Name::New(found.id()), "the parent would not know it any more");
        assert!(find(Name::Given(7)).is_err());
    }

    #[test]
    fn a_result_is_decoded_with_what_came_along_and_with_nothing_else() {
        let there = segment();
        let arrivals =
            Arrivals::from(vec![Arrival::known(Name::Parents(3), Arc::clone(&there)), Arrival::lost(Name::New(9))]);
        assert!(find(Name::Parents(3)).is_err());
        supplying(arrivals.clone(), || {
            assert_eq!(find(Name::Parents(3)).unwrap().id(), there.id());
            assert!(find(Name::New(9)).unwrap_err().contains("too many open files"));
            supplying(Arrivals::from(Vec::new()), || assert!(find(Name::Parents(3)).is_err()));
            assert!(find(Name::New(3)).is_err() && find(Name::Parents(3)).is_ok());
        });
        assert!(find(Name::Parents(3)).is_err());
    }
}
