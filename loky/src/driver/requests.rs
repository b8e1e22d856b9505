//! What pools and handles ask of the driver: to take in a call, to give one up, to grow, to end. Nothing here waits.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use super::Driver;
use super::inner::{Inner, Pending};
use super::order::{Order, OutcomeCell};
use crate::error::Error;
use crate::ids::CallKey;
use crate::oneshot::{self, Watcher};
use crate::scheduler::Event;

impl Driver {
    /// Takes the call out of `order`. Its outcome lands in `cell`, or else waits for a handle that there must be then.
    /// Never blocks. With `heed_limit`, `None` if the backlog is full.
    pub(crate) fn submit(
        self: &Arc<Self>,
        order: &mut Option<Order>,
        cell: Option<&Arc<OutcomeCell>>,
        heed_limit: bool,
    ) -> Option<Result<CallKey, Error>> {
        if let Err(why) = self.check_process().and_then(|()| self.start()) {
            return Some(Err(why.with_task(order.take()?.task_name())));
        }
        let (is_plain, bytes) = (order.as_ref()?.is_on_plain_terms(), order.as_ref()?.bytes());
        let order = Cell::from_mut(order);
        self.act_unless(
            |inner| is_plain.then(|| inner.put_in_line(order, cell))?.map(|call| Some(Ok(call))),
            |inner, now| {
                if heed_limit && inner.is_full(bytes) {
                    return None;
                }
                let order = order.take()?;
                let terms = order.terms(now);
                let call = inner.take_in(order, cell);
                inner.feed(Event::Submitted { call, terms }, now);
                inner.help(now);
                inner.note_queue();
                Some(Ok(call))
            },
        )
    }

    /// Whether the backlog has room for a call with so many bytes; if it has not, `watcher` is told when it may have.
    pub(crate) fn has_room(&self, bytes: usize, watcher: impl FnOnce() -> Option<Watcher>) -> bool {
        self.is_foreign()
            || self.act(|inner, now| {
                // What has been answered makes room, and nobody may have heard of it.
                inner.hear_what_is_there(now);
                let is_full = inner.is_full(bytes);
                if let Some(watcher) = is_full.then(watcher).flatten() {
                    inner.await_room(bytes, watcher);
                }
                !is_full
            })
    }

    /// Gives a call up. `false`: it has ended, or somebody else has given it up before.
    pub(crate) fn cancel(&self, call: CallKey) -> bool {
        if self.is_foreign() {
            return false;
        }
        self.act(|inner, now| {
            inner.hear_what_is_there(now);
            let is_alive = inner.calls.get(call).is_some();
            inner.feed(Event::Cancelled { call }, now);
            is_alive
        })
    }

    /// Asks a call to end by itself, and kills its worker if it has not after `grace`. `false`: it has ended.
    pub(crate) fn ask_to_end(&self, call: CallKey, grace: Duration) -> bool {
        if self.is_foreign() {
            return false;
        }
        self.act(|inner, now| {
            inner.hear_what_is_there(now);
            let is_alive = inner.calls.get(call).is_some();
            inner.feed(Event::AskedToEnd { call, kill_at: now.checked_add(grace) }, now);
            is_alive
        })
    }

    /// Has a call back that has not begun: it ends as if it were given up. One that has begun goes on.
    #[cfg(feature = "cluster")]
    pub(crate) fn take_back(&self, call: CallKey) {
        if !self.is_foreign() {
            self.act(|inner, now| {
                inner.hear_what_is_there(now);
                inner.feed(Event::WantedBack { call }, now);
            });
        }
    }

    /// Gives many calls up, at once: were it one after the other, those that wait could begin in the place of those
    /// that run.
    pub(crate) fn cancel_all(&self, calls: impl IntoIterator<Item = CallKey>) {
        if self.is_foreign() {
            return;
        }
        self.act(|inner, now| {
            inner.hear_what_is_there(now);
            calls.into_iter().for_each(|call| inner.scheduler.note(Event::Cancelled { call }, now));
            inner.scheduler.handle_timeout(now);
            inner.perform_all();
        });
    }

    /// Whether the call has started; `None` if it has ended.
    pub(crate) fn has_started(&self, call: CallKey) -> Option<bool> {
        if self.is_foreign() {
            return None;
        }
        self.act(|inner, now| {
            inner.hear_what_is_there(now);
            inner.scheduler.has_started(call)
        })
    }

    pub(crate) fn resize(&self, target: usize) {
        if self.is_foreign() {
            return;
        }
        self.act(|inner, now| {
            inner.settings.workers = target.max(1);
            inner.feed(Event::Resized { target }, now);
            inner.share_processors();
        });
    }

    /// The pool has so many processors from now on, and a worker for each.
    pub(crate) fn resize_to_processors(&self, cpus: usize) {
        if !self.is_foreign() {
            self.act(|inner, _| inner.settings.cpus = cpus);
            self.resize(cpus);
        }
    }

    /// Starts all workers. The cell is complete when they are ready, or cannot be had.
    pub(crate) fn warm_up(self: &Arc<Self>) -> Result<Arc<oneshot::Cell<()>>, Error> {
        self.check_process().and_then(|()| self.start())?;
        let cell = Arc::new(oneshot::Cell::new());
        self.act(|inner, now| {
            inner.warm_up.push(Arc::clone(&cell));
            inner.feed(Event::WarmUpAsked, now);
        });
        Ok(cell)
    }

    pub(crate) fn ask_shutdown(&self, forced: bool) {
        if !self.is_foreign() {
            self.act(|inner, now| {
                inner.hear_what_is_there(now);
                inner.feed(Event::ShutdownAsked { forced }, now);
            });
        }
    }
}

impl Inner {
    /// Takes in a call on plain terms that can only wait, of which nothing more is to be done for now. `None`, and
    /// nothing is taken: there may be more to do.
    fn put_in_line(&mut self, order: &Cell<Option<Order>>, cell: Option<&Arc<OutcomeCell>>) -> Option<CallKey> {
        if self.has_limit() || !self.scheduler.would_only_wait() || self.is_help_due() {
            return None;
        }
        self.spawned = self.spawned.wrapping_add(1);
        let call = self.take_in(order.take()?, cell);
        self.scheduler.wait_in_line(call);
        self.note_queue();
        Some(call)
    }

    pub(super) fn take_in(&mut self, order: Order, cell: Option<&Arc<OutcomeCell>>) -> CallKey {
        self.count_in(&order);
        self.counters.submitted += 1;
        let (number, pending) = (order.number(), Pending::new(order, cell.cloned()));
        let call = match number {
            None => self.calls.insert(pending),
            Some(number) => self.calls.insert_as(number, pending),
        };
        self.note_spawned(call);
        call
    }
}
