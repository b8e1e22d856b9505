//! Whether the standard library holds back something of what was printed: the start of a line.
//!
//! It does not say so, and to flush in vain costs more than a tiny task. But it counts the bytes that it holds back,
//! and the word in which it does so gives itself away: it is the one that becomes as many as are printed, and nothing
//! after a flush. Who has not found such a word, in whatever library of the future, flushes every time.

use std::io::{self, IoSliceMut, StdoutLock, Write};
use std::mem::transmute_copy;
use std::os::fd::{AsFd, OwnedFd};
use std::ptr::{self, null_mut};
use std::sync::atomic::{AtomicPtr, Ordering};

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::{Pid, dup2_stdout};

/// Where the word is; null if that is not known.
static COUNT: AtomicPtr<usize> = AtomicPtr::new(null_mut());

/// So far from its start the standard output is searched: it is a lock, and in that a buffer.
const WORDS: usize = 8;

const WORD: usize = size_of::<usize>();

/// What has been printed goes out.
#[inline]
pub(crate) fn flush() {
    let count = COUNT.load(Ordering::Relaxed);
    // SAFETY: the word is part of the standard output, which lives as long as the process, and is aligned. Who changes it holds
    // a lock that is not asked for here, so the compiler must make nothing of what is read: what another thread prints
    // at this moment may be missed, as if it came a moment later.
    if count.is_null() || unsafe { count.read_volatile() } > 0 {
        let _ = io::stdout().flush();
    }
}

/// Looks for the word. Only before there is another thread that prints: what went to descriptor 1 meanwhile would be
/// lost.
pub(crate) fn find() {
    if let Some(count) = try_find() {
        COUNT.store(ptr::with_exposed_provenance_mut(count), Ordering::Relaxed);
    }
}

fn try_find() -> Option<usize> {
    let mut output = io::stdout().lock();
    output.flush().ok()?;
    let start = address(&output)?;
    let _silence = Silence::begin()?;
    // Whatever becomes of each step: nothing may be left in there when the silence ends.
    let mut write = |text: &[u8]| output.write_all(text).map(|()| read(start)).ok().flatten();
    let (none, one, three) = (write(b""), write(b"."), write(b".."));
    output.flush().ok()?;
    let (none, one, three, after) = (none?, one?, three?, read(start)?);
    let is_count = |&word: &usize| [none[word], one[word], three[word], after[word]] == [0, 1, 3, 0];
    let mut found = (0..WORDS).filter(is_count);
    found.next().filter(|_| found.next().is_none()).map(|word| start + word * WORD)
}

/// Where what is locked begins, if the lock is a reference to it.
fn address(output: &StdoutLock<'_>) -> Option<usize> {
    if size_of_val(output) != WORD {
        return None;
    }
    // SAFETY: both are of the same size, and a pointer can be any bytes. That it is one is only a guess: it is given to the
    // kernel, which reads what is there, or says that nothing is.
    let start = unsafe { transmute_copy::<StdoutLock<'_>, *const usize>(output) };
    start.is_aligned().then(|| start.expose_provenance())
}

/// What is there, if anything is.
fn read(start: usize) -> Option<[usize; WORDS]> {
    let mut bytes = [0; WORDS * WORD];
    let len = bytes.len();
    let there = RemoteIoVec { base: start, len };
    let read = process_vm_readv(Pid::this(), &mut [IoSliceMut::new(&mut bytes)], &[there]).ok()?;
    let mut words = bytes.chunks_exact(WORD).map(|word| usize::from_ne_bytes(word.try_into().expect("a word")));
    (read == len).then(|| std::array::from_fn(|_| words.next().expect("there are so many")))
}

/// Descriptor 1 leads nowhere.
struct Silence(OwnedFd);

impl Silence {
    fn begin() -> Option<Self> {
        let kept = io::stdout().as_fd().try_clone_to_owned().ok()?;
        let null = open("/dev/null", OFlag::O_WRONLY | OFlag::O_CLOEXEC, Mode::empty()).ok()?;
        dup2_stdout(null).ok()?;
        Some(Self(kept))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        dup2_stdout(&self.0).expect("descriptor 1 can be what it was");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_of_a_line_is_found_and_goes_out() {
        find();
        let count = COUNT.load(Ordering::Relaxed);
        assert!(!count.is_null(), "a library that counts otherwise: every item is flushed");
        let mut output = io::stdout().lock();
        output.flush().unwrap();
        // SAFETY: as in `flush`; it is this thread that holds the lock.
        let held_back = || unsafe { count.read_volatile() };
        assert_eq!(held_back(), 0);
        output.write_all(b"no line").unwrap();
        assert_eq!(held_back(), 7);
        flush();
        assert_eq!(held_back(), 0);
    }
}
