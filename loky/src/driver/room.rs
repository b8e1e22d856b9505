//! The room that is left in the backlog, in calls and in bytes, and who waits for it.
//!
//! Bytes are those of the arguments of calls that have not started. They are counted as calls come and end; what has
//! started is few calls, which are looked up when somebody asks.

use super::inner::Inner;
use super::order::Order;
use crate::config::Settings;
use crate::oneshot::Watcher;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// Of all calls that have not ended; zero where nobody has set a limit.
    bytes: usize,
    /// Each with the bytes that it has.
    waiting: Vec<(usize, Watcher)>,
}

impl Room {
    /// A call that has started has so many bytes less.
    pub(super) fn vacate(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// Gives up all who wait.
    pub(super) fn take_waiting(&mut self) -> impl Iterator<Item = Watcher> {
        std::mem::take(&mut self.waiting).into_iter().map(|(_, watcher)| watcher)
    }
}

impl Inner {
    /// Whether a call with so many bytes has to wait for room in the backlog.
    pub(super) fn is_full(&self, bytes: usize) -> bool {
        let Settings { queue_limit, queue_limit_bytes, .. } = self.settings;
        let queued = || self.scheduler.queued();
        let is_full = queue_limit.is_some_and(|limit| queued() >= limit)
            || queue_limit_bytes.is_some_and(|limit| queued() > 0 && self.exceeds(limit, bytes));
        is_full && !self.scheduler.is_shutting_down()
    }

    #[cold]
    fn exceeds(&self, limit: usize, bytes: usize) -> bool {
        let started = self.scheduler.started().filter_map(|call| self.calls.get(call));
        let started: usize = started.map(|pending| pending.order.payload.len()).sum();
        self.room.bytes.saturating_sub(started).saturating_add(bytes) > limit
    }

    /// Whether anybody may wait for a call to start.
    pub(super) fn has_limit(&self) -> bool {
        self.settings.queue_limit.is_some() || self.settings.queue_limit_bytes.is_some()
    }

    /// Tells `watcher` as soon as there may be room for so many bytes.
    pub(super) fn await_room(&mut self, bytes: usize, watcher: Watcher) {
        self.room.waiting.push((bytes, watcher));
    }

    /// Those for whom there may be room look again; whoever is first has it.
    #[inline]
    pub(super) fn tell_of_room(&mut self) {
        if !self.room.waiting.is_empty() {
            self.tell_waiting();
        }
    }

    #[cold]
    fn tell_waiting(&mut self) {
        for (bytes, watcher) in std::mem::take(&mut self.room.waiting) {
            if self.is_full(bytes) {
                self.room.waiting.push((bytes, watcher));
            } else {
                self.outbox.watchers.push(watcher);
            }
        }
    }

    /// A call comes.
    #[inline]
    pub(super) fn count_in(&mut self, order: &Order) {
        if self.settings.queue_limit_bytes.is_some() {
            self.room.bytes += order.payload.len();
        }
    }

    /// It has ended.
    #[inline]
    pub(super) fn count_out(&mut self, order: &Order) {
        if self.settings.queue_limit_bytes.is_some() {
            self.room.bytes -= order.payload.len();
        }
    }
}
