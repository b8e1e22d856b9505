//! How what does not travel as bytes travels beside them.
//!
//! While a value is encoded, it *encloses* segments: its bytes hold their names, and they themselves are collected
//! here. While a value is decoded, the names are looked up here: in a worker among what its parent has given it, and
//! elsewhere among what came along with the very result. All of this is a matter of one thread, since users' own
//! `Serialize` and `Deserialize` stand between here and whoever knows the link.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use super::segment::{Core, Kind, Segment, next_id};

/// What an encoded value encloses. Mostly nothing, which costs a word.
#[derive(Clone, Debug, Default)]
#[expect(clippy::box_collection, reason = "nearly always there is nothing, which should be a word")]
pub(crate) struct Enclosed(Option<Box<Vec<Item>>>);

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

/// What a value is encoded for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Arguments,
    Captures,
    Result,
}

/// Something enclosed that came from the other process; mapped when somebody wants it.
#[derive(Debug)]
pub(crate) struct Arrival {
    name: Name,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    There(Arc<Segment>),
    Waits(OwnedFd, u64, Kind),
    Fd(OwnedFd),
    Lost(String),
}

/// What came along with a result; shared, for it is laid out for each decoding.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arrivals(Arc<Vec<Arrival>>);

thread_local! {
    static WAY: Cell<Option<Way>> = const { Cell::new(None) };
    static COLLECTED: RefCell<Vec<Item>> = const { RefCell::new(Vec::new()) };
    static LAID_OUT: RefCell<Option<Arrivals>> = const { RefCell::new(None) };
    static GIVEN: RefCell<BTreeMap<u64, Arrival>> = const { RefCell::new(BTreeMap::new()) };
    static GIVEN_FDS: RefCell<Vec<Arrival>> = const { RefCell::new(Vec::new()) };
}

/// Encodes a value by `work`, which must not unwind, and collects what it encloses.
pub(crate) fn collecting<R>(way: Way, work: impl FnOnce() -> R) -> (R, Enclosed) {
    // Saved, for the code of users may encode another call in the middle of this one.
    let before = (WAY.replace(Some(way)), COLLECTED.take());
    let done = work();
    WAY.set(before.0);
    let collected = COLLECTED.replace(before.1);
    (done, Enclosed((!collected.is_empty()).then(|| Box::new(collected))))
}

/// The value that is just being encoded encloses `segment`. Returns its name, or why it cannot.
pub(super) fn enclose(segment: &Arc<Segment>) -> Result<Name, &'static str> {
    let (item, name) = match (WAY.get(), segment.parents()) {
        (None, _) => return Err("a `loky::Shared` travels only as an argument or a result of a task"),
        (Some(Way::Arguments | Way::Captures), _) => (Item::Segment(Arc::clone(segment)), Name::Given(segment.id())),
        (Some(Way::Result), Some(id)) => (Item::Parents(id), Name::Parents(id)),
        (Some(Way::Result), None) if segment.core().kind() == Kind::File => {
            return Err("a file that a worker has mapped cannot be a result, since the worker could change it: \
                        return its path");
        }
        (Some(Way::Result), None) => (Item::Segment(Arc::clone(segment)), Name::New(segment.id())),
    };
    COLLECTED.with_borrow_mut(|collected| collected.push(item));
    Ok(name)
}

/// The same for a descriptor, of which a duplicate is enclosed.
pub(super) fn enclose_fd(fd: &OwnedFd) -> Result<Name, String> {
    let way = WAY.get().ok_or("a `loky::Fd` travels only as an argument or a result of a task")?;
    let copy = fd.try_clone().map_err(|why| format!("a `loky::Fd` cannot be duplicated: {why}"))?;
    let id = next_id();
    COLLECTED.with_borrow_mut(|collected| collected.push(Item::Fd(id, Arc::new(copy))));
    Ok(if way == Way::Result { Name::New(id) } else { Name::Given(id) })
}

/// Decodes a result by `work`, with which `arrivals` came along. Not inlined: most results bring nothing, and are quick
/// to decode.
#[inline(never)]
pub(crate) fn supplying<R>(arrivals: &Arrivals, work: impl FnOnce() -> R) -> R {
    /// Puts back what was laid out before, also if `work` unwinds.
    struct PutBack(Option<Arrivals>);
    impl Drop for PutBack {
        fn drop(&mut self) {
            LAID_OUT.set(self.0.take());
        }
    }
    let _put_back = PutBack(LAID_OUT.replace(Some(arrivals.clone())));
    work()
}

/// The segment of this name.
pub(super) fn find(name: Name) -> Result<Arc<Segment>, String> {
    let found = match name {
        Name::Given(id) => GIVEN.with_borrow(|given| given.get(&id).map(Arrival::segment)),
        Name::New(_) | Name::Parents(_) => LAID_OUT.with_borrow(|arrivals| {
            let arrivals = arrivals.as_ref()?;
            arrivals.0.iter().find(|arrival| arrival.name == name).map(Arrival::segment)
        }),
    };
    found.unwrap_or_else(|| Err("a `loky::Shared` can be decoded only where it was sent to".to_string()))
}

