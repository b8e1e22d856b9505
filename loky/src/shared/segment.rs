//! A segment: memory that is filled and changes no more, under the number that this process has given it.
//!
//! Whoever has passed a segment on to other processes is a *keeper*: it is told when the last holder in this process
//! is gone. That may be anywhere, also where locks are held, so a keeper notes it and does nothing else.

use std::num::NonZeroUsize;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::{fmt, io};

use super::live;
use crate::sys::segment::{self, View};

/// See the module.
pub(crate) struct Segment {
    id: u64,
    core: Arc<Core>,
    /// In a worker: the number by which the parent knows it, as long as the parent does; zero for none.
    parents: AtomicU64,
    keepers: Mutex<Vec<Weak<dyn Keeper>>>,
}

/// The memory itself. It may outlive the segment: a worker may still name what nobody holds here any more.
#[derive(Debug)]
pub(crate) struct Core {
    view: View,
    fd: OwnedFd,
    kind: Kind,
}

/// What holds the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Memory that no process can change.
    Sealed,
    /// A file, which the user has promised not to change.
    File,
}

/// Who has passed a segment on.
pub(crate) trait Keeper: Send + Sync {
    /// The last holder of the segment with this number is gone. Called anywhere; must not block.
    fn is_gone(&self, id: u64);
}

impl Segment {
    /// Sealed memory with these bytes; `None` if there are none.
    pub(super) fn of_bytes(bytes: &[u8]) -> io::Result<Option<Arc<Self>>> {
        let Some(len) = NonZeroUsize::new(bytes.len()) else { return Ok(None) };
        Self::of_sealed(segment::sealed(bytes)?, len).map(Some)
    }

    /// The same under the number that it has on another machine.
    #[cfg(feature = "cluster")]
    pub(super) fn of_bytes_as(id: u64, bytes: &[u8]) -> io::Result<Option<Arc<Self>>> {
        let Some(len) = NonZeroUsize::new(bytes.len()) else { return Ok(None) };
        let core = Core::map(segment::sealed(bytes)?, len, Kind::Sealed)?;
        Ok(Some(Self::numbered(id, Arc::new(core), 0)))
    }

    /// Sealed memory that `fill` fills; `None`, and `fill` has nothing to fill, if there is none.
    pub(super) fn filled(len: usize, fill: impl FnOnce(&mut [u8])) -> io::Result<Option<Arc<Self>>> {
        match NonZeroUsize::new(len) {
            Some(len) => Self::of_sealed(segment::sealed_with(len, fill)?, len).map(Some),
            None => {
                fill(&mut []);
                Ok(None)
            }
        }
    }

    fn of_sealed(fd: OwnedFd, len: NonZeroUsize) -> io::Result<Arc<Self>> {
        Ok(Self::new(Arc::new(Core::map(fd, len, Kind::Sealed)?), 0))
    }

    /// All of a regular file; `None` if that is nothing.
    pub(super) fn of_file(fd: OwnedFd) -> io::Result<Option<Arc<Self>>> {
        let len = usize::try_from(segment::file_len(&fd)?).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let Some(len) = NonZeroUsize::new(len) else { return Ok(None) };
        Ok(Some(Self::new(Arc::new(Core::map(fd, len, Kind::File)?), 0)))
    }

    /// `parents`: the number that the parent has given it, or zero.
    pub(super) fn new(core: Arc<Core>, parents: u64) -> Arc<Self> {
        Self::numbered(next_id(), core, parents)
    }

    fn numbered(id: u64, core: Arc<Core>, parents: u64) -> Arc<Self> {
        let (parents, keepers) = (AtomicU64::new(parents), Mutex::default());
        let segment = Arc::new(Self { id, core, parents, keepers });
        live::add(&segment);
        segment
    }

    /// The segment that had this memory, or if that is gone, a new one.
    pub(crate) fn revive(segment: &Weak<Self>, core: &Arc<Core>) -> Arc<Self> {
        segment.upgrade().unwrap_or_else(|| Self::new(Arc::clone(core), 0))
    }

