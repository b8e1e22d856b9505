//! What was enclosed, where it has arrived: mapped or taken when somebody wants it.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::enclosed::Name;
use super::exhaustion;
use super::segment::{Core, Kind, Segment};

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
    /// Why it cannot be had, and whether that is for want of what the system has given to others.
    Lost(String, bool),
}

/// What came along with a result.
#[derive(Clone, Debug)]
pub(crate) struct Arrivals(Kinds);

#[derive(Clone, Debug)]
enum Kinds {
    /// A segment that is known here, and by which number the result names it.
    Known(u64, Arc<Segment>),
    /// Shared, for they are laid out for each decoding.
    Any(Arc<Vec<Arrival>>),
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

    #[cfg(feature = "cluster")]
    pub(super) const fn name(&self) -> Name {
        self.name
    }

    /// A descriptor that is nothing more.
    pub(crate) fn fd(name: Name, fd: OwnedFd) -> Self {
        Self { name, state: Mutex::new(State::Fd(fd)) }
    }

    /// A descriptor that there was no room for.
    pub(crate) fn lost(name: Name) -> Self {
        Self { name, state: Mutex::new(State::Lost(exhaustion::NO_ROOM.to_string(), true)) }
    }

    pub(super) fn find(all: &[Self], name: Name) -> Option<&Self> {
        all.iter().find(|arrival| arrival.name == name)
    }

    /// The segment; mapped now, if nobody has wanted it before.
    pub(super) fn segment(&self) -> Result<Arc<Segment>, String> {
        let mut state = self.state();
        if let State::Waits(..) = &*state {
            *state = match std::mem::replace(&mut *state, State::Lost(String::new(), false)) {
                State::Waits(fd, len, kind) => self.map(fd, len, kind),
                other => other,
            };
        }
        match &*state {
            State::There(segment) => Ok(Arc::clone(segment)),
            State::Lost(why, is_for_want) => Err(why_lost(why, *is_for_want)),
            State::Waits(..) | State::Fd(_) => Err("a `loky::Fd` is no `loky::Shared`".to_string()),
        }
    }

    pub(super) fn take_fd(&self) -> Result<OwnedFd, String> {
        let mut state = self.state();
        match &*state {
            State::Lost(why, is_for_want) => return Err(why_lost(why, *is_for_want)),
            State::There(_) | State::Waits(..) => return Err("a `loky::Shared` is no `loky::Fd`".to_string()),
            State::Fd(_) => {}
        }
        let again = "a `loky::Fd` is decoded once; a closure for several items can capture a reference to it";
        match std::mem::replace(&mut *state, State::Lost(again.to_string(), false)) {
            State::Fd(fd) => Ok(fd),
            _ => unreachable!("it was looked at just now"),
        }
    }

    /// Whether it was neither lost nor given out for good.
    pub(super) fn is_there(&self) -> bool {
        !matches!(&*self.state(), State::Lost(..))
    }

    pub(super) fn into_segment(self) -> Option<Arc<Segment>> {
        match self.state.into_inner().unwrap_or_else(PoisonError::into_inner) {
            State::There(segment) => Some(segment),
            _ => None,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn map(&self, fd: OwnedFd, len: u64, kind: Kind) -> State {
        let parents = if let Name::Given(id) = self.name { id } else { 0 };
        match Core::receive(fd, len, kind) {
            Ok(core) => State::There(Segment::new(Arc::new(core), parents)),
            Err(why) => {
                let is_for_want = exhaustion::is_one(&why);
                State::Lost(format!("a `loky::Shared` of {len} bytes cannot be mapped: {why}"), is_for_want)
            }
        }
    }
}

fn why_lost(why: &str, is_for_want: bool) -> String {
    if is_for_want {
        exhaustion::note();
    }
    why.to_string()
}

impl Arrivals {
    /// Nothing but a segment that is known here, which the result names by this number of ours.
    pub(crate) const fn known(id: u64, segment: Arc<Segment>) -> Self {
        Self(Kinds::Known(id, segment))
    }

    pub(super) fn segment(&self, name: Name) -> Option<Result<Arc<Segment>, String>> {
        match &self.0 {
            Kinds::Known(id, segment) => (name == Name::Parents(*id)).then(|| Ok(Arc::clone(segment))),
            Kinds::Any(arrivals) => Arrival::find(arrivals, name).map(Arrival::segment),
        }
    }

    pub(super) fn take_fd(&self, name: Name) -> Option<Result<OwnedFd, String>> {
        match &self.0 {
            Kinds::Known(..) => None,
            Kinds::Any(arrivals) => Arrival::find(arrivals, name).map(Arrival::take_fd),
        }
    }

    /// All of them, as they are called in the bytes; an error if one cannot be had, or is no segment.
    #[cfg(feature = "cluster")]
    pub(super) fn segments(&self) -> Result<Vec<(Name, Arc<Segment>)>, String> {
        match &self.0 {
            Kinds::Known(id, segment) => Ok(vec![(Name::Parents(*id), Arc::clone(segment))]),
            Kinds::Any(arrivals) => arrivals.iter().map(|arrival| Ok((arrival.name(), arrival.segment()?))).collect(),
        }
    }
}

impl From<Vec<Arrival>> for Arrivals {
    fn from(arrivals: Vec<Arrival>) -> Self {
        Self(Kinds::Any(Arc::new(arrivals)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_is_not_what_was_announced_is_refused() {
        let there = Segment::of_bytes(b"abc").unwrap().unwrap();
        for (len, kind) in [(2, Kind::Sealed), (4, Kind::Sealed), (4, Kind::File), (0, Kind::Sealed)] {
            let fd = std::os::fd::AsFd::as_fd(&**there.core()).try_clone_to_owned().unwrap();
            let arrival = Arrival::waiting(Name::New(1), fd, len, kind);
            assert!(arrival.segment().is_err_and(|why| why.contains("cannot be mapped")), "{len} {kind:?}");
        }
    }
}
