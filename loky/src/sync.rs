//! Locks and threads for the rooms whose interleavings are explored: the standard library's, or the model checker's.
//!
//! Under `--cfg loom`, in tests, everything here is loom's, which runs a test once for every order in which its
//! threads could meet. What is not modelled may use the standard library directly.

#[cfg(all(loom, test))]
pub(crate) mod gong;

#[cfg(not(all(loom, test)))]
mod imp {
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
    pub(crate) use std::thread::{Thread, current, park, park_timeout};

    use std::sync::{MutexGuard, PoisonError};

    /// A mutex whose lock is simply taken: what a panic under it means is decided by whoever owns the data.
    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(std::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) const fn new(value: T) -> Self {
            Self(std::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }
}

#[cfg(all(loom, test))]
mod imp {
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};

    use loom::sync::{Arc, Condvar, MutexGuard};
    use loom::thread::ThreadId;

    /// A thread that can be unparked at any time: loom's own takes an unpark badly while it waits for a lock.
    #[derive(Clone, Debug)]
    pub(crate) struct Thread {
        id: ThreadId,
        parker: Arc<Parker>,
    }

    #[derive(Debug, Default)]
    struct Parker {
        is_unparked: loom::sync::Mutex<bool>,
        changed: Condvar,
    }

    loom::thread_local! {
        static OWN: Arc<Parker> = Arc::new(Parker::default());
    }

    pub(crate) fn current() -> Thread {
        Thread { id: loom::thread::current().id(), parker: OWN.with(Arc::clone) }
    }

    pub(crate) fn park() {
        let own = OWN.with(Arc::clone);
        let mut is_unparked = own.is_unparked.lock().expect("no model panics under a lock");
        while !*is_unparked {
            is_unparked = own.changed.wait(is_unparked).expect("no model panics under a lock");
        }
        *is_unparked = false;
    }

    impl Thread {
        pub(crate) fn id(&self) -> ThreadId {
            self.id
        }

        pub(crate) fn unpark(&self) {
            *self.parker.is_unparked.lock().expect("no model panics under a lock") = true;
            self.parker.changed.notify_one();
        }
    }

    #[derive(Debug)]
    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().expect("no model panics under a lock")
        }
    }

    impl<T: Default> Default for Mutex<T> {
        fn default() -> Self {
            Self::new(T::default())
        }
    }

    /// In the model time passes exactly when another thread can run.
    pub(crate) fn park_timeout(_: std::time::Duration) {
        loom::thread::yield_now();
    }
}

pub(crate) use imp::*;