    /// No other segment of this process ever has the same number.
    pub(crate) const fn id(&self) -> u64 {
        self.id
    }

    pub(crate) const fn core(&self) -> &Arc<Core> {
        &self.core
    }

    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.core.view
    }

    pub(super) fn parents(&self) -> Option<u64> {
        Some(self.parents.load(Ordering::Relaxed)).filter(|&id| id != 0)
    }

    /// The parent does not know it any more.
    pub(super) fn forget_parent(&self) {
        self.parents.store(0, Ordering::Relaxed);
    }

    /// `keeper` will be told when the last holder is gone. It is told once, however often it asks.
    pub(crate) fn tell(&self, keeper: &Weak<dyn Keeper>) {
        let mut keepers = self.keepers.lock().unwrap_or_else(PoisonError::into_inner);
        keepers.retain(|other| other.strong_count() > 0);
        if !keepers.iter().any(|other| Weak::ptr_eq(other, keeper)) {
            keepers.push(Weak::clone(keeper));
        }
    }
}

/// A number that nothing that travels from this process has had. Zero is none.
pub(super) fn next_id() -> u64 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

static NEXT: AtomicU64 = AtomicU64::new(1);

/// From now on, numbers are taken from where no other process of this program takes any: segments of another one, which keep
/// their numbers, come here.
#[cfg(feature = "cluster")]
pub(crate) fn mint_apart() {
    NEXT.fetch_max(1 << 62, Ordering::Relaxed);
}

impl Drop for Segment {
    fn drop(&mut self) {
        live::remove(self);
        let keepers = self.keepers.get_mut().unwrap_or_else(PoisonError::into_inner);
        keepers.iter().filter_map(Weak::upgrade).for_each(|keeper| keeper.is_gone(self.id));
    }
}

impl Core {
    /// The first `len` bytes, which are known to be there.
    fn map(fd: OwnedFd, len: NonZeroUsize, kind: Kind) -> io::Result<Self> {
        Ok(Self { view: View::map(&fd, len)?, fd, kind })
    }

    /// The memory behind a descriptor that came from another process, if it is what it is said to be.
    pub(super) fn receive(fd: OwnedFd, len: u64, kind: Kind) -> io::Result<Self> {
        let is_sound = match kind {
            Kind::Sealed => segment::is_sealed(&fd, len),
            Kind::File => segment::file_len(&fd)? >= len,
        };
        let len = usize::try_from(len).ok().and_then(NonZeroUsize::new).filter(|_| is_sound);
        Self::map(fd, len.ok_or_else(|| io::Error::other("it is not what was announced"))?, kind)
    }

    pub(crate) const fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn len(&self) -> u64 {
        self.view.len() as u64
    }
}

impl AsFd for Core {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "segment {} of {} bytes", self.id, self.bytes().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Noted(Mutex<Vec<u64>>);

    impl Keeper for Noted {
        fn is_gone(&self, id: u64) {
            self.0.lock().unwrap().push(id);
        }
    }

    #[test]
    fn a_keeper_is_told_once_and_only_of_the_last_holder() {
        let (noted, segment) = (Arc::new(Noted::default()), Segment::of_bytes(b"abc").unwrap().unwrap());
        let keeper: Arc<dyn Keeper> = noted.clone();
        (0..2).for_each(|_| segment.tell(&Arc::downgrade(&keeper)));
        let (other, id) = (Arc::clone(&segment), segment.id());
        drop(segment);
        assert!(noted.0.lock().unwrap().is_empty());
        drop(other);
        assert_eq!(*noted.0.lock().unwrap(), [id]);
    }

    #[test]
    fn memory_that_a_segment_left_behind_has_another_number() {
        let segment = Segment::of_bytes(b"abc").unwrap().unwrap();
        let (weak, core, id) = (Arc::downgrade(&segment), Arc::clone(segment.core()), segment.id());
        assert_eq!(Segment::revive(&weak, &core).id(), id);
        drop(segment);
        let again = Segment::revive(&weak, &core);
        assert!(again.id() != id && again.bytes() == b"abc");
    }
}
