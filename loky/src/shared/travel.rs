//! Segments on their way to another machine, by value: there they become others with the same number, or the same name.

use std::io;
use std::sync::Arc;

use super::arrival::{Arrival, Arrivals};
use super::enclosed::{Enclosed, Item, Name};
use super::segment::Segment;

/// What a segment is called in the bytes of a result, as numbers.
pub(crate) type NameSaid = (bool, u64);

impl Segment {
    /// What travels.
    pub(crate) fn contents(&self) -> &[u8] {
        self.bytes()
    }

    /// The same memory as that of another machine, under the number that it has there.
    pub(crate) fn arrived(id: u64, bytes: &[u8]) -> io::Result<Arc<Self>> {
        Self::of_bytes_as(id, bytes)?.ok_or_else(|| io::Error::other("nothing has no memory"))
    }
}

impl Enclosed {
    /// These segments.
    pub(crate) fn of(segments: impl IntoIterator<Item = Arc<Segment>>) -> Self {
        let mut enclosed = Self::NONE;
        segments.into_iter().for_each(|segment| enclosed.push(Item::Segment(segment)));
        enclosed
    }
}

/// The numbers of the segments among these.
pub(crate) fn numbers(items: &[Item]) -> Vec<u64> {
    let number = |item: &Item| if let Item::Segment(segment) = item { Some(segment.id()) } else { None };
    items.iter().filter_map(number).collect()
}

impl Arrivals {
    /// All of them, as they are called in the bytes; an error if one cannot be had, or is no segment.
    pub(crate) fn said(&self) -> Result<Vec<(NameSaid, Arc<Segment>)>, String> {
        let said = |name: Name| match name {
            Name::Given(id) | Name::Parents(id) => (false, id),
            Name::New(id) => (true, id),
        };
        Ok(self.segments()?.into_iter().map(|(name, segment)| (said(name), segment)).collect())
    }
}

impl Arrival {
    /// One that a machine has said, with its memory.
    pub(crate) fn heard((is_new, id): NameSaid, bytes: &[u8]) -> io::Result<Self> {
        let segment = Segment::of_bytes(bytes)?.ok_or_else(|| io::Error::other("nothing has no memory"))?;
        Ok(Self::known(if is_new { Name::New(id) } else { Name::Parents(id) }, segment))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::passing::{Way, collecting, enclose, find, supplying};
    use super::*;

    #[test]
    fn a_segment_keeps_its_number_on_another_machine() {
        let here = Segment::of_bytes(b"abc").unwrap().unwrap();
        let there = Segment::arrived(here.id(), here.contents()).unwrap();
        assert!(there.id() == here.id() && there.contents() == b"abc");
        let enclosed = collecting(Way::Arguments, || enclose(&here).unwrap()).1;
        assert_eq!(numbers(Enclosed::of([there]).items()), numbers(enclosed.items()));
        assert!(Segment::arrived(7, b"").is_err());
    }

    #[test]
    fn what_a_result_encloses_arrives_under_its_name() {
        let segment = Segment::of_bytes(b"abc").unwrap().unwrap();
        let names = [Name::New(5), Name::Parents(6)];
        let arrivals = Arrivals::from(
            names.map(|name| Arrival::known(name, Arc::clone(&segment))).into_iter().collect::<Vec<_>>(),
        );
        let said = arrivals.said().unwrap();
        let heard = said.iter().map(|(name, segment)| Arrival::heard(*name, segment.contents()).unwrap());
        supplying(Arrivals::from(heard.collect::<Vec<_>>()), || {
            names.into_iter().for_each(|name| assert_eq!(find(name).unwrap().contents(), b"abc"));
        });
    }
}
