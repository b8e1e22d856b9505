//! The quick way in, for a plain call that can only wait.
//!
//! Whoever spawns a million calls behind busy workers pays for each of them what is done here. Nothing is decided: all
//! that could follow from one more call behind others, a dispatch, a launch, a recall, is ruled out before; and what
//! follows from the time is a matter of timers, which are there already. So neither a moment is needed nor an action
//! given, and everything else is done when the call's turn comes. The simulation takes this way wherever it is open, and
//! makes sure each time that nothing did follow.

use super::Scheduler;
use crate::ids::CallKey;

/// That of plain calls.
const PRIORITY: i32 = 0;

impl Scheduler {
    /// Whether a call on plain terms that comes now would wait, and nothing else happen.
    pub(crate) fn would_only_wait(&self) -> bool {
        // Whatever keeps the first in line from being dispatched keeps those behind it.
        let is_behind = self.calls.front_priority().is_some_and(|first| first >= PRIORITY);
        let is_complete = self.workers.live() >= self.sizing.size();
        is_behind && is_complete && self.shutdown.is_none() && self.idle_seat().is_none()
    }

    /// Takes in a call on plain terms that [only waits](Self::would_only_wait).
    pub(crate) fn wait_in_line(&mut self, call: CallKey) {
        self.sizing.wake();
        self.calls.add_plain(call);
    }
}
