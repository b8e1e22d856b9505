//! All tasks of this binary, numbered alike in each of its processes.
//!
//! The number of a task is its place in the order of keys, so parent and worker agree on it without a word; the
//! fingerprint of all keys lets them check that they do. Two tasks that nothing tells apart are refused here, with both
//! places, rather than one of them being called in place of the other.

use std::any::TypeId;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::OnceLock;

use super::entry::{Entry, Key};
use crate::error::{Error, ErrorKind};
use crate::sys::image;
use crate::wire::message::{Build, PROTOCOL};

inventory::collect!(Entry);

/// The registry of this binary, built at the first question. An error if two tasks cannot be told apart.
pub(crate) fn registry() -> Result<&'static Registry, Error> {
    static REGISTRY: OnceLock<Result<Registry, Error>> = OnceLock::new();
    let built = REGISTRY.get_or_init(|| Registry::new(inventory::iter::<Entry>.into_iter().collect()));
    built.as_ref().map_err(Clone::clone)
}

/// What a process of this program must agree on with another one before they name tasks to each other. An error if
/// the registry is none.
pub(crate) fn build() -> Result<Build, Error> {
    Ok(Build { protocol: PROTOCOL, tasks: registry()?.fingerprint(), image: image::build_id() })
}

/// All entries, in the order of their keys.
#[derive(Debug)]
pub(crate) struct Registry {
    entries: Vec<&'static Entry>,
    indices: HashMap<TypeId, u32, BuildHasherDefault<OwnHash>>,
    fingerprint: u64,
}

/// A type's own hash, as it is: it is one already.
#[derive(Debug, Default)]
struct OwnHash(u64);

impl Hasher for OwnHash {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.0 = self.0.rotate_left(8) ^ u64::from(byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 ^= hash;
    }
}

impl Registry {
    fn new(mut entries: Vec<&'static Entry>) -> Result<Self, Error> {
        entries.sort_unstable_by_key(|entry| entry.key());
        refuse_duplicates(&entries)?;
        let indices = (0..).zip(&entries).filter_map(|(index, entry)| Some((entry.type_id()?, index))).collect();
        let fingerprint = fingerprint(entries.iter().map(|entry| entry.key()));
        Ok(Self { entries, indices, fingerprint })
    }

    pub(crate) fn index_of(&self, function: TypeId) -> Option<u32> {
        self.indices.get(&function).copied()
    }

    pub(crate) fn entry(&self, index: u32) -> Option<&'static Entry> {
        self.entries.get(usize::try_from(index).ok()?).copied()
    }

    /// Equal in two processes exactly if they number the same tasks alike.
    pub(crate) const fn fingerprint(&self) -> u64 {
        self.fingerprint
    }
}

/// Neighbours are enough to look at: in the order of keys, entries of one name stand together, and if any of them has
/// a chosen name, so has one of two neighbours.
fn refuse_duplicates(entries: &[&'static Entry]) -> Result<(), Error> {
    entries.windows(2).try_for_each(|pair| {
        let (first, second) = (pair[0], pair[1]);
        let chosen = first.name == second.name && (first.named || second.named);
        if chosen || first.key() == second.key() { Err(duplicate(first, second)) } else { Ok(()) }
    })
}

fn duplicate(first: &Entry, second: &Entry) -> Error {
    let what = format!("cannot be started: two tasks have this name, at {} and at {}", first.place, second.place);
    Error::new(ErrorKind::UnknownTask, what)
        .with_task(first.name)
        .with_advice("give one of them a name of its own: `#[loky::task(name = \"…\")]`")
}

/// FNV-1a: stable over builds, hosts and versions of the standard library, which its own hashers do not promise.
fn fingerprint(keys: impl Iterator<Item = Key>) -> u64 {
    keys.fold(FNV_BASIS, |hash, (name, version, place)| {
        let texts = [name, version, place.file].into_iter().fold(hash, |hash, text| {
            // The length first, or ("ab", "c") and ("a", "bc") would be alike.
            fnv(fnv(hash, &(text.len() as u64).to_le_bytes()), text.as_bytes())
        });
        fnv(fnv(texts, &place.line.to_le_bytes()), &place.column.to_le_bytes())
    })
}

fn fnv(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME))
}