/// The descriptor of this name, which is there once.
pub(super) fn take_fd(name: Name) -> Result<OwnedFd, String> {
    let of = |all: &[Arrival]| all.iter().find(|arrival| arrival.name == name).map(Arrival::take_fd);
    let found = match name {
        Name::Given(_) => GIVEN_FDS.with_borrow(|given| of(given)),
        Name::New(_) | Name::Parents(_) => LAID_OUT.with_borrow(|arrivals| of(&arrivals.as_ref()?.0)),
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
}

/// In a worker: the parent has given this.
pub(crate) fn give(id: u64, arrival: Arrival) {
    GIVEN.with_borrow_mut(|given| given.insert(id, arrival));
}

/// In a worker: nobody in the parent holds the segment any more.
pub(crate) fn forget(id: u64) {
    let forgotten = GIVEN.with_borrow_mut(|given| given.remove(&id));
    if let Some(State::There(segment)) = forgotten.map(Arrival::into_state) {
        segment.forget_parent();
    }
}

impl Enclosed {
    /// Nothing.
    pub(crate) const NONE: Self = Self(None);

    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(super) fn one(item: Item) -> Self {
        Self(Some(Box::new(vec![item])))
    }

    pub(crate) fn items(&self) -> &[Item] {
        self.0.as_ref().map_or(&[], |items| items)
    }

    /// Adds what another value encloses.
    #[inline]
    pub(crate) fn append(&mut self, other: Self) {
        if let Some(items) = other.0 {
            self.append_some(*items);
        }
    }

    fn append_some(&mut self, mut more: Vec<Item>) {
        let Some(items) = &mut self.0 else {
            self.0 = Some(Box::new(more));
            return;
        };
        // Many items of a chunk may enclose the same. To look whenever there is no more room is to look seldom.
        if items.len() + more.len() > items.capacity() {
            items.sort_by_key(Item::key);
            items.dedup_by_key(|item| item.key());
        }
        items.append(&mut more);
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

impl Arrival {
    /// A descriptor that has arrived for memory of this length. Whether it is that is found out later.
    pub(crate) fn waiting(name: Name, fd: OwnedFd, len: u64, kind: Kind) -> Self {
        Self { name, state: Mutex::new(State::Waits(fd, len, kind)) }
    }

    /// A segment that is known here already.
    pub(crate) fn known(name: Name, segment: Arc<Segment>) -> Self {
        Self { name, state: Mutex::new(State::There(segment)) }
    }

    /// A descriptor that is nothing more.
    pub(crate) fn fd(name: Name, fd: OwnedFd) -> Self {
        Self { name, state: Mutex::new(State::Fd(fd)) }
    }

    /// A descriptor that there was no room for.
    pub(crate) fn lost(name: Name) -> Self {
        let why = "this process has too many open files to take in another one".to_string();
        Self { name, state: Mutex::new(State::Lost(why)) }
    }

    /// The segment; mapped now, if nobody has wanted it before.
    fn segment(&self) -> Result<Arc<Segment>, String> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::Waits(..) = &*state {
            *state = match std::mem::replace(&mut *state, State::Lost(String::new())) {
                State::Waits(fd, len, kind) => self.map(fd, len, kind),
                other => other,
            };
        }
        match &*state {
            State::There(segment) => Ok(Arc::clone(segment)),
            State::Lost(why) => Err(why.clone()),
            State::Waits(..) | State::Fd(_) => Err("a `loky::Fd` is no `loky::Shared`".to_string()),
        }
    }

    fn take_fd(&self) -> Result<OwnedFd, String> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match &*state {
            State::Lost(why) => return Err(why.clone()),
            State::There(_) | State::Waits(..) => return Err("a `loky::Shared` is no `loky::Fd`".to_string()),
            State::Fd(_) => {}
        }
        let again = "a `loky::Fd` is decoded once; a closure for several items can capture a reference to it";
        match std::mem::replace(&mut *state, State::Lost(again.to_string())) {
            State::Fd(fd) => Ok(fd),
            _ => unreachable!("it was looked at just now"),
        }
    }

    fn map(&self, fd: OwnedFd, len: u64, kind: Kind) -> State {
        let parents = if let Name::Given(id) = self.name { id } else { 0 };
        match Core::receive(fd, len, kind) {
            Ok(core) => State::There(Segment::new(Arc::new(core), parents)),
            Err(why) => State::Lost(format!("a `loky::Shared` of {len} bytes cannot be mapped: {why}")),
        }
    }

    fn into_state(self) -> State {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Vec<Arrival>> for Arrivals {
    fn from(arrivals: Vec<Arrival>) -> Self {
        Self(Arc::new(arrivals))
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
    fn what_many_items_enclose_is_enclosed_a_few_times() {
        let (one, other) = (segment(), segment());
        let mut chunk = Enclosed::NONE;
        for _ in 0..1000 {
            for segment in [&one, &other] {
                chunk.append(collecting(Way::Arguments, || enclose(segment).unwrap()).1);
            }
        }
        assert!((2..16).contains(&chunk.items().len()), "{}", chunk.items().len());
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
        supplying(&arrivals, || {
            assert_eq!(find(Name::Parents(3)).unwrap().id(), there.id());
            assert!(find(Name::New(9)).unwrap_err().contains("too many open files"));
            supplying(&Arrivals::default(), || assert!(find(Name::Parents(3)).is_err()));
            assert!(find(Name::New(3)).is_err() && find(Name::Parents(3)).is_ok());
        });
        assert!(find(Name::Parents(3)).is_err());
    }

    #[test]
    fn memory_that_is_not_what_was_announced_is_refused() {
        let there = segment();
        for (len, kind) in [(2, Kind::Sealed), (4, Kind::Sealed), (4, Kind::File), (0, Kind::Sealed)] {
            let fd = std::os::fd::AsFd::as_fd(&**there.core()).try_clone_to_owned().unwrap();
            let arrival = Arrival::waiting(Name::New(1), fd, len, kind);
            assert!(arrival.segment().is_err_and(|why| why.contains("cannot be mapped")), "{len} {kind:?}");
        }
    }
}
