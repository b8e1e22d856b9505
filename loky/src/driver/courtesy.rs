//! Who sees a death first: the waiter, if it sleeps, and not the background thread, which is woken by it as well.

use std::time::Duration;

use super::Driver;
use super::tokens::{is_of_death, of_token};
use crate::sys::poll::Poller;

/// So long the background thread leaves a death to the waiter, which may have to wait for a processor.
const COURTESY: Duration = Duration::from_micros(300);

impl Driver {
    /// A death wakes the waiter that sleeps as well, which need not be told of it, nor wait for the lock meanwhile, nor for
    /// the processor while what follows is done here. It rings when it has seen to it.
    pub(super) fn let_waiter_see_first(&self, ready: &[u64], poller: &Poller) {
        if !ready.iter().any(|&token| is_of_death(token)) {
            return;
        }
        let mut inner = self.inner.lock();
        // A worker in the middle of a long frame rings for more of it, and is not to wait for that.
        let is_for_more =
            ready.iter().any(|&token| inner.body(of_token(token).0).is_some_and(|body| body.link.has_more()));
        if inner.duty.is_for_waiter() && !is_for_more {
            drop(inner);
            poller.wait_for_bell(COURTESY);
        }
    }
}