const FNV_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &'static str, line: u32, type_id: fn() -> TypeId) -> &'static Entry {
        Box::leak(Box::new(Entry::new(name, type_id, |_, _| Ok(())).at("src/lib.rs", line, 5).of_version("1.0.0")))
    }

    fn named(name: &'static str, line: u32, type_id: fn() -> TypeId) -> &'static Entry {
        Box::leak(Box::new((*entry("", line, type_id)).named(name)))
    }

    fn of(entries: &[&'static Entry]) -> Result<Registry, Error> {
        Registry::new(entries.to_vec())
    }

    #[test]
    fn numbers_do_not_depend_on_the_order_of_linking() {
        let (a, b) = (entry("app::a", 9, TypeId::of::<u8>), entry("app::b", 2, TypeId::of::<u16>));
        let (one, other) = (of(&[a, b]).unwrap(), of(&[b, a]).unwrap());
        assert_eq!(one.index_of(TypeId::of::<u8>()), Some(0));
        assert_eq!(other.index_of(TypeId::of::<u8>()), Some(0));
        assert_eq!(other.entry(1).unwrap().name, "app::b");
        assert_eq!(one.fingerprint(), other.fingerprint());
    }

    #[test]
    fn what_is_not_there_is_none() {
        let registry = of(&[entry("app::a", 1, TypeId::of::<u8>)]).unwrap();
        assert_eq!(registry.index_of(TypeId::of::<u16>()), None);
        assert!(registry.entry(1).is_none());
    }

    #[test]
    fn two_blocks_of_one_function_may_each_have_a_task_of_one_name() {
        let (a, b) = (entry("app::inner", 1, TypeId::of::<u8>), entry("app::inner", 2, TypeId::of::<u16>));
        assert_eq!(of(&[b, a]).unwrap().index_of(TypeId::of::<u16>()), Some(1));
    }

    #[test]
    fn submit_14_one_key_twice_is_refused_with_both_places() {
        let twice = [entry("app::a", 1, TypeId::of::<u8>), entry("app::a", 1, TypeId::of::<u16>)];
        let error = of(&twice).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownTask);
        assert!(error.to_string().contains("at src/lib.rs:1:5 and at src/lib.rs:1:5"), "{error}");
    }

    #[test]
    fn a_chosen_name_is_refused_beside_any_other_of_that_name() {
        let chosen = named("sum", 7, TypeId::of::<u8>);
        for other in [named("sum", 3, TypeId::of::<u16>), entry("sum", 9, TypeId::of::<u16>)] {
            let error = of(&[chosen, other]).unwrap_err().to_string();
            assert!(error.starts_with("call to task `sum` cannot be started"), "{error}");
            assert!(error.contains("src/lib.rs:7:5") && error.contains(&other.place.to_string()), "{error}");
        }
    }

    #[test]
    fn a_fingerprint_sees_every_part_of_a_key() {
        let base = of(&[entry("app::a", 1, TypeId::of::<u8>)]).unwrap().fingerprint();
        assert_ne!(base, of(&[entry("app::b", 1, TypeId::of::<u8>)]).unwrap().fingerprint());
        assert_ne!(base, of(&[entry("app::a", 2, TypeId::of::<u8>)]).unwrap().fingerprint());
        assert_ne!(base, of(&[]).unwrap().fingerprint());
        let other_version = Box::leak(Box::new((*entry("app::a", 1, TypeId::of::<u8>)).of_version("1.0.1")));
        assert_ne!(base, of(&[other_version]).unwrap().fingerprint());
    }

    #[test]
    fn a_fingerprint_is_the_same_in_every_build() {
        assert_eq!(fnv(FNV_BASIS, b"foobar"), 0x8594_4171_f739_67e8);
    }
}
