//! Types of users that are plain data: which of them this process knows as such, and slices of them as bytes and back.
//!
//! That a type is plain can be asked only where the type is named, and a slice that is to be written, or read, is of any
//! type. So whoever shares elements of a type notes it here, with the proof at hand. Numbers need no such note, see
//! `plain`.

use std::any::TypeId;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem::transmute_copy;
use std::slice;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use bytemuck::Pod;

use super::plain;

/// How many bytes an element has, by the type of a reference to a slice of them.
static KNOWN: RwLock<BTreeMap<TypeId, usize>> = RwLock::new(BTreeMap::new());

/// Whether there are any: most programs have none, and are not to pay for it.
static HAS_SOME: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// What this thread has noted last: mostly it is the same again.
    static LAST: Cell<Option<TypeId>> = const { Cell::new(None) };
}

/// Which type it is, in all processes of the same build of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity(u64);

impl Identity {
    fn of(id: TypeId) -> Self {
        // Has no random start.
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        Self(hasher.finish())
    }

    /// As the parent has said it. To be made of nothing else: what is read as that type is believed to be it.
    pub(crate) const fn said(word: u64) -> Self {
        Self(word)
    }

    pub(crate) const fn word(self) -> u64 {
        self.0
    }
}

/// From now on this process knows that `T` is plain data.
#[inline]
pub(crate) fn know<T: Pod>() {
    if plain::width_of::<Vec<T>>().is_some() {
        return;
    }
    let id = TypeId::of::<&'static [T]>();
    if LAST.get() != Some(id) {
        note(id, size_of::<T>());
    }
}

fn note(id: TypeId, width: usize) {
    LAST.set(Some(id));
    let is_known = KNOWN.read().unwrap_or_else(PoisonError::into_inner).contains_key(&id);
    if !is_known {
        KNOWN.write().unwrap_or_else(PoisonError::into_inner).insert(id, width);
        HAS_SOME.store(true, Ordering::Release);
    }
}

/// The bytes of `value`, and of which type it is a slice; `None` if it is no reference to a slice of something that is
/// known to be plain.
pub(crate) fn as_bytes<T: ?Sized>(value: &T) -> Option<(Identity, &[u8])> {
    if !HAS_SOME.load(Ordering::Acquire) {
        return None;
    }
    let id = typeid::of::<T>();
    // In a child that was forked the lock may be held for ever.
    let width = *KNOWN.try_read().ok()?.get(&id)?;
    // SAFETY: `T` is a reference to a slice, for only such types are noted. To whatever element, it is of the same size
    // and has the same parts; of those, the address and the number are used, and not the element.
    let slice: &[()] = unsafe { transmute_copy::<&T, &&[()]>(&value) };
    // SAFETY: it has so many elements of that width, and they are plain data: initialized, without padding. They are not
    // mutated while `value` is borrowed.
    let bytes = unsafe { slice::from_raw_parts(slice.as_ptr().cast(), slice.len() * width) };
    Some((Identity::of(id), bytes))
}

/// The elements that `bytes` are; `None` if `T` is another type, or they do not lie as its elements would.
pub(crate) fn slice_of<T>(bytes: &[u8], identity: Identity) -> Option<&[T]> {
    let is_whole = bytes.len().checked_rem(size_of::<T>()) == Some(0);
    if Identity::of(typeid::of::<&[T]>()) != identity || !is_whole || !bytes.as_ptr().cast::<T>().is_aligned() {
        return None;
    }
    // SAFETY: these are whole elements, aligned, and any bytes are some: the identity was made of a type that is known
    // to be plain, by `as_bytes` here or in the parent, which is the same build; and `T` is that type.
    Some(unsafe { slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len() / size_of::<T>()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_of_what_is_known_to_be_plain_are_their_bytes() {
        let pairs = [[1_u32, 2], [3, 4], [5, 6]];
        let lent = &pairs[1..];
        assert!(as_bytes(&lent).is_none(), "nobody has said so");
        know::<[u32; 2]>();
        let (identity, bytes) = as_bytes(&lent).unwrap();
        assert_eq!(bytes, bytemuck::cast_slice::<_, u8>(lent));
        let identity = Identity::said(identity.word());
        assert_eq!(slice_of::<[u32; 2]>(bytes, identity), Some(lent));
        assert!(slice_of::<[u32; 2]>(&bytes[..12], identity).is_none(), "half of one");
        assert!(slice_of::<[u32; 2]>(&bytes[1..9], identity).is_none(), "not aligned");
        assert!(slice_of::<[i32; 2]>(bytes, identity).is_none() && slice_of::<u64>(bytes, identity).is_none());
        assert!(as_bytes(&pairs[..]).is_none() && as_bytes(&pairs).is_none() && as_bytes("text").is_none());
        assert!(as_bytes(&&[[1_i32, 2]][..]).is_none(), "another type");
    }

    #[test]
    fn elements_without_bytes_are_no_range() {
        know::<()>();
        assert!(slice_of::<()>(&[], as_bytes(&&[(); 3][..]).unwrap().0).is_none());
    }
}
