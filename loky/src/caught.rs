//! Catches what code that is not ours throws, and lets nothing of it escape when it is thrown away.
//!
//! Nothing here knows whose code it is, or what its panic means.

use std::any::Any;
use std::fmt;
use std::mem;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What `work` returns, or what it has thrown.
///
/// The caller answers for it that nothing is believed of what the panic may have left half done.
#[inline]
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, Thrown> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| Thrown(Some(payload)))
}

/// What a panic carries. It is foreign, too: it may panic in its own turn when it is dropped.
pub(crate) struct Thrown(Option<Box<dyn Any + Send>>);

impl Deref for Thrown {
    type Target = dyn Any + Send;

    fn deref(&self) -> &Self::Target {
        self.0.as_deref().expect("it is taken out only when it is dropped")
    }
}

impl Drop for Thrown {
    fn drop(&mut self) {
        let payload = self.0.take();
        if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            // Where that ends nobody knows, and it is seldom enough to be left where it lies.
            mem::forget(another);
        }
    }
}

impl fmt::Debug for Thrown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Thrown")
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::panic::panic_any;

    use super::*;

    /// Throws itself again, so often.
    struct Again(u8);

    impl Drop for Again {
        fn drop(&mut self) {
            if let Some(left) = self.0.checked_sub(1) {
                panic_any(Self(left));
            }
        }
    }

    #[test]
    fn what_is_thrown_is_looked_at_and_thrown_away() {
        assert_eq!(caught(|| 7).ok(), Some(7));
        let thrown = caught(|| panic_any(5_u8)).unwrap_err();
        assert_eq!(thrown.downcast_ref::<u8>(), Some(&5));
    }

    #[test]
    fn what_panics_when_it_is_dropped_is_contained() {
        for times in 0..3 {
            drop(caught(|| panic_any(Again(times))).unwrap_err());
        }
    }
}
