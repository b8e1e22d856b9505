//! Which workers may be given a call, by how many they hold: who has the least is found without a search.
//!
//! One list for each number of calls, through the workers' seats; a bit for each list that is not empty. The list for
//! none is the stack of the idle: last freed, first used. What a worker is, is not known here.

use super::pace::CREDIT_MAX;
use super::workers::Seat;

/// See the module.
#[derive(Debug)]
pub(super) struct Loads {
    /// The first of each list, by the number of calls that its workers hold.
    first: Vec<u32>,
    is_used: [u64; CREDIT_MAX / 64],
    places: Vec<Place>,
    idle: usize,
}

/// Where a seat is; the lists are rings.
#[derive(Clone, Copy, Debug)]
struct Place {
    load: Option<u16>,
    before: u32,
    after: u32,
}

const NONE: u32 = u32::MAX;

impl Loads {
    pub(super) fn new() -> Self {
        Self { first: vec![NONE; CREDIT_MAX], is_used: [0; CREDIT_MAX / 64], places: Vec::new(), idle: 0 }
    }

    /// Workers that hold none.
    pub(super) fn idle(&self) -> usize {
        self.idle
    }

    /// The worker that became idle last.
    pub(super) fn idle_last(&self) -> Option<Seat> {
        seat(self.first[0])
    }

    /// The worker that became idle first.
    pub(super) fn idle_first(&self) -> Option<Seat> {
        Some(Seat::from_raw(self.places[seat(self.first[0])?.index()].before))
    }

    /// A worker that holds the fewest, but some.
    pub(super) fn least_loaded(&self) -> Option<Seat> {
        let word = |place: usize| if place == 0 { self.is_used[0] & !1 } else { self.is_used[place] };
        let place = (0..self.is_used.len()).find(|&place| word(place) != 0)?;
        seat(self.first[place * 64 + word(place).trailing_zeros() as usize])
    }

    /// From now on the worker may be given a call, and holds so many; or may be given none.
    pub(super) fn set(&mut self, seat: Seat, load: Option<usize>) {
        if seat.index() >= self.places.len() {
            self.places.resize(seat.index() + 1, Place { load: None, before: NONE, after: NONE });
        }
        let load = load.map(|load| u16::try_from(load).expect("no worker holds more than its credit"));
        let before = self.places[seat.index()].load;
        if load == before {
            return;
        }
        if let Some(before) = before {
            self.take_out(seat, before);
        }
        if let Some(load) = load {
            self.put_first(seat, load);
        }
    }

    fn take_out(&mut self, seat: Seat, load: u16) {
        let Place { before, after, .. } = self.places[seat.index()];
        self.places[before as usize].after = after;
        self.places[after as usize].before = before;
        self.places[seat.index()].load = None;
        let first = &mut self.first[usize::from(load)];
        if *first == seat.raw() {
            *first = if after == seat.raw() { NONE } else { after };
        }
        if *first == NONE {
            self.is_used[usize::from(load) / 64] &= !(1 << (load % 64));
        }
        self.idle -= usize::from(load == 0);
    }

    fn put_first(&mut self, seat: Seat, load: u16) {
        let first = std::mem::replace(&mut self.first[usize::from(load)], seat.raw());
        let after = if first == NONE { seat.raw() } else { first };
        let before = if first == NONE { seat.raw() } else { self.places[first as usize].before };
        self.places[seat.index()] = Place { load: Some(load), before, after };
        self.places[before as usize].after = seat.raw();
        self.places[after as usize].before = seat.raw();
        self.is_used[usize::from(load) / 64] |= 1 << (load % 64);
        self.idle += usize::from(load == 0);
    }
}

fn seat(raw: u32) -> Option<Seat> {
    (raw != NONE).then(|| Seat::from_raw(raw))
}

#[cfg(any(test, fuzzing))]
impl Loads {
    /// By how many calls the worker is listed.
    pub(super) fn load(&self, seat: Seat) -> Option<usize> {
        self.places.get(seat.index())?.load.map(usize::from)
    }

    /// Every list is a ring of those that it should hold, and the bits tell which ones are empty.
    pub(super) fn check(&self) {
        let mut seen = 0;
        for (load, &first) in self.first.iter().enumerate() {
            let is_used = self.is_used[load / 64] >> (load % 64) & 1 == 1;
            assert_eq!(is_used, first != NONE, "a bit for each list that is not empty");
            let mut next = seat(first);
            while let Some(at) = next {
                let Place { load: listed, after, .. } = self.places[at.index()];
                assert_eq!((listed.map(usize::from), self.places[after as usize].before), (Some(load), at.raw()));
                seen += 1;
                next = seat(after).filter(|after| after.raw() != first);
            }
            assert!(load > 0 || self.idle == seen, "the idle are counted");
        }
        assert_eq!(seen, self.places.iter().filter(|place| place.load.is_some()).count(), "the lists are whole");
    }
}
