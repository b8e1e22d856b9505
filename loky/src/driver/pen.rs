//! Whose turn it is to write to one of this program's streams.
//!
//! Several threads hear what workers have printed. Each must know, before it tells of a result, that what was printed
//! before has been written, also what another thread has in its hand just then: so it waits for that one. But that one may
//! be stuck, if others have filled the stream at the same moment, so nobody waits for long.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Pen {
    is_taken: Mutex<bool>,
    put_down: Condvar,
}

/// The turn of whoever has it.
#[derive(Debug)]
pub(super) struct Turn<'a>(&'a Pen);

/// A stream that takes a piece takes it at once, unless somebody else has filled it in between.
const PATIENCE: Duration = Duration::from_millis(100);

impl Pen {
    /// Waits until nobody writes. `None`: it takes too long.
    pub(super) fn take(&self) -> Option<Turn<'_>> {
        let is_taken = self.lock();
        let waited = self.put_down.wait_timeout_while(is_taken, PATIENCE, |is_taken| *is_taken);
        let (mut is_taken, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let was_taken = std::mem::replace(&mut *is_taken, true);
        // Not made where it is not wanted: its end would put the other's pen down.
        (!was_taken).then(|| Turn(self))
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.is_taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.lock() = false;
        self.0.put_down.notify_one();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    #[test]
    fn whoever_comes_second_waits_for_the_first() {
        let (pen, (tell, told)) = (Pen::default(), mpsc::channel());
        thread::scope(|scope| {
            let first = pen.take();
            scope.spawn(|| {
                let second = pen.take();
                tell.send("second").unwrap();
                drop(second);
            });
            tell.send("first").unwrap();
            drop(first);
        });
        assert_eq!([told.recv(), told.recv()], [Ok("first"), Ok("second")]);
        assert!(pen.take().is_some(), "it has been put down");
    }

    #[test]
    fn nobody_waits_for_one_that_is_stuck() {
        let pen = Pen::default();
        let stuck = pen.take();
        assert!(pen.take().is_none());
        drop(stuck);
        assert!(pen.take().is_some());
    }
}
